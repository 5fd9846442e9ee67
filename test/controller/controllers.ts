/** The controller as a process of its own on a test cluster, and the objects that its tests make and look at. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import type { EventsV1Event, V1Secret } from '@kubernetes/client-node';

import type { ApiAnswer } from '../cluster/api.ts';
import { startControlPlane, type ControlPlane, type TestScope } from '../cluster/control-plane.ts';
import { waitUntil } from '../cluster/process.ts';

const sources = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
export const releaseNamespace = 'transship-system';

/** One registry, and a Secret of the release namespace that its pull secrets are copied from. More registries may follow the text. */
export const mirrorPolicy = `
apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror:
    host: reg.example.com
    pullSecrets: [regcred]
    credentials: { secret: mirror-source }
`;

export interface Running {
  readonly policyFile: string;
  readonly port: number;
  readonly log: () => string;
  /** SIGTERM. Resolves to the exit code. */
  readonly stop: () => Promise<number>;
  /** SIGKILL. */
  readonly kill: () => Promise<number>;
  readonly get: (path: string) => Promise<{ readonly status: number; readonly text: string }>;
}

export interface RunOptions {
  readonly policy: string;
  readonly args?: readonly string[];
  readonly kubeconfig?: string;
  /** Another build of the product than the sources. */
  readonly program?: string;
  /** Of Node itself. */
  readonly nodeOptions?: readonly string[];
}

/** Short, since some tests kill the leader, and long enough for a machine that stands still for some seconds: a leader gives up after two thirds. */
export const leaseSeconds = 8;

let count = 0;

/** Resolves when it listens; `whenReady` waits for more. Ends with the cluster. */
export async function runController(
  plane: ControlPlane,
  { policy, args = [], kubeconfig = plane.kubeconfig, program = sources, nodeOptions = [] }: RunOptions,
): Promise<Running> {
  const folder = mkdtempSync(join(plane.folder, 'controller-'));
  const policyFile = join(folder, 'policy.yaml');
  writeFileSync(policyFile, policy);
  const flags = [
    '--policy',
    policyFile,
    '--namespace',
    releaseNamespace,
    '--kubeconfig',
    kubeconfig,
    '--port',
    '0',
    '--lease-seconds',
    String(leaseSeconds),
    '--pull-secret-retention',
    '1s',
  ];
  count += 1;
  const [command = '', ...words] = program === sources ? [process.execPath] : plainNode;
  const child = plane.start({
    name: `controller-${count}`,
    command,
    args: [...words, ...nodeOptions, program, 'controller', ...flags, ...args],
  });
  const listening = (): Record<string, unknown> | undefined => linesOf(child.log()).find(({ msg }) => msg === 'listening');
  await waitUntil(child, 'line that says where it listens', async () => listening() !== undefined);
  const port = Number(listening()?.['port']);
  return {
    policyFile,
    port,
    log: () => child.log(),
    stop: () => child.stop({ gently: true }),
    kill: () => child.stop(),
    get: async (path) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } });
      return { status: response.status, text: await response.text() };
    },
  };
}

/** Words that start Node without the loaders that a coverage run puts into every process. */
export const plainNode: readonly string[] = ['env', '--unset=NODE_OPTIONS', process.execPath];

/** Lines of the log that are JSON and complete: warnings of Node itself are not JSON, and the last line may still be written. */
export function linesOf(log: string): Record<string, unknown>[] {
  return log
    .split('\n')
    .slice(0, -1)
    .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : []));
}

/** Milliseconds until it holds. */
export async function eventually(what: string, holds: () => Promise<boolean>, { limit = 60_000, interval = 25 } = {}): Promise<number> {
  const begin = performance.now();
  while (!(await holds())) {
    if (performance.now() - begin > limit) throw new Error(`not within ${limit / 1000} s: ${what}`);
    await sleep(interval);
  }
  return performance.now() - begin;
}

export const whenReady = (controller: Running): Promise<number> =>
  eventually('the controller leads and is ready', async () => {
    const { status, text } = await controller.get('/readyz');
    return status === 200 && text.startsWith('leading');
  });

/** Value of one series of /metrics, undefined when there is none. */
export async function metric(controller: Running, series: string): Promise<number | undefined> {
  const { text } = await controller.get('/metrics');
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

export const dockerConfig = (password: string, host = 'reg.example.com'): string =>
  JSON.stringify({ auths: { [host]: { username: 'robot', password, auth: Buffer.from(`robot:${password}`).toString('base64') } } });

const secretBody = (name: string, config: string, metadata: object): V1Secret => ({
  metadata: { name, ...metadata },
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': Buffer.from(config).toString('base64') },
});

export async function createNamespace(plane: ControlPlane, name: string, labels: Record<string, string> = {}): Promise<void> {
  await succeed(plane, 'POST', '/api/v1/namespaces', { metadata: { name, labels } });
}

/** An API server with the namespaces of the release, of opted-in pods (`shop`) and of others. */
export async function startForControllers(t: TestScope): Promise<ControlPlane> {
  const plane = await startControlPlane(t);
  await createNamespace(plane, releaseNamespace);
  await plane.createNamespace('shop', { 'transship.dev/rewrite': 'enabled' });
  await plane.createNamespace('other');
  return plane;
}

export const createSecret = (
  plane: ControlPlane,
  { namespace, name, config, metadata = {} }: { namespace: string; name: string; config: string; metadata?: object },
): Promise<V1Secret> => succeed<V1Secret>(plane, 'POST', `/api/v1/namespaces/${namespace}/secrets`, secretBody(name, config, metadata));

export const secretPath = (namespace: string, name: string): string => `/api/v1/namespaces/${namespace}/secrets/${name}`;

/** Merge patch. */
export async function change<T>(plane: ControlPlane, path: string, patch: object): Promise<T> {
  return bodyOf(`PATCH ${path}`, await plane.api.send<T>('PATCH', path, patch, 'application/merge-patch+json'));
}

export const remove = (plane: ControlPlane, path: string): Promise<unknown> => succeed(plane, 'DELETE', path);

export const setConfig = (plane: ControlPlane, path: string, config: string): Promise<V1Secret> =>
  change<V1Secret>(plane, path, { data: { '.dockerconfigjson': Buffer.from(config).toString('base64') } });

/** The docker config in a Secret; null when there is no such Secret. */
export async function configOf(plane: ControlPlane, namespace: string, name: string): Promise<string | null> {
  const { status, body } = await plane.api.send<V1Secret>('GET', secretPath(namespace, name));
  return status === 200 ? Buffer.from(body.data?.['.dockerconfigjson'] ?? '', 'base64').toString('utf8') : null;
}

/** Events of a namespace that have this reason. */
export async function eventsOf(plane: ControlPlane, namespace: string, reason: string): Promise<EventsV1Event[]> {
  const { items } = await succeed<{ items: EventsV1Event[] }>(plane, 'GET', `/apis/events.k8s.io/v1/namespaces/${namespace}/events`);
  return items.filter((event) => event.reason === reason);
}

export async function succeed<T = Record<string, unknown>>(plane: ControlPlane, method: string, path: string, body?: unknown): Promise<T> {
  return bodyOf(`${method} ${path}`, await plane.api.send<T>(method, path, body));
}

function bodyOf<T>(what: string, { status, body }: ApiAnswer<T>): T {
  if (status >= 300) throw new Error(`${what}: ${status} ${JSON.stringify(body)}`);
  return body;
}
