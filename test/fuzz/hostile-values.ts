/** Values that programs stumble over, as JSON texts: a text can say what a parsed value cannot. */
import type { Random } from './random.ts';

const hex = 'a'.repeat(64);

/** Short ones, each of them good for any place. */
export const hostileTexts: readonly [string, ...string[]] = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '1',
  '-1',
  '1e400',
  '9007199254740993',
  '1E-7',
  '[]',
  '{}',
  '[null]',
  '[[]]',
  '[{}]',
  '{"":null}',
  '""',
  '" "',
  '"null"',
  '"0"',
  '"__proto__"',
  '"constructor"',
  '"prototype"',
  '"toString"',
  '"hasOwnProperty"',
  '"length"',
  '{"__proto__":{"image":"nginx"}}',
  '{"__proto__":null}',
  '{"constructor":{"prototype":{"image":"nginx"}}}',
  '{"toString":1,"valueOf":2}',
  '{"length":3,"0":"nginx"}',
  '{"name":1,"image":2}',
  '{"name":"a","name":"b","image":"nginx","image":null}',
  '{"reference":"nginx"}',
  '{"reference":[]}',
  String.raw`"\ud800"`,
  String.raw`"\udc00\ud800"`,
  String.raw`"nginx\u0000"`,
  String.raw`"\u2028\u202e\u0007"`,
  String.raw`"\u006eginx"`,
  '"é🚢"',
  '"a~1b/c~0"',
  '"nginx"',
  '"nginx:1.27"',
  '"NGINX"',
  '"docker.io/library/nginx:1@sha256:x"',
  `"nginx@sha256:${hex}"`,
  `"${hex}"`,
  '"localhost:30500/library/nginx"',
  '"quay.io/acme/app:1"',
  '"/"',
  '":"',
  '"a//b"',
  '"http://x/y"',
  '"../../etc"',
  '"transship.dev/original-images"',
  String.raw`"{\"containers/a\":\"nginx\"}"`,
  '"{"',
  '"disabled"',
  '"enabled"',
  '"CREATE"',
  '"UPDATE"',
  '"ephemeralcontainers"',
  '"kube-system"',
];

/** @returns a JSON text; now and then one of up to some hundred kilobytes */
export function hostileText(random: Random): string {
  if (!random.once(400)) return random.pick(hostileTexts);
  const size = 1 + random.below(12_000);
  switch (random.below(4)) {
    case 0:
      return '['.repeat(size) + ']'.repeat(size);
    case 1:
      return `${'{"spec":'.repeat(size)}null${'}'.repeat(size)}`;
    case 2:
      return `"${random.pick(['x', 'é', 'a/', String.raw`\ud83d`, ' '])?.repeat(size)}"`;
    default:
      return `[${Array.from({ length: size }, (_value, n) => `{"name":"c${n}","image":"nginx:${n % 7}"}`).join()}]`;
  }
}
