/** Events about objects, which have the uid of the object where it is known. */
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
  await recordWithUid(cluster, object, await uidOf(cluster, object), details);
}

/** Never rejects. @param uid by which `kubectl describe` selects events; undefined where it is not known */
export async function recordWithUid(
  cluster: Cluster,
  { metadata, ...kind }: ObjectName,
  uid: string | undefined,
  details: Omit<EventDetails, 'regarding'>,
): Promise<void> {
  await recordEvent(cluster, { regarding: { ...kind, metadata: { ...metadata, ...(uid !== undefined && { uid }) } }, ...details });
}

/** Undefined without the permission to read the object. */
async function uidOf(cluster: Cluster, object: ObjectName): Promise<string | undefined> {
  const found = await readObject(cluster, object, AbortSignal.timeout(readTimeout)).catch(() => null);
  return found?.metadata?.uid;
}
