/** Pods created at a real API server: how many a second, and what each costs. */
import type { ControlPlane } from '../test/cluster/control-plane.ts';
import { quantile } from './figure.ts';
import { cpuTime } from './process-cost.ts';

/** Creates at once. */
const clients = 16;

export interface Creates {
  readonly namespace: string;
  readonly pod: unknown;
  readonly count: number;
  /** Whether they are admitted and not stored. */
  readonly dryRun?: boolean;
  /** Processes: that of the API server, and that of the webhook if there is one. */
  readonly apiServer: number;
  readonly webhook: number | null;
}

export interface Measured {
  /** Pods a second. */
  readonly rate: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** CPU microseconds a pod. */
  readonly webhook: number;
  readonly apiServer: number;
}

export async function createPods(plane: ControlPlane, { namespace, pod, count, dryRun = false, ...processes }: Creates): Promise<Measured> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const latencies: number[] = [];
  const cost = async (): Promise<readonly [webhook: number, apiServer: number]> => [
    processes.webhook === null ? 0 : ((await cpuTime(processes.webhook)) ?? Number.NaN),
    (await cpuTime(processes.apiServer)) ?? Number.NaN,
  ];
  const before = await cost();
  const began = performance.now();
  let left = count;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (left > 0) {
        left -= 1;
        const sent = performance.now();
        const { status, body } = await plane.api.send('POST', dryRun ? `${path}?dryRun=All` : path, pod);
        if (status !== 201) throw new Error(`a pod was answered ${status}: ${JSON.stringify(body)}`);
        latencies.push(performance.now() - sent);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  const after = await cost();
  if (!dryRun) await plane.api.send('DELETE', `${path}?gracePeriodSeconds=0`);
  const sorted = latencies.toSorted((a, b) => a - b);
  return {
    rate: count / seconds,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    webhook: (after[0] - before[0]) / count / 1000,
    apiServer: (after[1] - before[1]) / count / 1000,
  };
}
