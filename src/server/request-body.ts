/** The body of a request. Only few chunks are kept as objects: each costs 360 bytes, and a client may send one byte at a time. */
import type { IncomingMessage } from 'node:http';

const mebibyte = 1024 * 1024;

/**
 * In bytes. An API server accepts objects of at most 3 MiB (apiserver, `MaxRequestBodyBytes`). A review has two, object and oldObject, in
 * which Go writes each of the characters `<`, `>` and `&`, and each invalid byte, as six bytes (encoding/json). One more MiB is for the
 * rest of the review.
 */
export const maxBodyBytes = (2 * 6 * 3 + 1) * mebibyte;

const firstCapacity = 4096;

/**
 * Maximum number of chunks kept as received. A TLS record has 16 KiB, so bodies of up to 256 KiB are joined once, at their end, and nothing
 * is allocated for them.
 */
const maxChunks = 16;

/** Buffer in which bodies are joined at their end. Each is answered before the next is read, so one buffer is enough. */
const shared: Buffer = Buffer.alloc(256 * 1024);

export interface BodyOptions {
  /** Reserves memory before it is used; takes the total in bytes, returns false if it is not available. */
  readonly hold: (bytes: number) => boolean;
  /** Bytes. */
  readonly maxBytes: number;
}

export type BodyProblem = 'too-large' | 'no-memory';

/**
 * Reads a body. Does not call back if the client disconnects first.
 *
 * @param done gets the body followed by one zero byte; valid until it returns
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
  /** Holds the bytes before `#chunks`; grows when there are too many chunks. */
  #buffer = nothing;
  #buffered = 0;

  constructor(declared: number | null) {
    this.#declared = declared;
  }

  /** False if the memory is not available. */
  add(chunk: Buffer, hold: BodyOptions['hold']): boolean {
    this.#chunks.push(chunk);
    this.length += chunk.length;
    // The only chunk of most bodies is answered in the iteration of the event loop in which it arrived.
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

  /** Never much more than has arrived, whatever length was declared. */
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

/** A copy of the body that is not overwritten by the next one. */
export function keptBody(body: Buffer, hold: BodyOptions['hold']): Buffer | BodyProblem {
  if (body.buffer !== shared.buffer) return body;
  return hold(body.length) ? Buffer.from(body) : 'no-memory';
}

function declaredLength({ headers }: IncomingMessage): number | null {
  const length = headers['content-length'];
  return length === undefined ? null : Number(length);
}
