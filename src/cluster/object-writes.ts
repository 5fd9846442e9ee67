/** Writes with a timeout. Objects are created only where none exists, and changed or deleted only in the version that was read. */
import type { KubernetesObject } from '@kubernetes/client-node';

import { readJson } from './api-response.ts';
import type { Cluster } from './connection.ts';
import { resourcePath } from './resource-path.ts';

/**
 * Metadata for a write to this object and no other version of it; empty for one that does not exist. The resourceVersion alone is not enough:
 * where the object has been deleted since, the API server takes an apply for a creation.
 */
export function preconditionsOf(seen: KubernetesObject | null): { uid?: string; resourceVersion?: string } {
  const { uid, resourceVersion } = seen?.metadata ?? {};
  return { ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }) };
}

/** Owner of the fields that transship writes. https://kubernetes.io/docs/reference/using-api/server-side-apply/#managers */
export const fieldManager = 'transship-controller';
/** Milliseconds. */
const writeTimeout = 15_000;

/**
 * Uses POST: an apply would adopt an existing object of that name.
 *
 * @returns its resourceVersion
 * @throws ApiError 409 when the object exists
 */
export async function createObject(cluster: Cluster, object: KubernetesObject, signal: AbortSignal): Promise<string> {
  const path = resourcePath(object).replace(/\/[^/]*$/, '');
  return versionOf(await send(cluster, `POST ${path}`, { method: 'POST', path, query: { fieldManager }, body: object, signal }));
}

/**
 * Server-side apply. With the `preconditionsOf` an object, fails when it has changed or was deleted since.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/
 *
 * @returns the resourceVersion
 * @throws ApiError 409
 */
export async function applyObject(cluster: Cluster, object: KubernetesObject, signal: AbortSignal): Promise<string> {
  const path = resourcePath(object);
  const details = {
    method: 'PATCH',
    path,
    query: { fieldManager, force: true },
    body: object,
    contentType: 'application/apply-patch+yaml',
    signal,
  };
  return versionOf(await send(cluster, `apply ${path}`, details));
}

/**
 * JSON merge patch (RFC 7386). With metadata.uid and metadata.resourceVersion in the patch, fails when the object has changed since.
 *
 * @returns the resourceVersion
 * @throws ApiError 409
 */
export async function patchObject(cluster: Cluster, object: KubernetesObject, patch: object, signal: AbortSignal): Promise<string> {
  const path = resourcePath(object);
  const details = { method: 'PATCH', path, query: { fieldManager }, body: patch, contentType: 'application/merge-patch+json', signal };
  return versionOf(await send(cluster, `PATCH ${path}`, details));
}

/**
 * Strategic merge patch, which finds the elements of a list by their name. As `patchObject` with metadata.uid and metadata.resourceVersion.
 * https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/
 *
 * @returns the object as it was stored
 * @throws ApiError 409
 */
export async function strategicPatch<T extends KubernetesObject>(
  cluster: Cluster,
  object: KubernetesObject,
  patch: object,
  signal: AbortSignal,
): Promise<T> {
  const path = resourcePath(object);
  const contentType = 'application/strategic-merge-patch+json';
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server answers with the object
  return (await send(cluster, `PATCH ${path}`, { method: 'PATCH', path, query: { fieldManager }, body: patch, contentType, signal })) as T;
}

/** @throws ApiError 409 when the object was replaced or has changed since; 404 when it does not exist */
export async function deleteObject(cluster: Cluster, object: KubernetesObject, signal: AbortSignal): Promise<void> {
  const path = resourcePath(object);
  const { uid, resourceVersion } = object.metadata ?? {};
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
  await send(cluster, `DELETE ${path}`, { method: 'DELETE', path, body, signal });
}

/** @throws ApiError 404 */
export async function readObject(cluster: Cluster, object: KubernetesObject, signal: AbortSignal): Promise<KubernetesObject> {
  const path = resourcePath(object);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server answers with the object
  return (await send(cluster, `GET ${path}`, { path, signal })) as KubernetesObject;
}

type Sent = NonNullable<Parameters<Cluster['request']>[1]> & { readonly path: string; readonly signal: AbortSignal };

async function send(cluster: Cluster, what: string, { path, signal, ...details }: Sent): Promise<unknown> {
  return readJson(what, await cluster.request(path, { ...details, signal: AbortSignal.any([signal, AbortSignal.timeout(writeTimeout)]) }));
}

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server answers with the object
const versionOf = (answer: unknown): string => (answer as KubernetesObject).metadata?.resourceVersion ?? '';
