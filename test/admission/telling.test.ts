/** What users (warnings) and the audit log (annotations) are told. */
import { test } from 'tap';
import { auditAnnotations } from '../../src/admission/audit.ts';
import type { SiteDecision } from '../../src/admission/rewrite-pod.ts';
import { warnings } from '../../src/admission/warnings.ts';
import { originalImagesAnnotation, rewrittenByAnnotation } from '../../src/pod/annotations.ts';
import type { ImageList } from '../../src/pod/images.ts';
import { podFields, readPod } from '../../src/pod/pod.ts';
import { imageDecision } from '../../src/rules/decision.ts';
import { pod } from '../builders/pod.ts';

interface Parts {
  readonly name?: string;
  readonly list?: ImageList;
  readonly image?: string;
  readonly outcome?: SiteDecision['outcome'];
  readonly result?: string | null;
  readonly rule?: string;
  readonly reason?: string;
  readonly missingSecrets?: readonly string[];
}

const rewriteOf = (images: readonly SiteDecision[], stale: readonly string[] = []) => ({ images, staleRecords: new Set(stale) });

function decision({
  name = 'app',
  list = 'containers',
  image = 'nginx',
  outcome = 'rewritten',
  result = null,
  rule,
  reason = 'of a reason',
  missingSecrets = [],
}: Parts): SiteDecision {
  return {
    ...imageDecision(image, 'unchanged', reason),
    outcome,
    result,
    ...(rule !== undefined && { rule }),
    site: { list, index: 0, name, image, pullPolicy: null },
    missingSecrets,
  };
}

const rewritten: Parts = { result: 'r.example/nginx' };
const invalid: Parts = { outcome: 'invalid', reason: 'not an image reference' };

const sentences: readonly [
  says: string,
  mode: 'enforce' | 'shadow',
  cover: 'problems' | 'rewrites',
  images: readonly Parts[],
  expected: readonly string[],
][] = [
  ['problems only', 'enforce', 'problems', [rewritten, { outcome: 'no-rule' }], []],
  ['an invalid image', 'enforce', 'problems', [invalid], ['transship: app: left alone: not an image reference']],
  [
    'a refused image',
    'enforce',
    'problems',
    [{ outcome: 'refused', reason: 'rule a: too long' }],
    ['transship: app: left alone: rule a: too long'],
  ],
  ['every rewrite', 'enforce', 'rewrites', [rewritten, { outcome: 'already-there' }], ['transship: app: nginx became r.example/nginx']],
  ['shadow mode tells rewrites always', 'shadow', 'problems', [rewritten], ['transship (shadow): app: nginx would become r.example/nginx']],
  ['a container without a name', 'enforce', 'problems', [{ ...invalid, name: '' }], ['transship: left alone: not an image reference']],
  [
    'a long name',
    'enforce',
    'problems',
    [{ ...invalid, name: 'n'.repeat(63) }],
    [`transship: ${'n'.repeat(30)}: left alone: not an image reference`],
  ],
  [
    'exactly 120 characters',
    'enforce',
    'problems',
    [{ ...invalid, name: '', reason: 'r'.repeat(97) }],
    [`transship: left alone: ${'r'.repeat(97)}`],
  ],
  ['one more', 'enforce', 'problems', [{ ...invalid, name: '', reason: 'r'.repeat(98) }], [`transship: left alone: ${'r'.repeat(96)}…`]],
  ['the same twice', 'enforce', 'problems', [invalid, invalid], ['transship: app: left alone: not an image reference']],
  [
    'control characters and half characters',
    'enforce',
    'problems',
    [{ ...invalid, name: 'a\u001b[2J\ud83d\n' }],
    ['transship: a?[2J??: left alone: not an image reference'],
  ],
  [
    'text that turns the rest around',
    'enforce',
    'problems',
    [{ ...invalid, name: 'a\u202eb\u2028' }],
    ['transship: a?b?: left alone: not an image reference'],
  ],
  // A cut through the middle of a character used to leave half of it, which is not UTF-8.
  [
    'a cut inside a character',
    'enforce',
    'problems',
    [{ ...invalid, name: '', reason: `${'r'.repeat(95)}🚢🚢` }],
    [`transship: left alone: ${'r'.repeat(95)}?…`],
  ],
];

for (const [says, mode, cover, images, expected] of sentences) {
  test(`warnings: ${says}`, (t) => {
    t.strictSame(warnings(images.map(decision), { mode, cover, manager: null }), expected);
    t.end();
  });
}

test('warnings: no more than the API server shows in full', (t) => {
  const images = Array.from({ length: 100 }, (_, index) => decision({ ...invalid, name: `c${index}`, reason: 'r'.repeat(200) }));
  const told = warnings(images, { mode: 'enforce', cover: 'problems', manager: null });
  t.equal(told.length, 30);
  t.ok(told.join('').length <= 4096);
  t.end();
});

const annotations: readonly [says: string, record: Record<string, string>, images: readonly Parts[], expected: Record<string, string>][] = [
  ['a rewrite', {}, [rewritten], { app: 'nginx -> r.example/nginx' }],
  [
    'the same on the second call',
    { app: 'nginx' },
    [{ outcome: 'already-there', image: 'r.example/nginx' }],
    { app: 'nginx -> r.example/nginx' },
  ],
  ['written by hand with its final name', {}, [{ outcome: 'already-there', image: 'r.example/nginx' }], {}],
  ['a volume', {}, [{ ...rewritten, list: 'volumes', name: 'data' }], { 'volume.data': 'nginx -> r.example/nginx' }],
  ['a problem has a key of its own', {}, [invalid], { 'problem.app': 'nginx left alone: not an image reference' }],
  ['a refused one too', {}, [{ outcome: 'refused' }], { 'problem.app': 'nginx left alone: of a reason' }],
  ['the rest is not told', {}, [{ outcome: 'no-rule' }, { outcome: 'excluded', name: 'b' }, { outcome: 'unchanged', name: 'c' }], {}],
  [
    'names that no annotation can have',
    {},
    [
      { ...rewritten, name: '' },
      { ...rewritten, name: 'a/b' },
      { ...rewritten, name: '__proto__' },
      { ...rewritten, name: 'é' },
      { ...invalid, name: '' },
    ],
    {},
  ],
  [
    'the longest name',
    {},
    [
      { ...rewritten, name: 'n'.repeat(63) },
      { ...rewritten, name: 'n'.repeat(64) },
    ],
    { ['n'.repeat(63)]: 'nginx -> r.example/nginx' },
  ],
  ['a long value is cut', {}, [{ ...invalid, image: 'i'.repeat(600) }], { 'problem.app': 'i'.repeat(512) }],
  // The second call took the later of two values, the first call the earlier one.
  [
    'a name that stands twice',
    {},
    [rewritten, { outcome: 'already-there', image: 'b' }, { ...rewritten, name: 'once' }],
    { once: 'nginx -> r.example/nginx' },
  ],
  // A record of the pod's author was taken for what a debug container had been before.
  ['a debug container with a foreign record', { app: 'foreign' }, [{ list: 'ephemeralContainers', outcome: 'already-there' }], {}],
];

for (const [says, record, images, expected] of annotations) {
  test(`audit: ${says}`, (t) => {
    const recorded = readPod(pod({ metadata: { annotations: { [originalImagesAnnotation]: JSON.stringify(record) } } }), podFields([]));
    t.strictSame(auditAnnotations(recorded, rewriteOf(images.map(decision)), null), expected);
    t.end();
  });
}

/** The second call finds another revision in force, and must not say so: the API server refuses another value for a key. */
test('audit: the rule and the revision, the same in both calls', (t) => {
  const records = { [originalImagesAnnotation]: '{"app":"nginx"}', [rewrittenByAnnotation]: '{"app":"hub@first"}' };
  const before = readPod(pod({ metadata: { annotations: {} } }), podFields([]));
  const after = readPod(pod({ metadata: { annotations: records } }), podFields([]));
  const first = auditAnnotations(before, rewriteOf([decision({ ...rewritten, rule: 'hub' })]), 'first');
  t.strictSame(first, { app: 'nginx -> r.example/nginx', 'rule.app': 'hub@first' });
  t.strictSame(auditAnnotations(after, rewriteOf([decision({ outcome: 'already-there', image: 'r.example/nginx' })]), 'second'), first);
  const withoutRule = readPod(pod({ metadata: { annotations: { [originalImagesAnnotation]: '{"app":"nginx"}' } } }), podFields([]));
  t.strictSame(auditAnnotations(withoutRule, rewriteOf([decision({ outcome: 'already-there', image: 'r.example/nginx' })]), 'second'), {
    app: 'nginx -> r.example/nginx',
  });
  const there = [decision({ outcome: 'already-there', image: 'r.example/other' })];
  t.strictSame(auditAnnotations(after, rewriteOf(there, ['app']), 'second'), {}, 'a record about the image before the update');
  t.strictSame(auditAnnotations(after, rewriteOf([decision({ list: 'ephemeralContainers', outcome: 'already-there' })]), 'second'), {});
  t.end();
});
