/** Reports the result of a file reload: the same log lines and metrics in `serve` and in the controller. */
import type { Logger } from 'pino';
import type { Counter, Gauge } from 'prom-client';
import type { Reload, Revision } from '../config/source.ts';
import { formatFinding, type Finding } from '../errors/finding.ts';
import type { OperatorError } from '../errors/operator-error.ts';

export type Reloaded = 'certificate' | 'client CA';

export function logReload(log: Logger, what: Reloaded, fields: Readonly<Record<string, string>> = {}): void {
  log.info(fields, `${what} reloaded`);
}

/** @param error an OperatorError, or any other reason why the file could not be used */
export function logRefusedReload(log: Logger, what: Reloaded, error: unknown): void {
  const { code, message }: Pick<OperatorError, 'message'> & { code?: unknown } = error instanceof Error ? error : new Error(String(error));
  log.error({ code }, `the changed ${what} is refused, the last good one stays in use: ${message}`);
}

export function logRestored(log: Logger, what: Reloaded): void {
  log.info(`the ${what} is again the one in use`);
}

export interface PolicyMetrics {
  readonly policyInfo: Gauge<'revision'>;
  readonly policyReloads: Counter<'result'>;
  readonly lastReload: Gauge<'file'>;
}

export interface PolicyObserver {
  readonly log: Logger;
  readonly metrics: PolicyMetrics;
}

/** The initial policy. */
export function observePolicy({ log, metrics }: PolicyObserver, revision: Revision, findings: readonly Finding[]): void {
  for (const finding of findings) logFinding(log, finding);
  metrics.policyInfo.set({ revision: revision.id }, 1);
  metrics.lastReload.set({ file: 'policy' }, 1);
}

/** @param current the revision in force, after the reload */
export function observeReload({ log, metrics }: PolicyObserver, reload: Reload, current: Revision): void {
  metrics.policyReloads.inc({ result: reload.result });
  metrics.lastReload.set({ file: 'policy' }, reload.result === 'loaded' ? 1 : 0);
  for (const finding of reload.findings) logFinding(log, finding);
  if (reload.result === 'refused') {
    log.error({ code: 'POLICY_INVALID', revision: current.id }, 'the changed policy is refused; the last good one stays in force');
    return;
  }
  metrics.policyInfo.reset();
  metrics.policyInfo.set({ revision: reload.revision.id }, 1);
  log.info({ revision: reload.revision.id }, 'policy reloaded');
}

function logFinding(log: Logger, finding: Finding): void {
  log[finding.severity === 'error' ? 'error' : 'warn'](formatFinding(finding));
}
