/**
 * Skips JSON (RFC 8259) in bytes. Validates everything and builds nothing.
 *
 * Positions are passed and returned as plain numbers: stored in an object they would cost twice the time of the loop itself
 * (docs/design/request-path.md).
 */

/** `broken`: not JSON at `at`. `deep`: nested deeper than the API server accepts. `large`: the selection does not fit the output. */
export class JsonError extends Error {
  readonly code = 'JSON';
  readonly reason: 'broken' | 'deep' | 'large';
  /** Offset in bytes. */
  readonly at: number;

  constructor(reason: JsonError['reason'], at: number) {
    super(`${reason} at byte ${at}`);
    this.reason = reason;
    this.at = at;
  }
}

/** As in Go's encoding/json, which the API server uses. */
const maxDepth = 10_000;

/** No white space has a higher code. */
const blank = 0x20;
export const quote = 0x22;
export const comma = 0x2c;
const plus = 0x2b;
const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;
const digitNine = 0x39;
export const colon = 0x3a;
export const openBracket = 0x5b;
export const backslash = 0x5c;
export const closeBracket = 0x5d;
const upperE = 0x45;
const letterA = 0x61;
const lowerE = 0x65;
const letterU = 0x75;
export const openBrace = 0x7b;
export const closeBrace = 0x7d;

function byteClass(expression: RegExp): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => Number(expression.test(String.fromCharCode(byte))));
}

/** Bytes that need no escape in a string: all but controls, the quote and the backslash (RFC 8259, section 7). */
const plain = byteClass(/[^"\\\p{Cc}]|[\x7f-\x9f]/u);
const escapable = byteClass(/["\\/bfnrt]/);
const hexadecimal = byteClass(/[0-9a-fA-F]/);
const digit = byteClass(/[0-9]/);
const literals = ['true', 'false', 'null'].map((literal) => new TextEncoder().encode(literal));
const white = byteClass(/[\x20\n\r\t]/);

/** Position of the next byte that is not white space. */
export function skipSpace(bytes: Uint8Array, start: number): number {
  let at = start;
  // The API server writes no white space, so this usually costs one comparison.
  while (bytes[at]! <= blank && white[bytes[at]!] === 1) at += 1;
  return at;
}

/** Position after the expected byte; white space before it is allowed. */
export function skipByte(bytes: Uint8Array, start: number, byte: number): number {
  const at = skipSpace(bytes, start);
  if (bytes[at] !== byte) throw new JsonError('broken', at);
  return at + 1;
}

/** Whether the byte needs no escape in a string. */
export function isPlain(byte: number): boolean {
  return plain[byte] === 1;
}

/** Position of the first byte of a string that is not plain: its closing quote if it has no escapes. */
export function skipPlain(bytes: Uint8Array, start: number): number {
  if (bytes[start] !== quote) throw new JsonError('broken', start);
  let at = start + 1;
  while (plain[bytes[at]!] === 1) at += 1;
  return at;
}

/** Position after the rest of a string, from any position inside it. */
export function skipRest(bytes: Uint8Array, start: number): number {
  let at = start;
  for (;;) {
    while (plain[bytes[at]!] === 1) at += 1;
    if (bytes[at] === quote) return at + 1;
    if (bytes[at] !== backslash) throw new JsonError('broken', at);
    at = skipEscape(bytes, at);
  }
}

/** Bytes in UTF-8 of a valid string, from its opening quote to `end`, after its closing quote. */
export function decodedLength(bytes: Uint8Array, start: number, end: number): number {
  let length = end - start - 2;
  for (let at = start; at < end; at += 1) {
    if (bytes[at] !== backslash) continue;
    const isUnicode = bytes[at + 1] === letterU;
    const unit = isUnicode ? codeUnit(bytes, at) : 0;
    const isPair = isHigh(unit) && bytes[at + 6] === backslash && bytes[at + 7] === letterU && isLow(codeUnit(bytes, at + 6));
    const written = isPair ? 12 : isUnicode ? 6 : 2;
    length += (isPair ? 4 : unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3) - written;
    at += written - 1;
  }
  return length;
}

const decoder = new TextDecoder();
/** Maximum length of a key in bytes; no longer key is selected. */
const maxKeyBytes = 6 * 320;
const simpleEscapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** The text of a valid key with escapes; empty if it is very long. `JSON.parse` takes ten times as long. */
export function decodedKey(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > maxKeyBytes) return '';
  let key = '';
  for (let at = start + 1; at < end - 1; at += 1) {
    const byte = bytes[at]!;
    if (byte >= 0x80) return String(JSON.parse(decoder.decode(bytes.subarray(start, end))));
    if (byte !== backslash) key += String.fromCharCode(byte);
    else if (bytes[at + 1] === letterU) {
      key += String.fromCharCode(codeUnit(bytes, at));
      at += 5;
    } else {
      const escape = String.fromCharCode(bytes[at + 1]!);
      key += simpleEscapes[escape] ?? escape;
      at += 1;
    }
  }
  return key;
}

/** The code unit of an escape `\\uXXXX`. */
function codeUnit(bytes: Uint8Array, start: number): number {
  let unit = 0;
  for (let at = start + 2; at < start + 6; at += 1) unit = unit * 16 + (bytes[at]! & 0xf) + (bytes[at]! > digitNine ? 9 : 0);
  return unit;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

function skipEscape(bytes: Uint8Array, start: number): number {
  const byte = bytes[start + 1]!;
  if (escapable[byte] === 1) return start + 2;
  if (byte !== letterU) throw new JsonError('broken', start);
  for (let at = start + 2; at < start + 6; at += 1) if (hexadecimal[bytes[at]!] !== 1) throw new JsonError('broken', at);
  return start + 6;
}

/** Position after a number, true, false or null. */
function skipWord(bytes: Uint8Array, start: number): number {
  if (bytes[start]! > letterA) {
    for (const literal of literals) if (isAt(bytes, start, literal, literal.length)) return start + literal.length;
    throw new JsonError('broken', start);
  }
  const first = bytes[start] === minus ? start + 1 : start;
  let at = skipDigits(bytes, first);
  if (bytes[first] === zero && at > first + 1) throw new JsonError('broken', first);
  if (bytes[at] === point) at = skipDigits(bytes, at + 1);
  if (bytes[at] === lowerE || bytes[at] === upperE) {
    at += 1;
    at = skipDigits(bytes, bytes[at] === plus || bytes[at] === minus ? at + 1 : at);
  }
  return at;
}

/** Position after at least one digit. */
function skipDigits(bytes: Uint8Array, start: number): number {
  let at = start;
  while (digit[bytes[at]!] === 1) at += 1;
  if (at === start) throw new JsonError('broken', at);
  return at;
}

/** Whether the first `length` of these bytes are at this position. */
export function isAt(bytes: Uint8Array, start: number, wanted: Uint8Array, length: number): boolean {
  for (let index = 0; index < length; index += 1) if (bytes[start + index] !== wanted[index]) return false;
  return true;
}

/** 1 for an object, 0 for an array: the nesting of the value being skipped. Nothing here is asynchronous, so one buffer is enough. */
const inObject = new Uint8Array(maxDepth);

/**
 * Position after one value of any kind. Not recursive: a body may nest to any depth. One loop in which the common cases are inlined by
 * hand, because V8's inlining depends on what else the process does; in a busy server it did not inline, which doubled the time
 * (docs/design/request-path.md).
 */
// oxlint-disable-next-line complexity -- see above; each branch is one character of the grammar
export function skipValue(bytes: Uint8Array, start: number): number {
  let at = start;
  let depth = 0;
  let isKey = false;
  for (;;) {
    if (bytes[at]! <= blank) at = skipSpace(bytes, at);
    const byte = bytes[at]!;
    if (byte === quote) {
      at += 1;
      while (plain[bytes[at]!] === 1) at += 1;
      at = bytes[at] === quote ? at + 1 : skipRest(bytes, at);
      if (isKey) {
        at = bytes[at] === colon ? at + 1 : skipByte(bytes, at, colon);
        isKey = false;
        continue;
      }
    } else if (isKey) throw new JsonError('broken', at);
    else if (byte === openBrace || byte === openBracket) {
      at += 1;
      if (bytes[at]! <= blank) at = skipSpace(bytes, at);
      if (bytes[at] !== (byte === openBrace ? closeBrace : closeBracket)) {
        if (depth === maxDepth) throw new JsonError('deep', at);
        isKey = byte === openBrace;
        inObject[depth] = isKey ? 1 : 0;
        depth += 1;
        continue;
      }
      at += 1;
    } else at = skipWord(bytes, at);
    // After a value: closes what it ends, up to a comma before the next one.
    for (;;) {
      if (depth === 0) return at;
      if (bytes[at]! <= blank) at = skipSpace(bytes, at);
      isKey = inObject[depth - 1] === 1;
      if (bytes[at] === comma) {
        at += 1;
        break;
      }
      if (bytes[at] !== (isKey ? closeBrace : closeBracket)) throw new JsonError('broken', at);
      at += 1;
      depth -= 1;
    }
  }
}
