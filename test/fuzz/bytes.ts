/** Damage that knows nothing of what it damages: bytes flipped, cut, repeated and spliced with those of another text. */
import type { Random } from './random.ts';

/** What means something to JSON, YAML or an image reference, and bytes that are no UTF-8. */
const meaningful = [...Buffer.from('"\\{}[]:,0-e.*&!|>#%@/_~ \n\t\0'), 0x7f, 0x80, 0xc0, 0xed, 0xf5, 0xff];

type Damage = (bytes: Buffer, random: Random, other: Buffer) => Buffer;

const damages: readonly [Damage, ...Damage[]] = [
  function flip(bytes, random) {
    const copy = Buffer.from(bytes);
    const at = random.below(bytes.length);
    copy[at] = (copy[at] ?? 0) ^ (1 << random.below(8));
    return copy;
  },
  function replace(bytes, random) {
    const copy = Buffer.from(bytes);
    copy[random.below(bytes.length)] = random.pick(meaningful) ?? 0;
    return copy;
  },
  function insert(bytes, random) {
    const at = random.below(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), Buffer.from([random.pick(meaningful) ?? 0]), bytes.subarray(at)]);
  },
  function cutOut(bytes, random) {
    const at = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(16))]);
  },
  function truncate(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length));
  },
  function repeat(bytes, random) {
    const at = random.below(bytes.length);
    const end = at + 1 + random.below(64);
    return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
  },
  function splice(bytes, random, other) {
    return Buffer.concat([bytes.subarray(0, random.below(bytes.length)), other.subarray(random.below(other.length))]);
  },
];

/** One to four damages, one after the other. The given bytes stay as they are. */
export function damagedBytes(bytes: Buffer, random: Random, other: Buffer): Buffer {
  let damaged = bytes;
  for (let left = 1 + random.below(4); left > 0 && damaged.length > 0; left -= 1) damaged = random.pick(damages)(damaged, random, other);
  return damaged;
}
