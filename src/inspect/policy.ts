/** The policy of a release, as its webhook loads it. */
import { loadPolicy } from '../config/load.ts';
import { parseResolvedHosts } from '../config/resolved-hosts.ts';
import { revisionOf } from '../config/revision.ts';
import { formatFinding, hasErrors, type Finding } from '../errors/finding.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import type { Release } from './releases.ts';

export interface ReleasePolicy {
  /** Null when it has errors, or cannot be read. */
  readonly compiled: CompiledPolicy | null;
  readonly findings: readonly Finding[];
  /** Where it is, for people. */
  readonly source: string;
}

/** @returns null when the release has no policy that can be seen */
export function policyOf({ policy, hosts, namespace }: Release): ReleasePolicy | null {
  if (policy === null) return null;
  const source = `${policy.key} of ConfigMap ${policy.configMap} in namespace ${namespace}`;
  const resolved = parseResolvedHosts(hosts, 'hosts.yaml');
  if (hasErrors(resolved.findings)) return { compiled: null, findings: resolved.findings, source };
  const { compiled, findings } = loadPolicy(policy.text, policy.key, resolved.hosts);
  return { compiled: compiled && { ...compiled, revision: revisionOf(policy.text, hosts) }, findings, source };
}

/** The first errors, which are enough to find it. */
export function firstErrors({ findings }: ReleasePolicy): string {
  const errors = findings.filter(({ severity }) => severity === 'error');
  return errors.slice(0, 2).map(formatFinding).join('; ');
}
