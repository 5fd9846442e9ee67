/** Lists a resource page by page, so that a large cluster is never in memory as a whole. */
import type { KubernetesObject } from '@kubernetes/client-node';

import { readJson, unlikeKubernetes } from './api-response.ts';
import type { Cluster } from './connection.ts';

export interface ListedPage<T> {
  readonly items: readonly T[];
  /** The resourceVersion of the whole list; a watch continues from it. */
  readonly resourceVersion: string;
}

export interface ListRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly pageSize: number;
  readonly signal: AbortSignal;
  /** Called for each page. */
  readonly onActivity: () => void;
}

interface ListBody<T> {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly T[] | null;
}

function isListed(item: unknown): boolean {
  return typeof item === 'object' && item !== null;
}

/**
 * Lists the newest state: sends no resourceVersion.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
 *
 * @throws ApiError, OperatorError (API_RESPONSE_INVALID); 410 between pages means that the continue token expired and the list must start again
 */
export async function* listPages<T extends KubernetesObject>(
  cluster: Cluster,
  { path, query, pageSize, signal, onActivity }: ListRequest,
): AsyncGenerator<ListedPage<T>> {
  let next: string | undefined;
  do {
    const response = await cluster.request(path, { query: { ...query, limit: pageSize, continue: next }, signal });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked below as far as it is used
    const body = (await readJson(`list ${path}`, response)) as ListBody<T>;
    onActivity();
    const resourceVersion = body.metadata?.resourceVersion;
    const items = body.items ?? [];
    if (resourceVersion === undefined || !Array.isArray(items) || !items.every(isListed))
      throw unlikeKubernetes(`list ${path}`, 'is not a list with a resourceVersion');
    yield { items: items.map((item: T) => withType(item, body)), resourceVersion };
    next = body.metadata?.continue;
  } while (next !== undefined && next !== '');
}

/** Items of a list lack apiVersion and kind, objects of a watch have them. Adds them here. */
function withType<T extends KubernetesObject>(item: T, { apiVersion, kind }: ListBody<T>): T {
  if (apiVersion === undefined || kind === undefined) return item;
  return { apiVersion, kind: kind.replace(/List$/, ''), ...item };
}
