/**
 * The entrance of this folder: a reader that answers repeated reviews without reading them. With `plainReader` in the place of
 * `cachedReader`, and without the folder, everything works as before at twice the CPU (docs/design/request-path.md).
 */
import { LRUCache } from 'lru-cache';
import type { Identity } from '../admission/identity.ts';
import { maxUidLength } from '../admission/review.ts';
import { decided, plainReader, type Decide, type ReviewFormat, type ReviewReader } from '../admission/review-reader.ts';
import type { IdentityName } from '../pod/fields.ts';
import { byteSelection, identitySlots } from './byte-selection.ts';
import { RepeatedBodies, type Fingerprint, type SelectionOf } from './repeated-bodies.ts';
import { placeholder, selectFields, type IdentitySpans, type Span } from './select-fields.ts';

interface Entry<T> {
  readonly decision: T;
  /** `placeholder` where the string is in the body. */
  readonly identity: Identity;
}

/** A cluster that starts many pods at once starts few kinds of them. */
const maxEntries = 500;
/** Characters. The key of a pod with twenty containers has 4,000; a review with a longer key is decided anew each time. */
const maxKeyLength = 8_192;
/** Bytes. The selected fields of a review are some thousand; a review with more is parsed as a whole. Used again for each review. */
const out = Buffer.alloc(64 * 1024);

export function cachedReader<T>(format: ReviewFormat, decide: Decide<T>): ReviewReader<T> {
  const selectionOf: SelectionOf = (length) => byteSelection(format.fields(length));
  const repeated = new RepeatedBodies(selectionOf);
  const entries = new LRUCache<string, Entry<T>>({ max: maxEntries });
  const plain = plainReader(format, decide);
  return (body) => {
    const length = body.length - 1;
    const fingerprint = repeated.find(body, length) ?? fingerprintOf(body, selectionOf, repeated);
    if (fingerprint === 'too deep') return { ok: false, code: 'BODY_NOT_JSON', problem: 'the body nests too deep' };
    if (fingerprint === null) return plain(body);
    const { key, identitySpans } = fingerprint;
    const known = entries.get(key);
    if (known !== undefined) return { ok: true, identity: actual(known.identity, body, identitySpans), decision: known.decision };
    const document: unknown = JSON.parse(Buffer.from(key, 'latin1').toString('utf8'));
    const read = decided(format.read(document, format.fields(length)), decide);
    if (!read.ok) return read;
    if (key.length <= maxKeyLength) entries.set(key, { decision: read.decision, identity: read.identity });
    return { ...read, identity: actual(read.identity, body, identitySpans) };
  };
}

/** Null for a body that must be parsed as a whole. */
function fingerprintOf(bytes: Buffer, selectionOf: SelectionOf, repeated: RepeatedBodies): Fingerprint | 'too deep' | null {
  const length = bytes.length - 1;
  const selected = selectFields({ bytes, length }, selectionOf(length), out);
  if (!selected.ok) return selected.error.reason === 'deep' ? 'too deep' : null;
  const { identitySpans } = selected;
  if (identitySpans === null || !identitySpans.every(isShort)) return null;
  // One character for each byte.
  const key = out.toString('latin1', 0, selected.length);
  repeated.learn({ bytes, length }, key);
  return { key, identitySpans };
}

/** Long strings bypass the cache, because only the whole reader validates the length of the uid. */
function isShort(span: Span | undefined): boolean {
  return span === undefined || span.end - span.start <= maxUidLength;
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
