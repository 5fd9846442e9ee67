/** The extremes, each by itself: over a real connection, with the status that each must have, and the server goes on. */
import { test } from 'tap';
import { call, get } from '../server/call.ts';
import { running } from '../server/running.ts';
import { checkReview } from './review-target.ts';

const review = (object: string, more = ''): string =>
  `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","operation":"CREATE","namespace":"shop","resource":{"group":"","version":"v1","resource":"pods"}${more},"object":${object}}}`;
const pod = (containers: string, metadata = '{"name":"web"}'): string => `{"metadata":${metadata},"spec":{"containers":${containers}}}`;
const nginx = '{"name":"web","image":"nginx:1.27"}';
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const many = Array.from({ length: 10_000 }, (_value, n) => `{"name":"c${n}","image":"nginx:${n}"}`).join();

type Row = readonly [
  name: string,
  body: string | Buffer,
  outcome: 'patched' | 'unpatched' | 'too-large' | 'BODY_NOT_JSON' | 'REVIEW_INVALID',
];

// Without the cache a body may nest as deep as JSON.parse reads.
const tooDeep = process.env['TRANSSHIP_REVIEW_CACHE'] === 'false' ? 'patched' : 'BODY_NOT_JSON';

const rows: readonly Row[] = [
  // Shorter ones than the API server sends: their patches would be more than twice as long as the review.
  ['10,000 containers', review(pod(`[${many}]`)), 'too-large'],
  ['nested 9,000 deep beside the pod', review(pod(`[${nginx}]`), `,"options":${nested(9_000)}`), 'patched'],
  ['nested 100,000 deep beside the pod', review(pod(`[${nginx}]`), `,"options":${nested(100_000)}`), tooDeep],
  ['nested a million deep', nested(1_000_000), tooDeep === 'patched' ? 'REVIEW_INVALID' : tooDeep],
  ['nested a million deep and never closed', '{"a":'.repeat(1_000_000), 'BODY_NOT_JSON'],
  ['nested where an image belongs', review(pod(`[{"name":"web","image":${nested(5_000)}},${nginx}]`)), 'patched'],
  ['an image of 4 MB', review(pod(`[{"name":"web","image":"${'a/'.repeat(2_000_000)}"},${nginx}]`)), 'patched'],
  ['a name of 4 MB', review(pod(`[{"name":"${'x'.repeat(4_000_000)}","image":"nginx"}]`)), 'patched'],
  ['a key of 4 MB', review(pod(`[${nginx}]`, `{"labels":{"${'k'.repeat(4_000_000)}":"v"}}`)), 'patched'],
  ['half a character in the image and in the name', review(pod(String.raw`[{"name":"\ud83d","image":"\udc00nginx"},${nginx}]`)), 'patched'],
  ['half a character in the uid', review(pod(`[${nginx}]`)).replace('"uid":"u"', String.raw`"uid":"\ud83d"`), 'patched'],
  [
    '__proto__ in every object',
    review(
      `{"__proto__":{"spec":null},"metadata":{"__proto__":{"labels":{"transship.dev/rewrite":"disabled"}},"name":"web"},"spec":{"__proto__":{"containers":[]},"containers":[{"__proto__":{"image":"x"},"name":"web","image":"nginx"}]}}`,
    ),
    'patched',
  ],
  ['__proto__ alone has an image', review(pod('[{"name":"web","__proto__":{"image":"nginx"}}]')), 'unpatched'],
  [
    'a label of __proto__ disables nothing',
    review(pod(`[${nginx}]`, '{"labels":{"__proto__":{"transship.dev/rewrite":"disabled"}}}')),
    'patched',
  ],
  [
    'constructor and prototype',
    review(pod('[{"constructor":{"prototype":{"image":"x"}},"name":"constructor","image":"nginx"}]')),
    'patched',
  ],
  ['containers named by numbers', review(pod('[{"name":0,"image":"nginx"},{"name":1,"image":"redis"}]')), 'patched'],
  ['containers as an object', review('{"spec":{"containers":{"0":{"name":"web","image":"nginx"},"length":1}}}'), 'unpatched'],
  [
    'doubled keys, the last one counts',
    review(`{"spec":null,"spec":{"containers":null,"containers":[{"image":7,"name":"web","image":"nginx"}]}}`),
    'patched',
  ],
  ['doubled request, the last one is none', review(pod(`[${nginx}]`)).replace(/\}$/, ',"request":null}'), 'REVIEW_INVALID'],
  ['a number beyond all numbers', review(pod(`[${nginx}]`), ',"options":1e999'), 'patched'],
  ['a byte order mark', `\ufeff${review(pod(`[${nginx}]`))}`, 'BODY_NOT_JSON'],
  ['UTF-16', Buffer.from(review(pod(`[${nginx}]`)), 'utf16le'), 'BODY_NOT_JSON'],
  [
    'bytes that are no UTF-8 in a string',
    Buffer.concat([
      Buffer.from(review(pod(`[${nginx}]`)).slice(0, -1)),
      Buffer.from(',"x":"'),
      Buffer.from([0xff, 0xc0, 0x80]),
      Buffer.from('"}'),
    ]),
    'patched',
  ],
  ['zeros', Buffer.alloc(1_000_000), 'BODY_NOT_JSON'],
  ['two reviews', review(pod(`[${nginx}]`)).repeat(2), 'BODY_NOT_JSON'],
];

test('the handler', (t) => {
  for (const [name, body, outcome] of rows) t.equal(checkReview(Buffer.from(body), { mode: 'enforce', policyNumber: 1 }), outcome, name);
  t.end();
});

test('the server', async (t) => {
  const server = await running(t);
  for (const [name, body, outcome] of rows) {
    const { status, text } = await call(server, { body });
    t.equal(status, outcome === 'BODY_NOT_JSON' || outcome === 'REVIEW_INVALID' ? 400 : 200, name);
    if (status === 400) t.match(JSON.parse(text), { code: outcome }, name);
  }
  t.notOk(
    server.lines.some(({ level }) => level === 'error'),
    'no line of an error',
  );
  t.equal((await get(server, '/readyz')).status, 200, 'and it goes on');
});
