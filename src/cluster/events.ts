/** Events for `kubectl events`: repeated events are one object with a count. */
import type { KubernetesObject } from '@kubernetes/client-node';
import { LRUCache } from 'lru-cache';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

import { printable } from '../text/printable.ts';
import { readJson } from './api-response.ts';
import { describeError, isNotFound } from './api-error.ts';
import type { Cluster } from './connection.ts';
import { microTime } from './lease-resource.ts';

export interface EventDetails {
  /** The object that the event is about, with apiVersion, kind and metadata (name, namespace, uid). */
  readonly regarding: KubernetesObject;
  /** One word in upper camel case, such as `SecretNotOurs`. */
  readonly reason: string;
  readonly message: string;
  readonly type: 'Normal' | 'Warning';
  /** The action taken or attempted, one word, such as `CopySecret`. */
  readonly action: string;
}

/** Repetitions within this time are counted on the same event, as in client-go. */
const sameEvent = 6 * 60_000;
/** The count is written at most this often: an error in a loop must not cause writes in a loop. */
const countInterval = 60_000;
const remembered = 1000;
/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
const maxNoteBytes = 1024;
const reportingController = 'transship.dev/controller';

interface Series {
  path: string | null;
  count: number;
  /** On the monotonic clock. */
  written: number;
}

const seriesOf = new WeakMap<Cluster, LRUCache<string, Series>>();

/**
 * Never rejects: a failure to record an event must not fail the caller.
 *
 * @returns the reason why it was not recorded; null when it was recorded or counted
 */
export async function recordEvent(cluster: Cluster, event: EventDetails): Promise<string | null> {
  try {
    await record(cluster, event);
    return null;
  } catch (error) {
    return describeError(error);
  }
}

async function record(cluster: Cluster, event: EventDetails): Promise<void> {
  const known = knownSeries(cluster);
  const key = keyOf(event);
  const series = known.get(key);
  if (series === undefined) {
    // Before the call, so that a concurrent equal event is counted instead of written again.
    const first: Series = { path: null, count: 1, written: performance.now() };
    known.set(key, first);
    first.path = await create(cluster, event).catch((error: unknown) => {
      known.delete(key);
      throw error;
    });
    return;
  }
  series.count++;
  known.set(key, series);
  if (series.path === null || performance.now() - series.written < countInterval) return;
  series.written = performance.now();
  await count(cluster, series.path, series.count).catch((error: unknown) => {
    // Events expire after an hour by default: this one is gone, so a new one is created.
    if (isNotFound(error)) known.delete(key);
    throw error;
  });
}

function knownSeries(cluster: Cluster): LRUCache<string, Series> {
  const known = seriesOf.get(cluster) ?? new LRUCache<string, Series>({ max: remembered, ttl: sameEvent });
  seriesOf.set(cluster, known);
  return known;
}

const keyOf = ({ regarding: { kind, metadata }, reason, message, type, action }: EventDetails): string =>
  JSON.stringify([kind, metadata?.namespace, metadata?.name, metadata?.uid, reason, message, type, action]);

/** Resolves to the path of the new event. */
async function create(cluster: Cluster, { regarding, reason, message, type, action }: EventDetails): Promise<string> {
  const { apiVersion, kind, metadata } = regarding;
  // Events about cluster-scoped objects belong to `default`; the API server rejects other namespaces.
  const namespace = metadata?.namespace ?? 'default';
  const name = `${metadata?.name ?? 'unknown'}.${randomBytes(8).toString('hex')}`;
  const collection = `/apis/events.k8s.io/v1/namespaces/${namespace}/events`;
  const body = {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name, namespace },
    eventTime: microTime(),
    reportingController,
    reportingInstance: hostname().slice(0, 128),
    regarding: { apiVersion, kind, name: metadata?.name, namespace: metadata?.namespace, uid: metadata?.uid },
    reason,
    action,
    type,
    note: shortened(printable(message)),
  };
  await readJson(`POST ${collection}`, await cluster.request(collection, { method: 'POST', body }));
  return `${collection}/${name}`;
}

async function count(cluster: Cluster, path: string, occurrences: number): Promise<void> {
  const body = { series: { count: occurrences, lastObservedTime: microTime() } };
  await readJson(`PATCH ${path}`, await cluster.request(path, { method: 'PATCH', contentType: 'application/merge-patch+json', body }));
}

/** The limit is in bytes. */
function shortened(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= maxNoteBytes) return message;
  return `${new TextDecoder().decode(bytes.subarray(0, maxNoteBytes - 6)).replace(/\uFFFD+$/, '')}…`;
}
