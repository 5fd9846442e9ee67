/** The body of a request. Few chunks are kept as objects: each costs 360 bytes, and a client may send one byte at a time. */
import type { IncomingMessage } from 'node:http';

const mebibyte = 1024 * 1024;

/**
 * Bytes. What an API server takes is 3 MiB at most (apiserver, `MaxRequestBodyBytes`). A review has two of these, object and oldObject, in
 * which Go writes each of the characters `<`, `>` and `&`, and each byte that is no text, as six bytes (encoding/json). The last one is for
 * the rest of the review.
 */
export const maxBodyBytes = (2 * 6 * 3 + 1) * mebibyte;

const firstCapacity = 4096;

/**
 * Chunks that are kept as they come. A TLS record has 16 KiB, so bodies of up to a quarter of a mebibyte are gathered once, at their end, and nothing
 * is allocated for them.
 */
const maxChunks = 16;

/** Where bodies are put together at their end. One is answered before the next one is looked at, so one place is enough. */
const shared: Buffer = Buffer.alloc(256 * 1024);

export interface BodyOptions {
  /** Asks for memory before it is used, in bytes altogether; false where there is none. */
  readonly hold: (bytes: number) => boolean;
  /** Bytes. */
  readonly maxBytes: number;
}

export type BodyProblem = 'too-large' | 'no-memory';

/**
 * Reads a body. Says nothing when the client goes away before.
 *
 * @param done gets the body with one byte behind it that is 0, good until it returns
 */
export function receiveBody(request: IncomingMessage, { hold, maxBytes }: BodyOptions, done: (body: Buffer | BodyProblem) => void): void {
  const declared = declaredLength(request);
  if (declared !== null && declared > maxBytes) return done('too-large');
  const gathered = new GatheredBody(declared);
  const onData = (chunk: Buffer): void => {
    const problem = gathered.length + chunk.length > maxBytes ? 'too-large' : gathered.add(chunk, hold) ? null : 'no-memory';
    if (problem === null) return;
    request.off('data', onData).off('end', onEnd);
    done(problem);
  };
  const onEnd = (): void => done(gathered.end());
  request.on('data', onData).on('end', onEnd);
}

class GatheredBody {
  length = 0;
  readonly #declared: number | null;
  #chunks: Buffer[] = [];
  /** Holds what came before `#chunks`; grows when there are too many of these. */
  #buffer = nothing;
  #buffered = 0;

  constructor(declared: number | null) {
    this.#declared = declared;
  }

  /** False where there is no memory for it. */
  add(chunk: Buffer, hold: BodyOptions['hold']): boolean {
    this.#chunks.push(chunk);
    this.length += chunk.length;
    // The only chunk of most bodies is answered in the same turn in which it came.
    if (this.length === this.#declared && this.#chunks.length === 1 && this.#buffered === 0 && this.length < shared.length) return true;
    const capacity = this.#chunks.length < maxChunks ? this.#buffer.length : this.#capacity();
    if (!hold(capacity + this.length - this.#buffered)) return false;
    if (this.#chunks.length === maxChunks) this.#gather(capacity);
    return true;
  }

  end(): Buffer {
    const isWhole = this.#buffered > 0 && this.length < this.#buffer.length;
    const target = isWhole ? this.#buffer : this.length < shared.length ? shared : Buffer.allocUnsafe(this.length + 1);
    if (!isWhole) target.set(this.#buffer.subarray(0, this.#buffered));
    this.#copyChunks(target);
    target[this.length] = 0;
    return target.subarray(0, this.length + 1);
  }

  /** Never much more than has arrived, whatever was declared. */
  #capacity(): number {
    if (this.length < this.#buffer.length) return this.#buffer.length;
    if (this.#declared !== null && this.length * 4 >= this.#declared) return this.#declared + 1;
    return Math.max(firstCapacity, 2 * this.length);
  }

  #gather(capacity: number): void {
    if (capacity > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(capacity);
      grown.set(this.#buffer.subarray(0, this.#buffered));
      this.#buffer = grown;
    }
    this.#copyChunks(this.#buffer);
    this.#buffered = this.length;
    this.#chunks = [];
  }

  #copyChunks(target: Buffer): void {
    let at = this.#buffered;
    for (const chunk of this.#chunks) {
      target.set(chunk, at);
      at += chunk.length;
    }
  }
}

const nothing = Buffer.alloc(0);

/** A body that stays as it is while others are received. */
export function keptBody(body: Buffer, hold: BodyOptions['hold']): Buffer | BodyProblem {
  if (body.buffer !== shared.buffer) return body;
  return hold(body.length) ? Buffer.from(body) : 'no-memory';
}

function declaredLength({ headers }: IncomingMessage): number | null {
  const length = headers['content-length'];
  return length === undefined ? null : Number(length);
}
