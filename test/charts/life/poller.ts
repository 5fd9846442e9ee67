/** Creates pods all the time, and keeps what became of each: the evidence of the life tests. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { V1Pod } from '@kubernetes/client-node';

import type { ControlPlane, TestScope } from '../../cluster/control-plane.ts';
import { podsPath, podWith } from '../installed.ts';

export const pollInterval = 150;
/** One in so many is really created, the others in dry run: admission is the same, and the cluster stays small. */
const realEvery = 10;

export type Outcome = 'rewritten' | 'as written' | 'failed';

export interface PolledPod {
  /** Milliseconds since the poller began. */
  readonly at: number;
  readonly outcome: Outcome;
  /** What the API server said where it failed. */
  readonly message: string;
}

export interface Poller {
  /** Pods that were created while `work` ran, and for some intervals after it. */
  during(work: () => Promise<unknown>): Promise<readonly PolledPod[]>;
  /** Resolves when the last pods have had this outcome. */
  until(outcome: Outcome, limit?: number): Promise<void>;
  readonly pods: readonly PolledPod[];
}

export const notRewritten = (pods: readonly PolledPod[]): readonly PolledPod[] => pods.filter(({ outcome }) => outcome !== 'rewritten');

export function startPoller(t: TestScope, plane: ControlPlane, namespace: string, expected: string): Poller {
  const pods: PolledPod[] = [];
  const began = performance.now();
  const ending = new AbortController();
  const one = async (count: number): Promise<void> => {
    const at = Math.round(performance.now() - began);
    const path = `${podsPath(namespace)}${count % realEvery === 0 ? '' : '?dryRun=All'}`;
    const { status, body } = await plane.api.send<V1Pod & { message?: string }>('POST', path, podWith('nginx:1.27'));
    const image = body.spec?.containers[0]?.image;
    const outcome = status !== 201 ? 'failed' : image === expected ? 'rewritten' : 'as written';
    pods.push({ at, outcome, message: outcome === 'failed' ? `${status} ${body.message}` : '' });
  };
  const work = async (): Promise<void> => {
    for (let count = 1; !ending.signal.aborted; count++) {
      await one(count).catch((error: unknown) => {
        // The API server itself is away.
        pods.push({ at: Math.round(performance.now() - began), outcome: 'failed', message: String(error) });
      });
      await sleep(pollInterval);
    }
  };
  const worked = work();
  t.teardown(async () => {
    ending.abort();
    await worked;
  });
  return {
    pods,
    during: async (task) => {
      const first = pods.length;
      await task();
      await sleep(5 * pollInterval);
      const created = pods.slice(first);
      const count = (outcome: Outcome): string => `${created.filter((pod) => pod.outcome === outcome).length} ${outcome}`;
      t.comment(`${created.length} pods: ${count('rewritten')}, ${count('as written')}, ${count('failed')}`);
      return created;
    },
    until: async (outcome, limit = 60_000) => {
      const deadline = performance.now() + limit;
      for (;;) {
        const last = pods.slice(-5);
        if (last.length === 5 && last.every((pod) => pod.outcome === outcome)) return;
        if (performance.now() > deadline)
          throw new Error(`no pods "${outcome}" within ${limit / 1000} s; the last ones: ${JSON.stringify(last)}`);
        await sleep(pollInterval);
      }
    },
  };
}
