/** Writes the annotations that record what was rewritten, and by which rule. */
import { add, remove, replace, type Operation } from '../patch/operations.ts';
import { token } from '../patch/pointer.ts';
import {
  maxRecordLength,
  originalImagesAnnotation,
  recordLength,
  rewrittenByAnnotation,
  type Annotations,
  type PodRecord,
  type RecordEntries,
} from './annotations.ts';

export interface NewEntries {
  /** The images as written. */
  readonly originalImages: RecordEntries;
  /** `RULE@REVISION`; empty where no revision is known. */
  readonly rewrittenBy: RecordEntries;
}

interface Change {
  readonly name: string;
  readonly before: string | null;
  readonly after: string | null;
}

const none: ReadonlySet<string> = new Set();

/**
 * Adds to the records. Entries of other containers are kept, so that a second call (reinvocation) keeps those of the first, except stale ones.
 * Where there is no space for both, the original images come first.
 *
 * @param stale keys of the entries to remove
 */
export function recordRewrites(annotations: Annotations, { originalImages, rewrittenBy }: NewEntries, stale = none): Operation[] {
  const { missing, recordSpace } = annotations;
  if (missing === 'impossible') return [];
  const changeOf = (name: string, before: PodRecord, added: RecordEntries, space: number): Change => {
    const kept = [...before.entries].filter(([key]) => !stale.has(key));
    return changeTo({ name, before, kept, hasStale: kept.length < before.entries.size }, added, space);
  };
  const images = changeOf(originalImagesAnnotation, annotations.originalImages, originalImages, recordSpace);
  const space = recordSpace - recordLength(originalImagesAnnotation, images.after);
  const rules = changeOf(rewrittenByAnnotation, annotations.rewrittenBy, rewrittenBy, space);
  const changes = [images, rules].filter(({ before, after }) => after !== before);
  if (changes.length > 0 && missing === 'map')
    return [add('/metadata/annotations', Object.fromEntries(changes.map(({ name, after }) => [name, after ?? ''])))];
  return changes.map(operationOf);
}

interface Existing {
  readonly name: string;
  readonly before: PodRecord;
  readonly kept: readonly (readonly [string, string])[];
  /** Whether entries are not kept. */
  readonly hasStale: boolean;
}

/** @param space in bytes, for key and value */
function changeTo({ name, before: { text: before, entries }, kept, hasStale }: Existing, added: RecordEntries, space: number): Change {
  if (added.size === 0 && !hasStale) return { name, before, after: before };
  const after = serialize([...kept, ...added]);
  if (after !== null && after.length <= maxRecordLength && name.length + after.length <= space) return { name, before, after };
  // The older record about these containers is now wrong, and no record is better than a wrong one.
  const isStale = before !== null && (hasStale || before.length > maxRecordLength || [...added.keys()].some((key) => entries.has(key)));
  return { name, before, after: isStale ? null : before };
}

function operationOf({ name, before, after }: Change): Operation {
  const path = `/metadata/annotations/${token(name)}`;
  if (after === null) return remove(path);
  return before === null ? add(path, after) : replace(path, after);
}

/**
 * JSON in ASCII, so that its length in characters is its length in bytes; null if nothing fits. Of two entries with one key the later one
 * wins, even if it does not fit.
 */
function serialize(entries: readonly (readonly [string, string])[]): string | null {
  const members = new Map<string, string>();
  // The braces, without the comma that the first entry does not have.
  let length = 1;
  for (const [key, image] of entries) {
    const added = `${asciiJson(key)}:${asciiJson(image)}`;
    // In a long list most entries do not fit, which can be seen without writing them.
    if (length + key.length + image.length + '"":"",'.length > maxRecordLength && !members.has(key)) continue;
    length -= separatedLength(members.get(key));
    if (length + separatedLength(added) > maxRecordLength) {
      members.delete(key);
      continue;
    }
    length += separatedLength(added);
    members.set(key, added);
  }
  return members.size === 0 ? null : `{${[...members.values()].join(',')}}`;
}

/** Includes the comma. */
function separatedLength(written: string | undefined): number {
  return written === undefined ? 0 : written.length + 1;
}

export function asciiJson(text: string): string {
  return JSON.stringify(text).replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
