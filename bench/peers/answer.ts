/** Whether a webhook did the task: its patch is applied to the pod, and every image is looked at. */
import fastJsonPatch from 'fast-json-patch';
import { mirror, source } from './peer.ts';

interface Container {
  readonly image: string;
}

interface Pod {
  readonly spec: { readonly initContainers?: readonly Container[]; readonly containers: readonly Container[] };
}

/**
 * @param review as it was sent
 * @returns whether all images of quay.io are at the mirror, with their whole name, and everything is allowed
 */
export function isRewritten(review: string, answer: unknown): boolean {
  const patch = patchOf(answer);
  if (patch === null) return false;
  const { object }: { object: Pod } = JSON.parse(review).request;
  const before = imagesOf(object);
  try {
    const after = imagesOf(fastJsonPatch.applyPatch(structuredClone(object), patch, true).newDocument);
    return before.length > 0 && before.every((image, index) => image.startsWith(`${source}/`) && after[index] === `${mirror}/${image}`);
  } catch {
    return false;
  }
}

function patchOf(answer: unknown): fastJsonPatch.Operation[] | null {
  const response = fieldOf(answer, 'response');
  const patch = fieldOf(response, 'patch');
  if (fieldOf(response, 'allowed') !== true || typeof patch !== 'string') return null;
  try {
    const operations: unknown = JSON.parse(Buffer.from(patch, 'base64').toString());
    return Array.isArray(operations) ? operations : null;
  } catch {
    return null;
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function imagesOf({ spec: { initContainers = [], containers } }: Pod): string[] {
  return [...initContainers, ...containers].map(({ image }) => image);
}
