/** One watch request as a stream of events. Every line is checked; none is dropped silently. */
import type { KubernetesObject } from '@kubernetes/client-node';

import { apiErrorOf } from './api-response.ts';
import { ApiError } from './api-error.ts';
import type { Cluster } from './connection.ts';

/** https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes */
export interface RawWatchEvent<T> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: T;
}

export class WatchLineError extends Error {
  readonly code = 'WATCH_LINE_INVALID';
}

export interface WatchRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly signal: AbortSignal;
  /** Called for the headers and for every chunk. */
  readonly onActivity: () => void;
}

/** etcd stores objects of at most 1.5 MiB; JSON with managed fields is somewhat larger. */
const maxLineLength = 16 * 1024 * 1024;

/**
 * Ends when the server ends the stream.
 *
 * @throws ApiError for a status other than 200 and for an ERROR event, WatchLineError for a line that is not an event, undici's error for a
 * broken connection
 */
export async function* watchEvents<T extends KubernetesObject>(
  cluster: Cluster,
  { path, query, signal, onActivity }: WatchRequest,
): AsyncGenerator<RawWatchEvent<T>> {
  const response = await cluster.request(path, { query: { ...query, watch: true }, signal });
  onActivity();
  if (response.status !== 200) throw await apiErrorOf(`watch ${path}`, response);
  for await (const line of linesOf(response.body, onActivity)) yield parseEvent<T>(path, line);
}

async function* linesOf(body: AsyncIterable<Uint8Array>, onActivity: () => void): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest: string[] = [];
  let length = 0;
  for await (const chunk of body) {
    onActivity();
    const [first = '', ...others] = decoder.decode(chunk, { stream: true }).split('\n');
    rest.push(first);
    length += first.length;
    if (length > maxLineLength) throw new WatchLineError(`a line of the watch is longer than ${maxLineLength} characters`);
    for (const part of others) {
      yield rest.join('');
      rest = [part];
      length = part.length;
    }
  }
  if (length > 0) yield rest.join('');
}

function parseEvent<T extends KubernetesObject>(path: string, line: string): RawWatchEvent<T> {
  const { type, object } = parseLine(path, line);
  if (type === 'ERROR') throw new ApiError(`watch ${path}`, codeOf(object), object);
  const known = type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED' || type === 'BOOKMARK';
  if (!known || !isVersioned(object)) throw new WatchLineError(`watch ${path}: an event without a known type or without a resourceVersion`);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server answers with objects of the path's kind
  return { type, object: object as T };
}

/** Never quotes the line: it may contain a Secret. */
function parseLine(path: string, line: string): { readonly type?: unknown; readonly object?: unknown } {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Reported below, without the text that JSON.parse would quote.
  }
  throw new WatchLineError(`watch ${path}: a line of ${line.length} characters is not a JSON object`);
}

function isVersioned(object: unknown): boolean {
  if (typeof object !== 'object' || object === null || !('metadata' in object)) return false;
  const { metadata } = object;
  return typeof metadata === 'object' && metadata !== null && 'resourceVersion' in metadata && typeof metadata.resourceVersion === 'string';
}

const codeOf = (status: unknown): number =>
  typeof status === 'object' && status !== null && 'code' in status && typeof status.code === 'number' ? status.code : 500;
