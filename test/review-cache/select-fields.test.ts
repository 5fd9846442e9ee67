import assert from 'node:assert/strict';
import * as fc from '../random/fast-check.ts';
import { test } from 'tap';
import { JsonError } from '../../src/review-cache/json-scanner.ts';
import { json } from '../builders/arbitrary-json.ts';
import { fieldsOf, leaveOut, parsed, selected, type Wish } from './selected.ts';

const wish: Wish = {
  members: { name: 'scalar', image: { members: { reference: 'scalar' } }, spec: { elements: { members: { name: 'scalar' } } } },
};
const fields = fieldsOf(wish);

/** Documents, and what is kept of them. */
const kept: Readonly<Record<string, readonly [text: string, value: unknown]>> = {
  'what the selection does not name is left out': [
    '{"name":"a","other":{"name":"b"},"image":{"reference":"c","name":"d"}}',
    { name: 'a', image: { reference: 'c' } },
  ],
  'every element of an array': ['{"spec":[{"name":"a","b":1},{"b":[]},{}]}', { spec: [{ name: 'a' }, {}, {}] }],
  'empty ones': ['{"spec":[],"image":{}}', { spec: [], image: {} }],
  'any order, any white space': [' \n{\t"spec" :\r[ {"x" : 1 , "name" : "a" } ] , "name":"b"} \n', { spec: [{ name: 'a' }], name: 'b' }],
  'the last of duplicate keys': ['{"name":"a","name":"b","image":{"reference":"a"},"image":{}}', { name: 'b', image: {} }],
  'the last of duplicate keys, whatever its kind': ['{"image":{"reference":"a"},"image":null}', { image: null }],
  'escapes in keys': [String.raw`{"n\u0061me":"a","\u0073pec":[{"nam\u0065":"b"}]}`, { name: 'a', spec: [{ name: 'b' }] }],
  'a key that is no key of ours because of an escape': [String.raw`{"name\n":"a","\"name":"b"}`, {}],
  'escapes in values': [String.raw`{"name":"a\"\\\/\b\f\n\r\tA😀"}`, { name: 'a"\\/\b\f\n\r\tA😀' }],
  'half of a character': [String.raw`{"name":"\ud83d"}`, { name: '\ud83d' }],
  'text beyond ASCII': ['{"name":"größe 你好 😀\u2028","größe":1}', { name: 'größe 你好 😀\u2028' }],
  'a byte order mark inside a value': ['{"name":"\ufeffa"}', { name: '\ufeffa' }],
  'DEL and C1 controls are text': ['{"name":"\u007f\u0085"}', { name: '\u007f\u0085' }],
  'of a wrong kind only the kind': [
    '{"spec":{"name":1},"image":[{"reference":2,"x":3}],"name":{"y":[null]}}',
    { spec: {}, image: [], name: {} },
  ],
  'an object where elements are wrong': ['{"spec":[1,"a",null,[{"name":1,"x":2}]]}', { spec: [1, 'a', null, []] }],
  numbers: ['{"spec":[0,-0,1.5,-1e3,2E+2,1e400,1e21,0.1e-7,10]}', { spec: [0, -0, 1.5, -1000, 200, Infinity, 1e21, 1e-8, 10] }],
  words: ['{"name":true,"image":false,"spec":null}', { name: true, image: false, spec: null }],
  'a document that is no object': ['"a"', 'a'],
};

for (const [what, [text, value]] of Object.entries(kept)) {
  test(what, (t) => {
    const result = selected(Buffer.from(text), fields);
    t.strictSame(result, { ok: true, value });
    t.strictSame(value, leaveOut(JSON.parse(text), wish), 'and JSON.parse agrees');
    t.end();
  });
}

test('__proto__ is a name like any other', (t) => {
  const result = selected(Buffer.from('{"__proto__":{"name":"a"},"name":"b"}'), fields);
  t.strictSame(result, { ok: true, value: { name: 'b' } });
  const declared = fieldsOf({ members: Object.fromEntries([['__proto__', 'scalar' as const]]) });
  const own = selected(Buffer.from('{"__proto__":"a","name":"b"}'), declared);
  t.ok(own.ok && Object.hasOwn(own.value as object, '__proto__'));
  t.end();
});

/** What JSON.parse refuses, put where the reader skips, where it builds, and where it looks for a key. */
const broken: readonly string[] = [
  '',
  ' ',
  '{',
  '[',
  '}',
  ']',
  ',',
  ':',
  '"',
  '"a',
  '{"a"',
  '{"a":',
  '{"a":1',
  '{"a":1,',
  '{"a":1,}',
  '{,}',
  '{"a" 1}',
  '{a:1}',
  "{'a':1}",
  '{1:1}',
  '{"a":1}}',
  '{"a":1} x',
  '[1,]',
  '[,1]',
  '[1 2]',
  '[1}',
  '{"a":1]',
  '01',
  '-',
  '-01',
  '1.',
  '.5',
  '+1',
  '1e',
  '1e+',
  '0x1',
  '1a',
  '--1',
  'NaN',
  'Infinity',
  '-Infinity',
  'tru',
  'True',
  'truee',
  'nul',
  'nulll',
  'fals',
  'undefined',
  '/* */1',
  '// x\n1',
  '"\n"',
  '"\t"',
  '"\u0000"',
  '"\u001f"',
  String.raw`"\x41"`,
  String.raw`"\u12"`,
  String.raw`"\u12G4"`,
  String.raw`"\u"`,
  '"\\',
  String.raw`"\a"`,
  String.raw`"\'"`,
  '\ufeff1',
  '\u00a01',
  '\u20281',
  '\v1',
  '\f1',
  '1\u0000',
];

test('what JSON.parse refuses is refused wherever it stands', (t) => {
  const places = [
    (text: string) => text,
    (text: string) => `{"other":${text}}`,
    (text: string) => `{"name":${text}}`,
    (text: string) => `{"spec":[${text}]}`,
    (text: string) => `{"x":[{"y":${text}}],"name":"a"}`,
    (text: string) => `{"name":"a",${text}:1}`,
  ];
  const texts = broken.flatMap((text) => places.map((place) => place(text)));
  const right = texts.filter((text) => parsed(Buffer.from(text)) !== undefined);
  // Some are whole in one place, as nothing at all between brackets.
  t.ok(right.length < broken.length / 4, `${right.length} of ${texts.length}`);
  t.strictSame(
    texts.filter((text) => selected(Buffer.from(text), fields).ok),
    right,
  );
  t.end();
});

test('every place where a document can be cut off', (t) => {
  const bytes = Buffer.from(
    String.raw`{"a":[1,-2.5e3,true,{"b":"\u00e9ü"}],"name":"x\ny","spec":[{"name":null}],"image":{"reference":{}}}`,
  );
  t.ok(selected(bytes, fields).ok);
  for (let end = 0; end < bytes.length; end += 1) t.notOk(selected(bytes.subarray(0, end), fields).ok, `${end} bytes`);
  t.end();
});

test('bytes that are no UTF-8 are read as Buffer.toString reads them', (t) => {
  for (const sequence of [[0xff], [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xed, 0xa0, 0xbd], [0xc0, 0x80], [0xe2, 0x28, 0xa1]]) {
    for (const around of [
      ['{"name":"a', '"}'],
      ['{"other":"', '","name":"b"}'],
      ['{"name', '":1,"name":2}'],
    ] as const) {
      const bytes = Buffer.concat([Buffer.from(around[0]), Buffer.from(sequence), Buffer.from(around[1])]);
      t.strictSame(
        selected(bytes, fields),
        { ok: true, value: leaveOut(JSON.parse(bytes.toString('utf8')), wish) },
        bytes.toString('latin1'),
      );
    }
  }
  t.end();
});

function nested(depth: number): Buffer {
  return Buffer.from(`{"x":${'['.repeat(depth)}${']'.repeat(depth)}}`);
}

test('depth is bounded where nothing is built, and no stack overflows', (t) => {
  t.ok(selected(nested(9_999), fields).ok);
  for (const bytes of [nested(20_000), nested(1_000_000), Buffer.from(`{"x":${'{"a":'.repeat(20_000)}`), Buffer.from('['.repeat(20_000))]) {
    const result = selected(bytes, fields);
    t.match(result, { ok: false, error: { reason: 'deep', code: 'JSON' } });
    t.ok(!result.ok && result.error instanceof JsonError);
  }
  t.end();
});

test('every document, every selection: the same as parsing and leaving out', (t) => {
  const wishes: fc.Arbitrary<Wish> = fc.letrec<{ any: Wish }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      fc.constant('scalar' as const),
      fc.record({ elements: tie('any') }),
      fc
        .dictionary(fc.constantFrom('name', 'image', 'reference', 'spec', 'metadata', '', 'a/b', 'length', 'constructor'), tie('any'))
        .map((members) => ({ members })),
    ),
  })).any;
  const spaced = fc.tuple(json, fc.constantFrom(undefined, 1, '\t', '\r\n')).map(([value, indent]) => JSON.stringify(value, null, indent));
  fc.assert(
    fc.property(spaced, wishes, (text, anyWish) => {
      // Not tap's own comparison, which a member called constructor misleads.
      assert.deepStrictEqual(selected(Buffer.from(text), fieldsOf(anyWish)), { ok: true, value: leaveOut(JSON.parse(text), anyWish) });
    }),
    { numRuns: 300 },
  );
  t.end();
});
