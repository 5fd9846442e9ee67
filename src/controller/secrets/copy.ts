/** A copy of a pull secret: how it is written, and how an existing Secret is compared with it. */
import type { KubernetesObject } from '@kubernetes/client-node';

import { dockerConfigKey, dockerConfigType } from '../../registry/pull-secret.ts';
import {
  adoptAnnotation,
  contentAnnotation,
  copyAnnotation,
  copyOfAnnotation,
  labelValue,
  managedBy,
  managedByLabel,
  ownerLabel,
  registryLabel,
} from '../../cluster/copy-labels.ts';
import { credentialsHashOf, hashOf } from '../../registry/content-hash.ts';
import { keptValue, type SecretObject } from './seen-secret.ts';

/** What a copy holds. */
export interface Content {
  /** The docker config in base64, as in a Secret. */
  readonly encoded: string;
  readonly hash: string;
  /** Hash of the credentials alone: equal for two docker configs from which a kubelet reads the same credentials. */
  readonly credentialsHash: string | null;
}

export interface DesiredCopy {
  readonly namespace: string;
  readonly name: string;
  /** Name in the policy. */
  readonly registry: string;
  /** `namespace/name` of the source Secret, or the provider. */
  readonly source: string;
  /** From the policy, in addition to those of the controller. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Null until the source has delivered any: nothing is written, and existing copies are kept. */
  readonly content: Content | null;
}

export type CopyWithContent = DesiredCopy & { readonly content: Content };

export function contentOf(encoded: string): Content {
  return {
    encoded,
    hash: hashOf(encoded),
    credentialsHash: credentialsHashOf({ type: dockerConfigType, data: { [dockerConfigKey]: encoded } }),
  };
}

/** The whole Secret, for creation. @param owner value of the label that identifies the controller */
export function secretOf(copy: CopyWithContent, owner: string): KubernetesObject & Required<Pick<SecretObject, 'type' | 'data'>> {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: copy.namespace, name: copy.name, labels: labelsOf(copy, owner), annotations: annotationsOf(copy) },
    type: dockerConfigType,
    data: { [dockerConfigKey]: copy.content.encoded },
  };
}

/**
 * A merge patch that turns the Secret into the copy, and fails when the Secret has changed since it was seen. Labels, annotations and keys
 * of others are kept; those that the policy no longer has are removed.
 */
export function patchOf(copy: CopyWithContent, owner: string, present: SecretObject): object {
  const { uid, resourceVersion } = present.metadata ?? {};
  const labels = labelsOf(copy, owner);
  const annotations = annotationsOf(copy);
  return {
    metadata: {
      uid,
      resourceVersion,
      labels: { ...absent(staleKeys(present.ownLabels, labels)), ...labels },
      annotations: { ...absent([...staleKeys(present.ownAnnotations, annotations), adoptAnnotation]), ...annotations },
    },
    data: { [dockerConfigKey]: copy.content.encoded },
  };
}

/** Whether the Secret has the content and metadata of the copy. */
export function isAsDesired(present: SecretObject, copy: CopyWithContent, owner: string): boolean {
  const labels = labelsOf(copy, owner);
  const annotations = annotationsOf(copy);
  return (
    present.type === dockerConfigType &&
    present.contentHash === copy.content.hash &&
    includes(present.metadata?.labels, labels) &&
    includes(present.metadata?.annotations, annotations) &&
    staleKeys(present.ownLabels, labels).length === 0 &&
    staleKeys(present.ownAnnotations, annotations).length === 0
  );
}

/** Whether a pod gets the same credentials from the Secret as from the copy. */
export function hasCredentialsOf({ credentialsHash }: SecretObject, { content }: CopyWithContent): boolean {
  return credentialsHash !== undefined && credentialsHash === content.credentialsHash;
}

/** Equal for two copies that are written in the same way. */
export function signatureOf(copy: CopyWithContent): string {
  return JSON.stringify([copy.content.hash, copy.registry, copy.source, copy.labels, copy.annotations]);
}

/** Whether the Secret must be recreated to become the copy. https://kubernetes.io/docs/concepts/configuration/secret/#secret-immutable */
export function mustBeReplaced({ type, immutable, contentHash }: SecretObject, { content }: CopyWithContent): boolean {
  return type !== dockerConfigType || (immutable === true && contentHash !== content.hash);
}

type Strings = Readonly<Record<string, string>>;

function labelsOf({ labels, registry }: DesiredCopy, owner: string): Strings {
  return { ...labels, [managedByLabel]: managedBy, [ownerLabel]: owner, [registryLabel]: labelValue(registry) };
}

function annotationsOf({ annotations, namespace, name, source, content }: CopyWithContent): Strings {
  return { ...annotations, [copyAnnotation]: `${namespace}/${name}`, [copyOfAnnotation]: source, [contentAnnotation]: content.hash };
}

const includes = (present: Strings = {}, wanted: Strings): boolean =>
  Object.entries(wanted).every(([key, value]) => present[key] === keptValue(value));

const staleKeys = (own: readonly string[] = [], wanted: Strings): string[] => own.filter((key) => !Object.hasOwn(wanted, key));

const absent = (keys: readonly string[]): Record<string, null> => Object.fromEntries(keys.map((key) => [key, null]));
