/** A copy of a pull secret: the Secret that is written, and what is kept of one that was seen. */
import { createHash } from 'node:crypto';

import type { KubernetesObject } from '@kubernetes/client-node';

import { dockerConfigKey, dockerConfigType } from '../../registry/pull-secret.ts';
import { contentAnnotation, labelValue, managedBy, managedByLabel, ownerLabel, registryLabel, sourceAnnotation } from '../labels.ts';

/** What a copy holds. */
export interface Content {
  /** The docker config in base64, as it stands in a Secret. */
  readonly encoded: string;
  readonly hash: string;
}

export interface DesiredCopy {
  readonly namespace: string;
  readonly name: string;
  /** As the policy calls it. */
  readonly registry: string;
  /** `namespace/name` of the source Secret, or the provider. */
  readonly source: string;
  /** Null while the source has given none: then nothing is written, and what is there stays. */
  readonly content: Content | null;
}

/** A Secret as the API server sends it, as far as it is read. */
export interface SecretObject extends KubernetesObject {
  readonly type?: string;
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
  /** In place of `data` in what is kept. */
  readonly contentHash?: string;
}

export const secretsPath = (namespace: string): string => `/api/v1/namespaces/${namespace}/secrets`;

/** The same content has the same hash; 64 bits are enough for that and tell nothing about a password. */
export function contentOf(encoded: string): Content {
  return { encoded, hash: createHash('sha256').update(encoded).digest('hex').slice(0, 16) };
}

/** What is kept of a copy: of a thousand namespaces this is half a megabyte, and no password stays in memory. */
export function withoutContent({ apiVersion = 'v1', kind = 'Secret', metadata, type, immutable, data }: SecretObject): SecretObject {
  const { name, namespace, uid, resourceVersion, labels, annotations, deletionTimestamp } = metadata ?? {};
  const encoded = data?.[dockerConfigKey];
  return {
    apiVersion,
    kind,
    metadata: {
      ...(name !== undefined && { name }),
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      labels: pick(labels, registryLabel),
      annotations: pick(annotations, sourceAnnotation, contentAnnotation),
    },
    ...(type !== undefined && { type }),
    ...(immutable !== undefined && { immutable }),
    ...(encoded !== undefined && { contentHash: contentOf(encoded).hash }),
  };
}

/**
 * The whole Secret.
 *
 * @param where `owner`: value of the label that says whose it is; `over`: the copy that it replaces, as it was seen, and no other
 */
export function secretOf(
  { namespace, name, registry, source }: DesiredCopy,
  content: Content,
  where: { readonly owner: string; readonly over?: SecretObject },
): SecretObject {
  const { uid, resourceVersion } = where.over?.metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      namespace,
      name,
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      labels: { [managedByLabel]: managedBy, [ownerLabel]: where.owner, [registryLabel]: labelValue(registry) },
      annotations: { [sourceAnnotation]: source, [contentAnnotation]: content.hash },
    },
    type: dockerConfigType,
    data: { [dockerConfigKey]: content.encoded },
  };
}

/** Whether the copy says and holds what it should. Other people's labels, annotations and keys beside ours are theirs. */
export function isAsDesired(present: SecretObject, desired: DesiredCopy, content: Content): boolean {
  const { labels, annotations } = present.metadata ?? {};
  return (
    present.type === dockerConfigType &&
    present.contentHash === content.hash &&
    annotations?.[contentAnnotation] === content.hash &&
    annotations[sourceAnnotation] === desired.source &&
    labels?.[registryLabel] === labelValue(desired.registry)
  );
}

/** Type and content of some Secrets cannot be changed, only made anew. https://kubernetes.io/docs/concepts/configuration/secret/#secret-immutable */
export function isFixed({ type, immutable }: SecretObject): boolean {
  return type !== dockerConfigType || immutable === true;
}

function pick(from: Readonly<Record<string, string>> | undefined, ...names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (from?.[name] === undefined ? [] : [[name, from[name]]])));
}
