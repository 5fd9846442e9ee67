/** The API server of a test cluster, killed and started again with the flags it had, and what it counted. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ControlPlane } from '../cluster/control-plane.ts';
import { waitUntil } from '../cluster/process.ts';

/** Words of its command line and its process ID, found by the folder that only this cluster has. */
function findApiServer({ folder }: ControlPlane): { readonly pid: number; readonly words: readonly string[] } {
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const words = commandLine(entry);
    if (words[0]?.endsWith('/kube-apiserver') && words.some((word) => word.includes(folder))) return { pid: Number(entry), words };
  }
  throw new Error(`no kube-apiserver runs with files of ${folder}`);
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

/** SIGKILL, then `meanwhile`, then the same server again. Resolves when it is ready. */
export async function restartApiServer(plane: ControlPlane, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
  const { pid, words } = findApiServer(plane);
  const [command = '', ...args] = words;
  process.kill(pid, 'SIGKILL');
  // Until all of its threads have ended it has the port, also when it has no command line any more.
  while (existsSync(`/proc/${pid}`)) await sleep(10);
  await meanwhile();
  const again = plane.start({ name: 'kube-apiserver-again', command, args });
  await waitUntil(again, '/readyz', async () => (await plane.api.send('GET', '/readyz')).status === 200);
}

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
