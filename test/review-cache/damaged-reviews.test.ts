/**
 * Genuine reviews, damaged at random: the reader and JSON.parse must agree on which are JSON, and on what is in them.
 * TRANSSHIP_FUZZ_EXECUTIONS and TRANSSHIP_FUZZ_SEED make it longer and another; a failure prints the seed and the body.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { test } from 'tap';
import { plainReader, reviewFormat, type Decide, type ReadResult } from '../../src/admission/review-reader.ts';
import type { DecisionInput } from '../../src/admission/review.ts';
import { cachedReader } from '../../src/review-cache/review-cache.ts';

const executions = Number(process.env['TRANSSHIP_FUZZ_EXECUTIONS'] ?? 5_000);
const seed = Number(process.env['TRANSSHIP_FUZZ_SEED'] ?? 1);
const corpus = new URL('../corpus/reviews/', import.meta.url);

const written = [
  new URL('../../examples/admission-review.json', import.meta.url),
  ...readdirSync(corpus, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [new URL(`${entry.name}/review.json`, corpus)] : [],
  ),
].map((url) => readFileSync(url));
// As a person writes them, and in one line as the API server does.
const genuine = written.flatMap((bytes) => [bytes, Buffer.from(JSON.stringify(JSON.parse(bytes.toString('utf8'))))]);

/** What a mistake or an attack puts into JSON. */
const marks = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '\\',
  '\\u',
  '\\u0061',
  '\\"',
  '\\ud83d',
  'null',
  'true',
  'false',
  '0',
  '-',
  '1e5',
  '01',
  '.',
  ' ',
  '\t',
  '\n',
  '\0',
  '\ufeff',
  'ü',
  '😀',
  '{}',
  '[]',
  '""',
];
const members = [
  '"image":',
  '"image":"a",',
  '"uid":null,',
  '"spec":{},',
  '"metadata":[],',
  '"__proto__":{"name":1},',
  '"n\\u0061me":"b",',
  '"containers":[{}],',
  '"labels":{"a":1},',
];
const fragments: readonly Buffer[] = [...marks, ...members].map((text) => Buffer.from(text));

/** mulberry32: the same seed gives the same bodies on every machine. */
function randomFrom(start: number): (below: number) => number {
  let state = start;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function damaged(body: Buffer, random: (below: number) => number): Buffer {
  const at = random(body.length + 1);
  const end = Math.min(body.length, at + random(24));
  switch (random(6)) {
    case 0: // One byte becomes any other.
      return Buffer.concat([body.subarray(0, at), Buffer.from([random(256)]), body.subarray(at + 1)]);
    case 1: // Something is put in,
      return Buffer.concat([body.subarray(0, at), fragments[random(fragments.length)] ?? body, body.subarray(at)]);
    case 2: // or put in place of something,
      return Buffer.concat([body.subarray(0, at), fragments[random(fragments.length)] ?? body, body.subarray(end)]);
    case 3: // or missing,
      return Buffer.concat([body.subarray(0, at), body.subarray(end)]);
    case 4: // or there twice.
      return Buffer.concat([body.subarray(0, end), body.subarray(at)]);
    default: {
      // A member before a member of some object: mostly still JSON.
      const brace = body.indexOf('{"', at);
      return brace === -1
        ? body.subarray(0, at)
        : Buffer.concat([body.subarray(0, brace + 1), fragments[marks.length + random(members.length)] ?? body, body.subarray(brace + 1)]);
    }
  }
}

const format = reviewFormat(['app', 'a', 'transship.dev/rewrite']);
/** All that a decision can be made of. */
const deciding: Decide<DecisionInput> = ({ pod: { labels, annotations, images, pullSecrets, excess }, ...review }) => ({
  operation: review.operation,
  namespace: review.namespace,
  resource: review.resource,
  subResource: review.subResource,
  dryRun: review.dryRun,
  oldPod: review.oldPod,
  pod: { labels, annotations, images, pullSecrets, excess },
});

/** The cache and the plain reader, each body three times: the second time the decision may be known, the third time the body. */
function agrees(bytes: Buffer): 'json' | 'broken' | null {
  const body = Buffer.concat([bytes], bytes.length + 1);
  const cached = cachedReader(format, deciding, () => 100);
  const expected = plainReader(format, deciding)(body);
  const isSame = [cached(body), cached(body), cached(body)].every((result) =>
    isDeepStrictEqual(withoutDetail(result), withoutDetail(expected)),
  );
  if (!isSame) return null;
  return !expected.ok && expected.code === 'BODY_NOT_JSON' ? 'broken' : 'json';
}

function withoutDetail(result: ReadResult<DecisionInput>): unknown {
  return result.ok ? result : result.code;
}

test('every genuine review is read in the same way by both readers', (t) => {
  for (const body of genuine) t.equal(agrees(body), 'json');
  t.end();
});

test(`${executions} damaged reviews are read alike`, (t) => {
  const random = randomFrom(seed);
  const counts = { json: 0, broken: 0 };
  for (let execution = 0; execution < executions; execution += 1) {
    let body: Buffer = genuine[random(genuine.length)] ?? Buffer.alloc(0);
    for (let times = random(3); times >= 0; times -= 1) body = damaged(body, random);
    const agreed = agrees(body);
    if (agreed === null) {
      t.fail(`seed ${seed}, execution ${execution}: ${body.toString('base64')}`);
      break;
    }
    counts[agreed] += 1;
  }
  // Else the damage is too heavy, or none, and nothing was tried.
  t.ok(counts.json > executions / 20 && counts.broken > executions / 20, JSON.stringify(counts));
  t.end();
});
