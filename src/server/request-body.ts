/** The body of a request, gathered in one buffer: an object for each chunk would be 360 bytes for each byte of who sends one at a time. */
import type { IncomingMessage } from 'node:http';

const mebibyte = 1024 * 1024;

/**
 * Bytes. What an API server takes is 3 MiB at most (apiserver, `MaxRequestBodyBytes`). A review has two of these, object and oldObject, in
 * which Go writes each of the characters `<`, `>` and `&`, and each byte that is no text, as six bytes (encoding/json). The last one is for
 * the rest of the review.
 */
export const maxBodyBytes = (2 * 6 * 3 + 1) * mebibyte;

const firstCapacity = 4096;

/** Where bodies that arrive at once are put. One is answered before the next one is looked at, so one place is enough. */
const shared: Buffer = Buffer.alloc(128 * 1024);

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
  let body: Buffer = nothing;
  let length = 0;
  const onData = (chunk: Buffer): void => {
    const before = length;
    length += chunk.length;
    // All of it, as of most requests.
    if (length === declared && before === 0 && length < shared.length) {
      body = chunk;
      return;
    }
    const capacity = length > maxBytes ? 0 : capacityFor(length, body.length, declared);
    if (length > maxBytes || (capacity > 0 && !hold(capacity))) {
      request.off('data', onData).off('end', onEnd);
      return done(length > maxBytes ? 'too-large' : 'no-memory');
    }
    if (capacity > 0) body = copied(body, before, capacity);
    body.set(chunk, before);
  };
  const onEnd = (): void => {
    const whole = length < body.length ? body : shared;
    if (whole === shared) shared.set(body);
    whole[length] = 0;
    done(whole.subarray(0, length + 1));
  };
  request.on('data', onData).on('end', onEnd);
}

const nothing = Buffer.alloc(0);

/** A body that stays as it is while others are received. */
export function keptBody(body: Buffer, hold: BodyOptions['hold']): Buffer | BodyProblem {
  if (body.buffer !== shared.buffer) return body;
  return hold(body.length) ? Buffer.from(body) : 'no-memory';
}

/** @returns 0 where there is room already. Never much more than has arrived, whatever was declared. */
function capacityFor(length: number, capacity: number, declared: number | null): number {
  if (length < capacity) return 0;
  if (declared !== null && length * 4 >= declared) return declared + 1;
  return Math.max(firstCapacity, 2 * length);
}

function copied(body: Buffer, length: number, capacity: number): Buffer {
  const copy = Buffer.allocUnsafe(capacity);
  copy.set(body.subarray(0, length));
  return copy;
}

function declaredLength({ headers }: IncomingMessage): number | null {
  const length = headers['content-length'];
  return length === undefined ? null : Number(length);
}
