/** The annotations that decisions read, and those that record what was rewritten. */
import { measured, member, objectOf, scalar, text, type ObjectFields, type Untrusted } from './fields.ts';
import { fallbackAnnotation } from './fallback-record.ts';
import { isObject } from './json.ts';

/** Annotation of pods that the kubelet creates from a file: the API object only mirrors them. */
export const mirrorAnnotation = 'kubernetes.io/config.mirror';

/** JSON object: container name (or `volume.` and the volume's name) to the image as written. */
export const originalImagesAnnotation = 'transship.dev/original-images';

/** Likewise, to `RULE@REVISION`: for people and programs, no decision reads it. */
export const rewrittenByAnnotation = 'transship.dev/rewritten-by';

/** Of each record in bytes. Entries that do not fit are omitted: a record must not prevent the creation of a pod. */
export const maxRecordLength = 16 * 1024;

/** All annotations of an object, keys and values, in bytes (kubernetes/apimachinery, pkg/api/validation/objectmeta.go). */
const maxTotalLength = 256 * 1024;

const recordAnnotations = [originalImagesAnnotation, rewrittenByAnnotation] as const;

/** Of the longest records together, keys and values, in bytes. */
const maxRecordSpace = recordAnnotations.reduce((sum, name) => sum + name.length + maxRecordLength, 0);

/** Below this body size the longest records always fit: an invalid byte becomes U+FFFD, three bytes in UTF-8. */
const alwaysFits = Math.floor((maxTotalLength - maxRecordSpace) / 3);

const decidingAnnotations = objectOf({
  [mirrorAnnotation]: scalar,
  [originalImagesAnnotation]: scalar,
  [rewrittenByAnnotation]: scalar,
  [fallbackAnnotation]: scalar,
});
export type AnnotationFields = typeof decidingAnnotations;

/** Includes the length of the others, because their total length is limited. */
export const measuredAnnotations: AnnotationFields = measured(decidingAnnotations);

/** The annotations that decisions read in a review of that length in bytes. */
export function annotationFields(reviewLength: number): AnnotationFields {
  return reviewLength <= alwaysFits ? decidingAnnotations : measuredAnnotations;
}

/** By container name, or by `volume.` and the volume's name. */
export type RecordEntries = ReadonlyMap<string, string>;

/** An annotation that transship writes: a JSON object with strings. */
export interface PodRecord {
  /** Null if it is absent or not a string. */
  readonly text: string | null;
  /** Empty if it is absent or not a JSON object. */
  readonly entries: RecordEntries;
}

/** The annotations in the form that decisions need. */
export interface Annotations {
  readonly isMirror: boolean;
  readonly originalImages: PodRecord;
  readonly rewrittenBy: PodRecord;
  /** The text of `fallbackAnnotation`; null if it is absent or not a string. */
  readonly fallback: string | null;
  /** Bytes that the records may take together, keys and values. */
  readonly recordSpace: number;
  /** Whether all annotations together exceed the API server's limit. */
  readonly isTooLong: boolean;
  /** What a patch must add first: nothing, the map of annotations, or `impossible` if there is no metadata to hold it. */
  readonly missing: 'none' | 'map' | 'impossible';
}

type Metadata = Untrusted<ObjectFields<{ readonly annotations: AnnotationFields }>>;

/** @param othersLength bytes of the undeclared annotations; null to measure them */
export function annotationsOf(metadata: Metadata, othersLength: number | null): Annotations {
  const annotations = member(metadata, 'annotations');
  const originalImages = recordOf(text(annotations, originalImagesAnnotation));
  const rewrittenBy = recordOf(text(annotations, rewrittenByAnnotation));
  const mirror = text(annotations, mirrorAnnotation);
  const fallback = text(annotations, fallbackAnnotation);
  const others =
    (isObject(annotations) ? (othersLength ?? lengthOfOthers(annotations)) : 0) +
    recordLength(mirrorAnnotation, mirror) +
    recordLength(fallbackAnnotation, fallback);
  const available = maxTotalLength - others;
  return {
    isMirror: mirror !== null,
    originalImages,
    rewrittenBy,
    fallback,
    recordSpace: Math.max(0, Math.min(maxRecordSpace, available)),
    isTooLong:
      recordLength(originalImagesAnnotation, originalImages.text) + recordLength(rewrittenByAnnotation, rewrittenBy.text) > available,
    missing: missingFor(metadata, annotations),
  };
}

/** A rule, and the revision of the policy that it is from. */
export interface Rewriter {
  readonly rule: string | null;
  readonly revision: string | null;
}

/** As `rewrittenByAnnotation` and the audit annotations have it. */
export function rewriterText({ rule, revision }: Rewriter): string {
  return `${rule}@${revision}`;
}

/** The other way round; both are null where it was not written by transship. The name of a rule may contain `@`. */
export function parseRewriter(entry: string): Rewriter {
  const at = entry.lastIndexOf('@');
  return at === -1 ? { rule: null, revision: null } : { rule: entry.slice(0, at), revision: entry.slice(at + 1) };
}

/** In bytes, with the key of the annotation. */
export function recordLength(name: string, record: string | null): number {
  return record === null ? 0 : name.length + utf8Length(record);
}

/** A longer one was not written by transship. */
function recordOf(record: string | null): PodRecord {
  return { text: record, entries: record === null || record.length > maxRecordLength ? new Map() : parseRecord(record) };
}

function missingFor(metadata: Metadata, annotations: unknown): Annotations['missing'] {
  if (isObject(annotations)) return 'none';
  return isObject(metadata) && (annotations === undefined || annotations === null) ? 'map' : 'impossible';
}

/** In the order of the text. Empty if it is not a JSON object. */
export function parseRecord(record: string): RecordEntries {
  try {
    const value: unknown = JSON.parse(record);
    if (!isObject(value)) return new Map();
    const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
    return new Map(entries.some(([key]) => isIndex(key)) ? inOrder(entries, record) : entries);
  } catch {
    return new Map();
  }
}

/** JavaScript has members with such a name first. A container may be called `1`. */
function isIndex(key: string): boolean {
  return /^\d+$/.test(key);
}

function inOrder(entries: readonly (readonly [string, string])[], record: string): (readonly [string, string])[] {
  const positions = new Map<string, number>();
  for (const [token, string = ''] of record.matchAll(/("(?:[^"\\]|\\.)*")\s*:?/g)) {
    const key: unknown = token.endsWith(':') ? JSON.parse(string) : null;
    if (typeof key === 'string' && !positions.has(key)) positions.set(key, positions.size);
  }
  return entries.toSorted(([one], [other]) => (positions.get(one) ?? 0) - (positions.get(other) ?? 0));
}

const declared: ReadonlySet<string> = new Set([mirrorAnnotation, fallbackAnnotation, ...recordAnnotations]);

/** Counted up to the limit. */
function lengthOfOthers(annotations: object): number {
  let length = 0;
  for (const [key, value] of Object.entries(annotations)) {
    if (declared.has(key) || typeof value !== 'string') continue;
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
