/** The audit log of a test cluster's API server: who wrote what, when, and how it was answered. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { releaseNamespace } from './controllers.ts';

/** The parts of an Event that are read. https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/ */
export interface AuditEvent {
  readonly verb: string;
  readonly stage: string;
  readonly user: { readonly username: string };
  readonly objectRef: { readonly resource: string; readonly namespace?: string; readonly name?: string; readonly uid?: string };
  readonly responseStatus: { readonly code: number };
  /** RFC 3339, with microseconds. */
  readonly requestReceivedTimestamp: string;
  /** Of authorization and admission. */
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface AuditLog {
  readonly apiServerArgs: readonly string[];
  /** In the order of their responses. */
  readonly events: () => AuditEvent[];
}

interface AuditOptions {
  /** Of the ServiceAccounts whose requests are logged. */
  readonly namespace?: string;
  readonly verbs?: readonly string[];
}

const writes = ['create', 'update', 'patch', 'delete'] as const;

/** @param folder for its files */
export function auditLog(folder: string, { namespace = releaseNamespace, verbs = writes }: AuditOptions = {}): AuditLog {
  const policy = {
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [{ level: 'Metadata', userGroups: [`system:serviceaccounts:${namespace}`], verbs }, { level: 'None' }],
  };
  const [policyFile, logFile] = [join(folder, 'audit-policy.yaml'), join(folder, 'audit.log')];
  writeFileSync(policyFile, stringify(policy));
  writeFileSync(logFile, '');
  return {
    apiServerArgs: [`--audit-policy-file=${policyFile}`, `--audit-log-path=${logFile}`],
    events: () =>
      // What follows the last newline is still being written.
      readFileSync(logFile, 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as AuditEvent),
  };
}
