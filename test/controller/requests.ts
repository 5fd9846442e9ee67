/** What the API server of a test cluster counted. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { ControlPlane } from '../cluster/control-plane.ts';

export interface Requests {
  /** Of Secrets, by verb. */
  readonly secrets: Readonly<Record<string, number>>;
  /** Successful writes of anything but Leases, which the leader renews. */
  readonly writes: number;
}

const writeVerbs: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'APPLY', 'DELETE']);

/** What the API server has answered so far. https://kubernetes.io/docs/reference/instrumentation/metrics/ */
export async function requestsOf(plane: ControlPlane): Promise<Requests> {
  const { body } = await plane.api.send<string>('GET', '/metrics');
  const secrets: Record<string, number> = {};
  let writes = 0;
  for (const line of body.split('\n')) {
    const [, labels, value] = /^apiserver_request_total\{(.*)\} (\S+)$/.exec(line) ?? [];
    if (labels === undefined) continue;
    const label = Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, text]) => [name, text]));
    const { verb = '', resource = '', code = '' } = label;
    if (resource === 'secrets') secrets[verb] = (secrets[verb] ?? 0) + Number(value);
    // Its own bookkeeping at start, such as the RBAC roles, is over when it is ready; flow control goes on.
    if (writeVerbs.has(verb) && code.startsWith('2') && !['leases', 'flowschemas', 'prioritylevelconfigurations'].includes(resource))
      writes += Number(value);
  }
  return { secrets, writes };
}

/** Milliseconds without a write after which a cluster counts as at rest: longer than any interval of the controller that should not be. */
const restTime = 3_000;

/**
 * Resolves when nothing has been written for some seconds. What was begun before may still be written at first: events are written
 * asynchronously, by the API server as well.
 *
 * @param written how much has been written so far; by default the writes that the API server counted
 * @throws when it does not come to rest
 */
export async function atRest(plane: ControlPlane, written = async (): Promise<number> => (await requestsOf(plane)).writes): Promise<void> {
  const counts: number[] = [];
  const deadline = performance.now() + 10 * restTime;
  do {
    const before = await written();
    await sleep(restTime);
    const count = (await written()) - before;
    if (count === 0) return;
    counts.push(count);
  } while (performance.now() < deadline);
  throw new Error(`it does not come to rest; writes in each ${restTime / 1000} s: ${counts.join(', ')}`);
}
