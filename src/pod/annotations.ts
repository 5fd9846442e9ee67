/** The annotations that decisions read, and the one that records the original images of a pod. */
import { add, remove, replace, type Operation } from '../patch/operations.ts';
import { token } from '../patch/pointer.ts';
import { measured, member, objectOf, scalar, text, type ObjectFields, type Untrusted } from './fields.ts';
import { isObject } from './json.ts';

/** Annotation of pods that the kubelet creates from a file: the API object only mirrors them. */
export const mirrorAnnotation = 'kubernetes.io/config.mirror';

/** JSON object: container name (or `volume.` and the volume's name) to the image as written. */
export const originalImagesAnnotation = 'transship.dev/original-images';

/** In bytes. Entries that do not fit are omitted: a record must not prevent the creation of a pod. */
export const maxRecordLength = 16 * 1024;

/** All annotations of an object, keys and values, in bytes (kubernetes/apimachinery, pkg/api/validation/objectmeta.go). */
const maxTotalLength = 256 * 1024;

/** Below this body size the longest record always fits: an invalid byte becomes U+FFFD, three bytes in UTF-8. */
const alwaysFits = Math.floor((maxTotalLength - maxRecordLength - originalImagesAnnotation.length) / 3);

const decidingAnnotations = objectOf({ [mirrorAnnotation]: scalar, [originalImagesAnnotation]: scalar });
export type AnnotationFields = typeof decidingAnnotations;

/** Includes the length of the others, because their total length is limited. */
export const measuredAnnotations: AnnotationFields = measured(decidingAnnotations);

/** The annotations that decisions read in a review of that length in bytes. */
export function annotationFields(reviewLength: number): AnnotationFields {
  return reviewLength <= alwaysFits ? decidingAnnotations : measuredAnnotations;
}

/** Images by container name, or by `volume.` and the volume's name. */
export type Originals = ReadonlyMap<string, string>;

/** The annotations in the form that decisions need. */
export interface Annotations {
  readonly isMirror: boolean;
  /** The value of `transship.dev/original-images`; null if it is absent or not a string. */
  readonly record: string | null;
  /** The recorded images; empty if it is absent or not a JSON object. */
  readonly originals: Originals;
  /** Maximum length of the record in bytes. */
  readonly maxRecordLength: number;
  /** Whether all annotations together exceed the API server's limit. */
  readonly isTooLong: boolean;
  /** What a patch must add first: nothing, the map of annotations, or `impossible` if there is no metadata to hold it. */
  readonly missing: 'none' | 'map' | 'impossible';
}

type Metadata = Untrusted<ObjectFields<{ readonly annotations: AnnotationFields }>>;

/** @param othersLength bytes of the undeclared annotations; null to measure them */
export function annotationsOf(metadata: Metadata, othersLength: number | null): Annotations {
  const annotations = member(metadata, 'annotations');
  const record = text(annotations, originalImagesAnnotation);
  const mirror = text(annotations, mirrorAnnotation);
  const others =
    (isObject(annotations) ? (othersLength ?? lengthOfOthers(annotations)) : 0) +
    (mirror === null ? 0 : mirrorAnnotation.length + utf8Length(mirror));
  const available = maxTotalLength - others - originalImagesAnnotation.length;
  return {
    isMirror: mirror !== null,
    record,
    // A longer one was not written by transship.
    originals: record === null || record.length > maxRecordLength ? new Map() : parseOriginals(record),
    maxRecordLength: Math.max(0, Math.min(maxRecordLength, available)),
    isTooLong: others > maxTotalLength || (record !== null && utf8Length(record) > available),
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
 * Adds to the record. Entries of other containers are kept, so that a second call (reinvocation) keeps those of the first.
 */
export function recordOriginals(annotations: Annotations, rewritten: Originals): Operation[] {
  const { record: before, originals, missing } = annotations;
  if (rewritten.size === 0 || missing === 'impossible') return [];
  const after = serialize([...originals, ...rewritten]);
  if (after === before) return [];
  const path = `/metadata/annotations/${token(originalImagesAnnotation)}`;
  if (after === null || after.length > annotations.maxRecordLength) {
    // The older record about these containers is now wrong, and no record is better than a wrong one.
    const isStale = before !== null && (before.length > maxRecordLength || [...rewritten.keys()].some((key) => originals.has(key)));
    return isStale ? [remove(path)] : [];
  }
  if (missing === 'map') return [add('/metadata/annotations', { [originalImagesAnnotation]: after })];
  return [before === null ? add(path, after) : replace(path, after)];
}

/**
 * JSON in ASCII, so that its length in characters is its length in bytes; null if nothing fits. Of two entries with one key the later one
 * wins, even if it does not fit.
 */
function serialize(entries: readonly (readonly [string, string])[]): string | null {
  const members = new Map<string, string>();
  let length = 2;
  for (const [key, image] of entries) {
    const added = `${ascii(JSON.stringify(key))}:${ascii(JSON.stringify(image))}`;
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

/** Includes the comma; the last entry has none, so the record may be one byte shorter than possible. */
function separatedLength(written: string | undefined): number {
  return written === undefined ? 0 : written.length + 1;
}

function ascii(json: string): string {
  return json.replace(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Counted up to the limit. */
function lengthOfOthers(annotations: object): number {
  let length = 0;
  for (const [key, value] of Object.entries(annotations)) {
    if (key === originalImagesAnnotation || key === mirrorAnnotation || typeof value !== 'string') continue;
    length += utf8Length(key) + utf8Length(value);
    if (length > maxTotalLength) break;
  }
  return length;
}

/** In bytes; a lone surrogate becomes U+FFFD. Strings longer than the limit are not counted to their end. */
function utf8Length(string: string): number {
  if (string.length > maxTotalLength) return string.length;
  let length = string.length;
  for (let index = 0; index < string.length; index += 1) {
    const unit = string.charCodeAt(index);
    if (unit < 0x80) continue;
    length += unit < 0x800 ? 1 : 2;
    // The second half of a surrogate pair: together they are four bytes.
    if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(string.charCodeAt(index + 1))) index += 1;
  }
  return length;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
