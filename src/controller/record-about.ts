/** Events about objects that are not watched. */
import type { Cluster } from '../cluster/connection.ts';
import { recordEvent, type EventDetails } from '../cluster/events.ts';
import { readObject } from '../cluster/object-writes.ts';

/** Milliseconds. */
const readTimeout = 5_000;

/** Kind and name of an object in a namespace. */
export interface ObjectName {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly namespace: string; readonly name: string };
}

/** Never rejects. @param object its uid is read */
export async function recordAbout(cluster: Cluster, object: ObjectName, details: Omit<EventDetails, 'regarding'>): Promise<void> {
  const uid = await uidOf(cluster, object);
  const regarding = { ...object, metadata: { ...object.metadata, ...(uid !== null && { uid }) } };
  await recordEvent(cluster, { regarding, ...details });
}

/** `kubectl describe` selects events by UID. Without the permission to read the object, the event is recorded without one. */
async function uidOf(cluster: Cluster, object: ObjectName): Promise<string | null> {
  const found = await readObject(cluster, object, AbortSignal.timeout(readTimeout)).catch(() => null);
  return found?.metadata?.uid ?? null;
}
