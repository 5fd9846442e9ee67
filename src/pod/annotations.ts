/** The annotations that decisions read, and the one that records what a pod said before it was rewritten. */
import { add, remove, replace, type Operation } from '../patch/operations.ts';
import { token } from '../patch/pointer.ts';
import { measured, member, objectOf, scalar, text, type ObjectFields, type Untrusted } from './fields.ts';
import { isObject } from './json.ts';

/** Annotation of pods that the kubelet made from a file: the API object is only their mirror. */
export const mirrorAnnotation = 'kubernetes.io/config.mirror';

/** JSON object: container name (or `volume.` and the volume's name) to the image as it was written. */
export const originalImagesAnnotation = 'transship.dev/original-images';

/** Bytes. What does not fit is left out: a record must not keep a pod from being made. */
export const maxRecordLength = 16 * 1024;

/** All annotations of an object, keys and values, in bytes (kubernetes/apimachinery, pkg/api/validation/objectmeta.go). */
const maxTotalLength = 256 * 1024;

/** Below this body size the longest record always fits: an invalid byte becomes U+FFFD, three bytes in UTF-8. */
const alwaysFits = Math.floor((maxTotalLength - maxRecordLength - originalImagesAnnotation.length) / 3);

const decidingAnnotations = objectOf({ [mirrorAnnotation]: scalar, [originalImagesAnnotation]: scalar });
export type AnnotationFields = typeof decidingAnnotations;

/** With the length of the others, because their total length is limited. */
export const measuredAnnotations: AnnotationFields = measured(decidingAnnotations);

/** The annotations that decisions read in a review of that many bytes. */
export function annotationFields(reviewLength: number): AnnotationFields {
  return reviewLength <= alwaysFits ? decidingAnnotations : measuredAnnotations;
}

/** Images by container name, or by `volume.` and the volume's name. */
export type Originals = ReadonlyMap<string, string>;

/** What the annotations say, as far as a decision needs it. */
export interface Annotations {
  readonly isMirror: boolean;
  /** The value of `transship.dev/original-images`; null when it is absent or no string. */
  readonly record: string | null;
  /** What it records; empty when it is absent or not a JSON object. */
  readonly originals: Originals;
  /** Bytes that the record may have. */
  readonly maxRecordLength: number;
  /** Whether all of them together are longer than the API server allows. */
  readonly isTooLong: boolean;
  /** What a patch must make first: nothing, the map of annotations, or `impossible` when there is no metadata to hold it. */
  readonly missing: 'none' | 'map' | 'impossible';
}

type Metadata = Untrusted<ObjectFields<{ readonly annotations: AnnotationFields }>>;

/** @param othersLength bytes of the annotations that are not declared; null to measure them */
export function annotationsOf(metadata: Metadata, othersLength: number | null): Annotations {
  const annotations = member(metadata, 'annotations');
  const record = text(annotations, originalImagesAnnotation);
  const mirror = text(annotations, mirrorAnnotation);
  const others =
    (isObject(annotations) ? (othersLength ?? lengthOfOthers(annotations)) : 0) +
    (mirror === null ? 0 : mirrorAnnotation.length + utf8Length(mirror));
  const room = maxTotalLength - others - originalImagesAnnotation.length;
  return {
    isMirror: mirror !== null,
    record,
    // A longer one is not ours.
    originals: record === null || record.length > maxRecordLength ? new Map() : parseOriginals(record),
    maxRecordLength: Math.max(0, Math.min(maxRecordLength, room)),
    isTooLong: others > maxTotalLength || (record !== null && utf8Length(record) > room),
    missing: missingFor(metadata, annotations),
  };
}

function missingFor(metadata: Metadata, annotations: unknown): Annotations['missing'] {
  if (isObject(annotations)) return 'none';
  return isObject(metadata) && (annotations === undefined || annotations === null) ? 'map' : 'impossible';
}

function parseOriginals(record: string): Originals {
  try {
    const value: unknown = JSON.parse(record);
    return new Map(isObject(value) ? Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string') : []);
  } catch {
    return new Map();
  }
}

/**
 * Adds to the record. Entries of other containers stay, so that a second call (reinvocation) keeps what the first one wrote.
 */
export function recordOriginals(annotations: Annotations, rewritten: Originals): Operation[] {
  const { record: before, originals, missing } = annotations;
  if (rewritten.size === 0 || missing === 'impossible') return [];
  const after = serialize([...originals, ...rewritten]);
  if (after === before) return [];
  const path = `/metadata/annotations/${token(originalImagesAnnotation)}`;
  if (after === null || after.length > annotations.maxRecordLength) {
    // What an older record says about these containers has just become wrong, and no record is better than that.
    const isStale = before !== null && (before.length > maxRecordLength || [...rewritten.keys()].some((key) => originals.has(key)));
    return isStale ? [remove(path)] : [];
  }
  if (missing === 'map') return [add('/metadata/annotations', { [originalImagesAnnotation]: after })];
  return [before === null ? add(path, after) : replace(path, after)];
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
    // In a long list most entries do not fit, and need not be written to see that.
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

/** With the comma; the last one has none, so the record may be one byte shorter than it could. */
function separatedLength(written: string | undefined): number {
  return written === undefined ? 0 : written.length + 1;
}

function ascii(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Counted no further than the limit. */
function lengthOfOthers(annotations: object): number {
  let length = 0;
  for (const [key, value] of Object.entries(annotations)) {
    if (key === originalImagesAnnotation || key === mirrorAnnotation || typeof value !== 'string') continue;
    length += utf8Length(key) + utf8Length(value);
    if (length > maxTotalLength) break;
  }
  return length;
}

/** Bytes; half of a surrogate pair becomes U+FFFD. Longer strings than the limit are not counted to their end. */
function utf8Length(string: string): number {
  if (string.length > maxTotalLength) return string.length;
  let length = string.length;
  for (let index = 0; index < string.length; index += 1) {
    const unit = string.charCodeAt(index);
    if (unit < 0x80) continue;
    length += unit < 0x800 ? 1 : 2;
    // The second half of a pair: together they are four bytes.
    if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(string.charCodeAt(index + 1))) index += 1;
  }
  return length;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
