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
  /** The entries of a text that is new, as written, by key; null where there is none. */
  readonly members: ReadonlyMap<string, string> | null;
}

const none: ReadonlySet<string> = new Set();

/**
 * Adds to the records. Entries of other containers are kept, so that a second call (reinvocation) keeps those of the first, except stale ones.
 * Where there is no space for both, the original images come first: a longer one takes the place of the other record.
 *
 * @param stale keys of the entries to remove
 */
export function recordRewrites(annotations: Annotations, { originalImages, rewrittenBy }: NewEntries, stale = none): Operation[] {
  const { missing, recordSpace } = annotations;
  if (missing === 'impossible') return [];
  const images = changeTo({ name: originalImagesAnnotation, before: annotations.originalImages, stale }, originalImages, recordSpace);
  const space = recordSpace - recordLength(originalImagesAnnotation, images.after);
  const rules = changeOfRules({ name: rewrittenByAnnotation, before: annotations.rewrittenBy, stale }, rewrittenBy, { images, space });
  const changes = [images, rules].filter(({ before, after }) => after !== before);
  if (changes.length > 0 && missing === 'map')
    return [add('/metadata/annotations', Object.fromEntries(changes.map(({ name, after }) => [name, after ?? ''])))];
  return changes.map(operationOf);
}

interface Existing {
  readonly name: string;
  readonly before: PodRecord;
  readonly stale: ReadonlySet<string>;
}

/**
 * A rule is recorded beside its image, and not alone: by the image a second call sees that the first one rewrote it. Without it, the rule could as
 * well be that of the image before the update.
 */
function changeOfRules(
  { name, before, stale }: Existing,
  added: RecordEntries,
  { images, space }: { images: Change; space: number },
): Change {
  const { members } = images;
  const omitted = members === null ? [] : [...added.keys()].filter((key) => !members.has(key));
  const recorded = omitted.length === 0 ? added : new Map([...added].filter(([key]) => members?.has(key)));
  const isAlone = members === null && added.size > 0;
  const change = changeTo(
    { name, before, stale: omitted.length === 0 ? stale : new Set([...stale, ...omitted]) },
    recorded,
    isAlone ? 0 : space,
  );
  const isLonger = recordLength(images.name, images.after) > recordLength(images.name, images.before);
  // Beside longer images there may be no space for the text of before.
  return isLonger && recordLength(name, change.after) > space ? { ...change, after: null } : change;
}

/** @param space in bytes, for key and value */
function changeTo({ name, before: { text: before, entries }, stale }: Existing, added: RecordEntries, space: number): Change {
  const kept = [...entries].filter(([key]) => !stale.has(key));
  const hasStale = kept.length < entries.size;
  if (added.size === 0 && !hasStale) return { name, before, after: before, members: null };
  const written = serialize([...kept, ...added]);
  if (written !== null && written.text.length <= maxRecordLength && name.length + written.text.length <= space)
    return { name, before, after: written.text, members: written.members };
  // The older record about these containers is now wrong, and no record is better than a wrong one.
  const isWrong = before !== null && (hasStale || before.length > maxRecordLength || [...added.keys()].some((key) => entries.has(key)));
  return { name, before, after: isWrong ? null : before, members: null };
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
function serialize(entries: readonly (readonly [string, string])[]): { text: string; members: ReadonlyMap<string, string> } | null {
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
  return members.size === 0 ? null : { text: `{${[...members.values()].join(',')}}`, members };
}

/** Includes the comma. */
function separatedLength(written: string | undefined): number {
  return written === undefined ? 0 : written.length + 1;
}

export function asciiJson(text: string): string {
  return JSON.stringify(text).replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
