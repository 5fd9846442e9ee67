/** An image that the controller moved to an alternative is not rewritten back, and a record of another pod exempts nothing. */
import * as fc from '../random/fast-check.ts';
import { test } from 'tap';
import { rewritePod, type Change, type SiteDecision } from '../../src/admission/rewrite-pod.ts';
import { originalImagesAnnotation, rewrittenByAnnotation } from '../../src/pod/annotations.ts';
import { fallbackAnnotation, fallbackText, movedImages, parseFallback } from '../../src/pod/fallback-record.ts';
import { podFields, readPod, type Pod } from '../../src/pod/pod.ts';
import { compiled } from '../rules/policy.ts';
import { pod } from '../builders/pod.ts';

const { table } = compiled({
  registries: { mirror: { host: 'mirror.example' }, backup: { host: 'backup.example' } },
  rules: [
    {
      name: 'hub',
      match: { images: ['docker.io'] },
      rewrite: { registry: 'mirror', as: 'path' },
      alternatives: [{ registry: 'backup', as: 'path' }, { as: 'original' }],
    },
  ],
});

const mirrored = 'mirror.example/library/nginx';
const podWith = (image: string, fallback?: string): Pod =>
  readPod(
    pod({
      metadata: {
        annotations: {
          [originalImagesAnnotation]: '{"app":"nginx"}',
          [rewrittenByAnnotation]: '{"app":"hub@r"}',
          ...(fallback !== undefined && { [fallbackAnnotation]: fallback }),
        },
      },
      spec: { containers: [{ name: 'app', image }] },
    }),
    podFields([]),
  );
const moved = (to: string, name = 'app'): string =>
  fallbackText(new Map([[name, { step: 2, from: mirrored, to, at: '2026-06-01T12:00:00Z' }]]));

function decisionOf(changed: Pod, kind: Change['kind']): Pick<SiteDecision, 'outcome' | 'result' | 'code'> & { readonly patches: number } {
  const old = podWith(mirrored);
  const change: Change = kind === 'create' ? { kind } : { kind, old };
  const { images, operations } = rewritePod({ table, revision: 'r' }, changed, { namespace: 'shop', podLabels: {} }, change);
  const [{ outcome, result, code } = { outcome: 'invalid', result: null, code: 'unchanged' } as const] = images;
  return { outcome, result, code, patches: operations.length };
}

const rows: readonly (readonly [says: string, kind: 'create' | 'update', pod: Pod, code: string, result: string | null])[] = [
  ['the original, as the record says', 'update', podWith('nginx', moved('nginx')), 'moved-by-fallback', null],
  ['another registry', 'update', podWith('backup.example/library/nginx', moved('backup.example/library/nginx')), 'moved-by-fallback', null],
  ['another registry is already there, also without a record', 'update', podWith('backup.example/library/nginx'), 'under-target', null],
  ['the original without a record', 'update', podWith('nginx'), 'rule-matched', mirrored],
  ['another image than the record says', 'update', podWith('redis', moved('nginx')), 'rule-matched', 'mirror.example/library/redis'],
  ['the record of another container', 'update', podWith('nginx', moved('nginx', 'other')), 'rule-matched', mirrored],
  ['a record that is no JSON', 'update', podWith('nginx', '{"app":'), 'rule-matched', mirrored],
  ['a record of another form', 'update', podWith('nginx', '{"app":{"to":"nginx"}}'), 'rule-matched', mirrored],
  ['a new pod with the record of another one, such as a copy', 'create', podWith('nginx', moved('nginx')), 'rule-matched', mirrored],
];

for (const [says, kind, changed, code, result] of rows)
  test(says, (t) => {
    const decision = decisionOf(changed, kind);
    t.match(decision, { code, result });
    // The records of a step are kept: the image as written is still the one that the next step begins with.
    if (code === 'moved-by-fallback') t.equal(decision.patches, 0);
    t.end();
  });

const step = { step: 1, from: 'a', to: 'b', at: '2026-06-01T12:00:00Z' };

/** Also of what JSON escapes. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('"', '\\', 'app', '1', '\ud800'),
);
const anyEarlier = fc.record({ from: anyText, at: anyText, reason: fc.oneof(anyText, fc.integer()) }, { requiredKeys: ['from', 'at'] });
const anyStep = fc.record(
  {
    step: fc.integer({ min: -1, max: 102 }),
    from: anyText,
    to: anyText,
    at: anyText,
    reason: anyText,
    earlier: fc.array(anyEarlier, { maxLength: 3 }),
    more: anyText,
  },
  { requiredKeys: ['step', 'from', 'to', 'at'] },
);

test('a step was undone: a record that the controller extended had an entry of others with an escape, which no decision reads', (t) => {
  fc.assert(
    fc.property(fc.dictionary(anyText, anyStep, { maxKeys: 4 }), (forged) => {
      const record = parseFallback(JSON.stringify(forged));
      const isMoved = movedImages(fallbackText(new Map([...record, ['app', step]])));
      if (!isMoved('app', 'b')) return false;
      return [...record].every(([name, { to }]) => name === 'app' || isMoved(name, to));
    }),
    { numRuns: 2000 },
  );
  t.end();
});

test('a record is read in the layout that transship writes, and in no other, as by a compiled policy', (t) => {
  const text = fallbackText(new Map([['app', step]]));
  t.ok(movedImages(text)('app', 'b'));
  for (const [name, image] of [
    ['ap', 'b'],
    ['app', 'a'],
    ['pp', 'b'],
    ['app"', 'b'],
    ['', 'b'],
  ] as const)
    t.notOk(movedImages(text)(name, image), name + image);
  for (const other of [
    null,
    '',
    '{}',
    ` ${text}`,
    `${text}\n`,
    JSON.stringify(JSON.parse(text), null, 1),
    text.replace('"b"', String.raw`"\u0062"`),
    text.replace(/\}$/, ',"x":{}}'),
  ])
    t.notOk(movedImages(other)('app', 'b'), String(other));
  t.end();
});

test('the record: what is written is read again, and names are plain data', (t) => {
  const record = new Map([
    ['app', step],
    ['__proto__', step],
  ]);
  t.strictSame([...parseFallback(fallbackText(record))], [...record]);
  const earlier = [{ from: 'a', at: '1', reason: 'tls' }, { from: 'b', at: '2' }, { from: 'c' }, null];
  t.strictSame(
    parseFallback(JSON.stringify({ app: { ...step, reason: 'x', earlier, more: 1 }, other: { ...step, reason: 1, earlier: {} } })),
    new Map<string, object>([
      ['app', { ...step, reason: 'x', earlier: earlier.slice(0, 2) }],
      ['other', step],
    ]),
    'what has another form is left out',
  );
  for (const text of [null, '', '[]', 'null', '{"a":null}', '{"a":{"step":1.5,"from":"a","to":"b","at":"c"}}', `"${'x'.repeat(70_000)}"`])
    t.equal(parseFallback(text).size, 0, String(text).slice(0, 40));
  t.end();
});
