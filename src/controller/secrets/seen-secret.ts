/** What is kept in memory of a Secret: about a megabyte for a thousand namespaces, and no passwords. */
import type { KubernetesObject, V1ManagedFieldsEntry } from '@kubernetes/client-node';

import { lastOtherWriter } from '../../cluster/field-managers.ts';
import { fieldManager } from '../../cluster/object-writes.ts';
import { credentialsHashOf, hashOf } from '../../registry/content-hash.ts';
import { dockerConfigKey, legacyDockerConfigKey } from '../../registry/pull-secret.ts';

/** A Secret as the API server sends it; only the fields that are read. */
export interface SecretObject extends KubernetesObject {
  readonly type?: string;
  readonly immutable?: boolean;
  readonly data?: Readonly<Record<string, string>>;
  /** Replaces `data` in what is kept. */
  readonly contentHash?: string;
  /** Hash of what a kubelet reads from it; absent where it reads nothing. */
  readonly credentialsHash?: string;
  /** Keys of labels and annotations that this program wrote last. */
  readonly ownLabels?: readonly string[];
  readonly ownAnnotations?: readonly string[];
  /** Field manager of the last write by another client. */
  readonly lastWriter?: string;
}

export const secretsPath = (namespace: string): string => `/api/v1/namespaces/${namespace}/secrets`;

export function seenSecret({ apiVersion = 'v1', kind = 'Secret', metadata, type, immutable, data }: SecretObject): SecretObject {
  const { name, namespace, uid, resourceVersion, labels, annotations, deletionTimestamp, managedFields = [] } = metadata ?? {};
  const encoded = data?.[dockerConfigKey];
  const lastWriter = lastOtherWriter(metadata);
  const credentialsHash = credentialsHashOf({ type, data });
  return {
    apiVersion,
    kind,
    metadata: {
      ...(name !== undefined && { name }),
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      labels: keptValues(labels),
      annotations: keptValues(annotations),
    },
    ...(type !== undefined && { type }),
    ...(immutable !== undefined && { immutable }),
    ...(encoded !== undefined && { contentHash: hashOf(encoded) }),
    ...(credentialsHash !== null && { credentialsHash }),
    ownLabels: ownKeys(managedFields, 'f:labels'),
    ownAnnotations: ownKeys(managedFields, 'f:annotations'),
    ...(lastWriter !== undefined && { lastWriter }),
  };
}

function keptValues(values: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, keptValue(value)]));
}

/** https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
function ownKeys(managedFields: readonly V1ManagedFieldsEntry[], map: 'f:labels' | 'f:annotations'): string[] {
  const keys = managedFields.flatMap(({ manager, fieldsV1 }) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server writes this, and each part is optional
    const fields = fieldsV1 as { readonly 'f:metadata'?: Readonly<Record<string, object>> } | undefined;
    return manager === fieldManager ? Object.keys(fields?.['f:metadata']?.[map] ?? {}) : [];
  });
  return keys.flatMap((key) => (key.startsWith('f:') ? [key.slice(2)] : []));
}

/** Longer values are kept as their hash: `kubectl apply` stores the whole Secret in an annotation. */
const maxKeptLength = 253;

/** The kept form of a label's or annotation's value, for comparison. */
export const keptValue = (value: string): string => (value.length > maxKeptLength ? `sha256:${hashOf(value)}` : value);

/** What a kubelet reads of a pull secret: the content is kept, and nothing else. */
export function withDockerConfig({ apiVersion = 'v1', kind = 'Secret', metadata, type, data = {} }: SecretObject): SecretObject {
  const config = [dockerConfigKey, legacyDockerConfigKey].flatMap((key) => (data[key] === undefined ? [] : [[key, data[key]]]));
  return { apiVersion, kind, ...(metadata && { metadata }), ...(type !== undefined && { type }), data: Object.fromEntries(config) };
}
