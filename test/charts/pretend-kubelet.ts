/** Runs the one container of a pod as a process of this machine, and reports its end as a kubelet does: `helm test` without a node. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { V1ConfigMap, V1ConfigMapProjection, V1Pod } from '@kubernetes/client-node';

import type { ControlPlane } from '../cluster/control-plane.ts';
import { eventually, podsPath } from './installed.ts';

export interface PodRun {
  readonly code: number;
  readonly stdout: string;
}

/** Waits for the pod, runs it and sets its phase. Its only volume must project ConfigMaps, its first command word `node`. */
export async function runPod(plane: ControlPlane, namespace: string, name: string): Promise<PodRun> {
  const path = `${podsPath(namespace)}/${name}`;
  await eventually(
    `pod ${name} is there and not the one of before`,
    async () => (await plane.api.send<V1Pod>('GET', path)).body.status?.phase === 'Pending',
  );
  const { body: pod } = await plane.api.send<V1Pod>('GET', path);
  const folder = mkdtempSync(join(plane.folder, 'pod-'));
  const mounted = await mountConfigMaps(plane, pod, folder);
  const account = await mountServiceAccount(plane, pod, folder);

  const [container] = pod.spec?.containers ?? [];
  const words = [...(container?.command ?? []), ...(container?.args ?? [])].map((word) => word.replace(mounted.inPod, mounted.here));
  if (words.shift() !== 'node') throw new Error(`pod ${name} does not start with node`);
  const { hostname, port } = new URL(plane.url);
  const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port, SERVICE_ACCOUNT_FOLDER: account };
  const run = await execute(words, env);
  await plane.api.send(
    'PATCH',
    `${path}/status`,
    { status: { phase: run.code === 0 ? 'Succeeded' : 'Failed' } },
    'application/merge-patch+json',
  );
  return run;
}

async function mountConfigMaps(plane: ControlPlane, { metadata, spec }: V1Pod, folder: string): Promise<{ inPod: string; here: string }> {
  const sources = spec?.volumes?.flatMap(({ projected }) => projected?.sources ?? []) ?? [];
  for (const { configMap } of sources) await mountConfigMap(plane, metadata?.namespace ?? '', configMap ?? {}, folder);
  return { inPod: spec?.containers[0]?.volumeMounts?.[0]?.mountPath ?? '', here: folder };
}

async function mountConfigMap(plane: ControlPlane, namespace: string, source: V1ConfigMapProjection, folder: string): Promise<void> {
  const { status, body } = await plane.api.send<V1ConfigMap>('GET', `/api/v1/namespaces/${namespace}/configmaps/${source.name}`);
  if (status === 404 && source.optional === true) return;
  const data = body.data ?? {};
  const items = source.items ?? Object.keys(data).map((key) => ({ key, path: key }));
  for (const { key, path } of items) writeFileSync(join(folder, path), data[key] ?? '');
}

/** The pod's own token, so that it has the rights that its Role gives it and no others. */
async function mountServiceAccount(plane: ControlPlane, pod: V1Pod, folder: string): Promise<string> {
  const namespace = pod.metadata?.namespace;
  const request = { spec: { audiences: null } };
  const tokenPath = `/api/v1/namespaces/${namespace}/serviceaccounts/${pod.spec?.serviceAccountName}/token`;
  const { body: token } = await plane.api.send<{ status: { token: string } }>('POST', tokenPath, request);
  const { body: authority } = await plane.api.send<V1ConfigMap>('GET', `/api/v1/namespaces/${namespace}/configmaps/kube-root-ca.crt`);
  const account = join(folder, 'account');
  mkdirSync(account);
  writeFileSync(join(account, 'token'), token.status.token);
  writeFileSync(join(account, 'ca.crt'), authority.data?.['ca.crt'] ?? '');
  return account;
}

function execute(words: readonly string[], env: NodeJS.ProcessEnv): Promise<PodRun> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, words, { env }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? 1, stdout: stdout + stderr }),
    );
  });
}
