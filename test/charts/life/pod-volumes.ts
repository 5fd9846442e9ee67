/** Plays the part of the kubelet that keeps the files of a pod as its ConfigMaps and Secrets are. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { V1ConfigMap, V1Pod, V1Secret, V1Volume } from '@kubernetes/client-node';

import type { ControlPlane } from '../../cluster/control-plane.ts';

/** Files of a volume by their path in it; undefined while something that it needs is not there, as for a kubelet's FailedMount. */
export async function volumeFiles(plane: ControlPlane, namespace: string, volume: V1Volume): Promise<Map<string, string> | undefined> {
  const { secret, configMap } = volume;
  if (secret) {
    const { status, body } = await plane.api.send<V1Secret>('GET', `/api/v1/namespaces/${namespace}/secrets/${secret.secretName}`);
    const data = Object.entries(body.data ?? {}).map(([key, text]): [string, string] => [key, Buffer.from(text, 'base64').toString()]);
    return selected(status === 200 ? new Map(data) : undefined, secret);
  }
  if (configMap) {
    const { status, body } = await plane.api.send<V1ConfigMap>('GET', `/api/v1/namespaces/${namespace}/configmaps/${configMap.name}`);
    return selected(status === 200 ? new Map(Object.entries(body.data ?? {})) : undefined, configMap);
  }
  return new Map();
}

interface Selection {
  readonly items?: { readonly key: string; readonly path: string }[];
  readonly optional?: boolean;
}

function selected(data: Map<string, string> | undefined, { items, optional = false }: Selection): Map<string, string> | undefined {
  if (data === undefined) return optional ? new Map() : undefined;
  if (items === undefined) return data;
  const files = items.map(({ key, path }) => [path, data.get(key)] as const);
  if (files.some(([, text]) => text === undefined) && !optional) return undefined;
  return new Map(files.flatMap(([path, text]) => (text === undefined ? [] : [[path, text]])));
}

/** Writes all volumes of the pod below `folder`. Resolves to false, with what was there left as it is, while one cannot be mounted. */
export async function mountVolumes(plane: ControlPlane, pod: V1Pod, folder: string): Promise<boolean> {
  const volumes = (pod.spec?.volumes ?? []).filter(({ projected }) => projected === undefined);
  const contents = await Promise.all(volumes.map((volume) => volumeFiles(plane, pod.metadata?.namespace ?? '', volume)));
  if (contents.includes(undefined)) return false;
  for (const [index, { name }] of volumes.entries()) {
    mkdirSync(join(folder, name), { recursive: true });
    for (const [path, text] of contents[index] ?? []) replace(join(folder, name, path), text);
  }
  return true;
}

/** Never half a file, and no change where nothing has changed. */
function replace(file: string, text: string): void {
  if (textOf(file) === text) return;
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
