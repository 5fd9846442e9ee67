/**
 * The door to this folder: decisions about reviews that repeat, without reading them. Replace `cachedReader` by `plainReader`, and delete
 * the folder, and everything works as before at twice the CPU (docs/design/performance.md).
 */
import { LRUCache } from 'lru-cache';
import type { Identity } from '../admission/identity.ts';
import { maximumUidLength } from '../admission/review.ts';
import { plainReader, readDocument, type Decide, type ReadResult, type ReviewReader } from '../admission/review-reader.ts';
import { reviewShape, slots, type ShapeOf, type Slot } from './decision-fields.ts';
import { placeholder, project, type Asides, type Span } from './json-projection.ts';
import { RepeatedBodies } from './repeated-bodies.ts';

interface Entry<T> {
  readonly decision: T;
  /** `placeholder` where a string stands for itself in the body. */
  readonly identity: Identity;
}

/** What a body asks; the same for bodies that differ in identity only. */
interface Fingerprint {
  readonly key: string;
  /** Where the strings of the identity are in the body. */
  readonly spans: Asides;
}

/** A cluster that starts many pods at once starts few kinds of them. Some 5 MiB at most, see `longestKey`. */
const maximumEntries = 500;
/** Characters. A pod of twenty containers asks with 4,000; what asks with more is decided anew each time. */
const longestKey = 8_192;
/** Bytes. What decides of a review is some thousand; of one with more, all is read. Used again for each. */
const out = Buffer.alloc(64 * 1024);

/** @param labels keys of the labels that decisions read */
export function cachedReader<T>(labels: readonly string[], decide: Decide<T>): ReviewReader<T> {
  const shapeOf = reviewShape(labels);
  const repeated = new RepeatedBodies(shapeOf);
  const entries = new LRUCache<string, Entry<T>>({ max: maximumEntries });
  const plain = plainReader(decide);
  return (body) => {
    const fingerprint = repeated.find(body, body.length - 1) ?? fingerprintOf(body, shapeOf, repeated);
    if (fingerprint === 'too deep') return { ok: false, code: 'BODY_NOT_JSON', problem: 'the body nests too deep' };
    if (fingerprint === null) return plain(body);
    const { key, spans } = fingerprint;
    const known = entries.get(key);
    if (known !== undefined) return { ok: true, identity: actual(known.identity, body, spans), decision: known.decision };
    const read: ReadResult<T> = readDocument(JSON.parse(Buffer.from(key, 'latin1').toString('utf8')), decide);
    if (!read.ok) return read;
    if (key.length <= longestKey) entries.set(key, { decision: read.decision, identity: read.identity });
    return { ...read, identity: actual(read.identity, body, spans) };
  };
}

/** Null for what only a reader of the whole body can judge. */
function fingerprintOf(bytes: Buffer, shapeOf: ShapeOf, repeated: RepeatedBodies): Fingerprint | 'too deep' | null {
  const length = bytes.length - 1;
  const projected = project({ bytes, length }, shapeOf(length), out);
  if (!projected.ok) return projected.error.reason === 'deep' ? 'too deep' : null;
  if (projected.asides === null || !projected.asides.every(isShort)) return null;
  // A character for each byte.
  const key = out.toString('latin1', 0, projected.length);
  repeated.learn({ bytes, length }, key);
  return { key, spans: projected.asides };
}

/** A uid that may be too long must be refused, so it is left to the plain reader. No other name that is valid is longer. */
function isShort(span: Span | undefined): boolean {
  return span === undefined || span.end - span.start <= maximumUidLength;
}

function actual({ uid, name, podName, generateName, owner }: Identity, body: Buffer, spans: Asides): Identity {
  const text = (written: string, slot: Slot): string => {
    const span = written === placeholder ? spans[slot] : undefined;
    return span === undefined ? written : body.toString('utf8', span.start, span.end);
  };
  return {
    uid: text(uid, slots.uid),
    name: text(name, slots.name),
    podName: text(podName, slots.podName),
    generateName: text(generateName, slots.generateName),
    owner: owner === null ? null : { kind: owner.kind, name: text(owner.name, slots.ownerName) },
  };
}
