/** The annotation that records what a pod said before it was rewritten. */
import { add, remove, replace, type Operation } from '../patch/operations.ts';
import { token } from '../patch/pointer.ts';
import { isObject } from './json.ts';
import type { PodContent } from './pod.ts';

/** JSON object: container name (or `volume.` and the volume's name) to the image as it was written. */
export const originalImagesAnnotation = 'transship.dev/original-images';

/** Bytes. What does not fit is left out: a record must not keep a pod from being made. */
export const maximumRecordLength = 16 * 1024;

/** All annotations of an object, keys and values, in bytes (kubernetes/apimachinery, pkg/api/validation/objectmeta.go). */
const maximumTotalLength = 256 * 1024;

/** Bytes of JSON in which there cannot be too many annotations for one more record: each of them becomes three at most, a broken one U+FFFD. */
export const alwaysFits = Math.floor((maximumTotalLength - maximumRecordLength - originalImagesAnnotation.length) / 3);

export type Originals = ReadonlyMap<string, string>;

/** What is recorded already; empty when the annotation is absent or not ours to understand. */
export function readOriginals(pod: PodContent): Originals {
  const written = pod.annotations?.[originalImagesAnnotation];
  if (written === undefined) return new Map();
  try {
    const value: unknown = JSON.parse(written);
    return new Map(isObject(value) ? Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string') : []);
  } catch {
    return new Map();
  }
}

/**
 * Adds to the record. Entries of other containers stay, so that a second call (reinvocation) keeps what the first one wrote.
 */
export function recordOriginals(pod: PodContent, rewritten: Originals): Operation[] {
  if (rewritten.size === 0 || !pod.hasMetadata) return [];
  const before = pod.annotations?.[originalImagesAnnotation];
  const recorded = readOriginals(pod);
  const after = serialize([...recorded, ...rewritten]);
  if (after === before) return [];
  const path = `/metadata/annotations/${token(originalImagesAnnotation)}`;
  if (after === null || !fits(pod, after.length)) {
    // What an older record says about these containers has just become wrong, and no record is better than that.
    return [...rewritten.keys()].some((key) => recorded.has(key)) ? [remove(path)] : [];
  }
  if (pod.annotations === null) return [add('/metadata/annotations', { [originalImagesAnnotation]: after })];
  return [before === undefined ? add(path, after) : replace(path, after)];
}

/**
 * JSON in ASCII, so that its length in characters is its length in bytes; null when nothing fits. Of two entries with one key
 * the later one counts, also where it does not fit.
 */
function serialize(entries: readonly (readonly [string, string])[]): string | null {
  const members = new Map<string, string>();
  let length = 2;
  for (const [key, image] of entries) {
    const added = `${ascii(JSON.stringify(key))}:${ascii(JSON.stringify(image))}`;
    length -= separatedLength(members.get(key));
    if (length + separatedLength(added) > maximumRecordLength) {
      members.delete(key);
      continue;
    }
    length += separatedLength(added);
    members.set(key, added);
  }
  return members.size === 0 ? null : `{${[...members.values()].join(',')}}`;
}

/** With the comma; the last one has none, so the record may be one byte shorter than it could. */
function separatedLength(written: string | undefined): number {
  return written === undefined ? 0 : written.length + 1;
}

function ascii(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function fits(pod: PodContent, added: number): boolean {
  const own = originalImagesAnnotation.length + added;
  const others = Object.entries(pod.annotations ?? {}).filter(([key]) => key !== originalImagesAnnotation);
  const texts = others.flat();
  const units = texts.reduce((sum, text) => sum + text.length, own);
  // A UTF-16 unit is at most three bytes in UTF-8, so nearly every pod is decided without encoding anything.
  if (units * 3 <= maximumTotalLength) return true;
  const encoder = new TextEncoder();
  return texts.reduce((sum, text) => sum + encoder.encode(text).length, own) <= maximumTotalLength;
}
