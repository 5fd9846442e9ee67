/**
 * The entry point of this folder: a reader that answers repeated reviews without parsing them, and parses only the fields of a review that
 * a decision reads. With `plainReader` in place of `cachedReader`, and without this folder, everything works as before for twice the CPU; a
 * large body then also blocks the event loop for as long as JSON.parse takes (docs/design/request-path.md).
 */
import { LRUCache } from 'lru-cache';
import type { Identity } from '../admission/identity.ts';
import { maxUidLength } from '../admission/review.ts';
import { decided, plainReader, type Decide, type ReadResult, type ReviewFormat, type ReviewReader } from '../admission/review-reader.ts';
import type { IdentityName } from '../pod/fields.ts';
import { byteSelection, identitySlots, type ByteSelection } from './byte-selection.ts';
import { placeholder, type IdentitySpans, type SelectOptions, type Span } from './field-selector.ts';
import type { JsonError } from './json-scanner.ts';
import { RepeatedBodies, type SelectionOf } from './repeated-bodies.ts';
import { SeenKeys } from './seen-keys.ts';
import { selectFields } from './select-fields.ts';

interface Entry<T> {
  readonly decision: T;
  /** `placeholder` at the position of the string in the body. */
  readonly identity: Identity;
}

/** Bytes of all cached decisions. A cluster that starts many pods at once starts few kinds of them, and one takes about 5 KiB. */
const maxDecisionBytes = 4 * 1024 * 1024;
/** Bytes of an entry in addition to its texts. */
const entryOverhead = 500;
/** In characters. The key of a pod with twenty containers has 4,000; a review with a longer key is never cached. */
const maxKeyLength = 8_192;
/** Buffer for the selected fields of a review, some thousand bytes. Reused for each review; a larger review gets its own buffer. */
const shared = Buffer.alloc(64 * 1024);
/** Maximum bytes of an invalid body that is parsed again for the error message of JSON.parse. */
const maxBrokenLength = 64 * 1024;

export interface CachedReader<T> extends ReviewReader<T> {
  /** Estimated bytes of the cache on the heap. */
  readonly bytes: () => number;
}

/** @param bytesOf bytes of a decision on the heap */
export function cachedReader<T>(format: ReviewFormat, decide: Decide<T>, bytesOf: (decision: T) => number): CachedReader<T> {
  const selectionOf: SelectionOf = (length) => byteSelection(format.fields(length));
  const repeated = new RepeatedBodies(selectionOf);
  const entries = new LRUCache<string, Entry<T>>({
    maxSize: maxDecisionBytes,
    sizeCalculation: ({ decision }, key) => entryOverhead + key.length + bytesOf(decision),
  });
  const seen = new SeenKeys();
  const plain = plainReader(format, decide);
  const read = ({ document, othersLength }: SelectedText, length: number): ReadResult<T> =>
    decided(format.read(JSON.parse(document.toString()), format.fields(length), othersLength), decide);
  const readBody: ReviewReader<T> = (body) => {
    const length = body.length - 1;
    const known = repeated.find(body, length);
    const remembered = known === null ? undefined : entries.get(known.key);
    if (known !== null && remembered !== undefined) return answered(remembered, body, known.identitySpans);
    const selected = select(body, selectionOf(length));
    if (!selected.ok) return broken(selected.error, body, plain);
    const { document, identitySpans, othersLength } = selected;
    // The full reader checks the length of the uid, and decodes strings with escapes.
    if (identitySpans === null || !identitySpans.every(isShort)) return readWithIdentity(body, selectionOf(length), read);
    if (document.length > maxKeyLength) return withIdentity(read(selected, length), body, identitySpans);
    // One character per byte.
    const key = document.toString('latin1') + (othersLength === null ? '' : String(othersLength));
    repeated.learn({ bytes: body, length }, key);
    const entry = entries.get(key);
    if (entry !== undefined) return answered(entry, body, identitySpans);
    const result = read(selected, length);
    if (result.ok && seen.isSeen(key)) entries.set(key, { decision: result.decision, identity: result.identity });
    return withIdentity(result, body, identitySpans);
  };
  return Object.assign(readBody, { bytes: () => entries.calculatedSize + repeated.bytes + seen.bytes });
}

interface SelectedText {
  /** The smaller document. Valid until the next review. */
  readonly document: Buffer;
  readonly othersLength: number | null;
}

type Selection =
  | (SelectedText & { readonly ok: true; readonly identitySpans: IdentitySpans | null })
  | { readonly ok: false; readonly error: JsonError };

function select(body: Buffer, selection: ByteSelection, options: SelectOptions = {}): Selection {
  const source = { bytes: body, length: body.length - 1 };
  const first = selectFields(source, selection, shared, options);
  if (first.ok) return { ...first, document: shared.subarray(0, first.length) };
  if (first.error.reason !== 'large') return first;
  // The selection is never longer than the body.
  const out = Buffer.allocUnsafe(body.length);
  const second = selectFields(source, selection, out, options);
  return second.ok ? { ...second, document: out.subarray(0, second.length) } : second;
}

function readWithIdentity<T>(
  body: Buffer,
  selection: ByteSelection,
  read: (selected: SelectedText, length: number) => ReadResult<T>,
): ReadResult<T> {
  const selected = select(body, selection, { copiesIdentity: true });
  return selected.ok ? read(selected, body.length - 1) : notJson(selected.error);
}

function broken<T>(error: JsonError, body: Buffer, plain: ReviewReader<T>): ReadResult<T> {
  return error.reason === 'broken' && body.length <= maxBrokenLength ? plain(body) : notJson(error);
}

function notJson({ reason, at }: JsonError): ReadResult<never> {
  const problem = reason === 'deep' ? 'the body is nested too deeply' : `the body is not JSON: byte ${at} is out of place`;
  return { ok: false, code: 'BODY_NOT_JSON', problem };
}

function isShort(span: Span | undefined): boolean {
  return span === undefined || span.end - span.start <= maxUidLength;
}

function answered<T>({ identity, decision }: Entry<T>, body: Buffer, spans: IdentitySpans): ReadResult<T> {
  return { ok: true, identity: actual(identity, body, spans), decision };
}

function withIdentity<T>(result: ReadResult<T>, body: Buffer, spans: IdentitySpans): ReadResult<T> {
  return result.ok ? { ...result, identity: actual(result.identity, body, spans) } : result;
}

function actual({ uid, name, podName, generateName, owner }: Identity, body: Buffer, spans: IdentitySpans): Identity {
  const text = (written: string, identityName: IdentityName): string => {
    const span = written === placeholder ? spans[identitySlots[identityName]] : undefined;
    return span === undefined ? written : body.toString('utf8', span.start, span.end);
  };
  return {
    uid: text(uid, 'uid'),
    name: text(name, 'name'),
    podName: text(podName, 'podName'),
    generateName: text(generateName, 'generateName'),
    owner: owner === null ? null : { kind: owner.kind, name: text(owner.name, 'ownerName') },
  };
}
