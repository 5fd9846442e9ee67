/** States of the copies, for the metrics. */
import type { Gauge } from 'prom-client';

import type { RewritePolicy } from '../../policy/types.ts';
import { registryLabel } from '../../cluster/copy-labels.ts';
import { copyStates, type CopyState } from '../metrics.ts';
import { isAsDesired, type DesiredCopy } from './copy.ts';
import type { CopyWriter } from './copy-writer.ts';
import type { SecretObject } from './seen-secret.ts';

export interface CopyOverview {
  readonly policy: RewritePolicy;
  readonly desired: ReadonlyMap<string, DesiredCopy>;
  /** Copies that are kept although no longer wanted. */
  readonly retained: readonly SecretObject[];
  readonly present: (key: string) => SecretObject | undefined;
  readonly writer: CopyWriter;
  readonly owner: string;
}

export function countCopies(gauge: Gauge<'registry' | 'state'>, overview: CopyOverview): void {
  gauge.reset();
  for (const [registry, { credentials }] of Object.entries(overview.policy.registries)) {
    if (credentials !== undefined) for (const state of Object.keys(copyStates)) gauge.set({ registry, state }, 0);
  }
  for (const [key, copy] of overview.desired) {
    gauge.inc({ registry: copy.registry, state: 'desired' });
    const state = stateOf(key, copy, overview);
    if (state !== null) gauge.inc({ registry: copy.registry, state });
  }
  for (const { metadata } of overview.retained) gauge.inc({ registry: metadata?.labels?.[registryLabel] ?? '', state: 'retained' });
}

/** Null while it is being written. */
function stateOf(key: string, copy: DesiredCopy, { present: presentAt, writer, owner }: CopyOverview): CopyState | null {
  const present = presentAt(key);
  if (writer.foreign.has(key, 'equivalent')) return 'equivalent';
  if (writer.foreign.has(key, 'conflicting')) return 'foreign';
  if (writer.disputes.isDisputed(key)) return 'disputed';
  const { content } = copy;
  if (present !== undefined && (content === null || isAsDesired(present, { ...copy, content }, owner))) return 'present';
  if (writer.failures.has(key)) return 'failed';
  return content === null ? 'waiting' : null;
}
