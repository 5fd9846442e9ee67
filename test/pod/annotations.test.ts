import { test } from 'tap';
import { maxRecordLength, originalImagesAnnotation, rewrittenByAnnotation, type Annotations } from '../../src/pod/annotations.ts';
import { podFields, readPod } from '../../src/pod/pod.ts';
import { recordRewrites } from '../../src/pod/records.ts';
import type { Operation } from '../../src/patch/operations.ts';
import { pod, type Json } from '../builders/pod.ts';

const path = '/metadata/annotations/transship.dev~1original-images';
const totalLimit = 256 * 1024;
const longestImage = 'i'.repeat(maxRecordLength - '{"a":""}'.length);

function annotated(annotations: Json): Annotations {
  return readPod(pod({ metadata: { annotations } }), podFields([])).annotations;
}

function recorded(record: string, more: Record<string, string> = {}): Annotations {
  return annotated({ ...more, [originalImagesAnnotation]: record });
}

const readings: readonly [says: string, annotations: Json, expected: readonly (readonly [string, string])[]][] = [
  ['none', null, []],
  ['others only', { other: 'x' }, []],
  [
    'a record',
    { [originalImagesAnnotation]: '{"a":"nginx","b":"redis"}' },
    [
      ['a', 'nginx'],
      ['b', 'redis'],
    ],
  ],
  [
    'names of digits keep their place, whatever else has such a text',
    { [originalImagesAnnotation]: String.raw`{"web":"\"1\":","10" :"nginx","b\u0000":"10","1":"redis","web":"last"}` },
    [
      ['web', 'last'],
      ['10', 'nginx'],
      ['b\u0000', '10'],
      ['1', 'redis'],
    ],
  ],
  ['not JSON', { [originalImagesAnnotation]: '{a' }, []],
  ['a list', { [originalImagesAnnotation]: '["a"]' }, []],
  [
    'other types are left out',
    { [originalImagesAnnotation]: '{"a":1,"b":"redis","c":null,"__proto__":"x"}' },
    [
      ['b', 'redis'],
      ['__proto__', 'x'],
    ],
  ],
  ['no text', { [originalImagesAnnotation]: 5 }, []],
];

for (const [says, annotations, expected] of readings) {
  test(`read: ${says}`, (t) => {
    t.strictSame([...annotated(annotations).originalImages.entries], expected);
    t.end();
  });
}

const rulePath = '/metadata/annotations/transship.dev~1rewritten-by';

interface Row {
  readonly says: string;
  readonly pod: Annotations;
  /** `a` was `nginx` unless told. */
  readonly rewritten?: readonly (readonly [string, string])[];
  readonly expected: readonly Operation[];
}

const rows: readonly Row[] = [
  { says: 'nothing to record', pod: annotated({}), rewritten: [], expected: [] },
  {
    says: 'no annotations',
    pod: annotated(null),
    expected: [{ op: 'add', path: '/metadata/annotations', value: { [originalImagesAnnotation]: '{"a":"nginx"}' } }],
  },
  { says: 'empty annotations', pod: annotated({}), expected: [{ op: 'add', path, value: '{"a":"nginx"}' }] },
  { says: 'no metadata', pod: readPod(pod({ metadata: null }), podFields([])).annotations, expected: [] },
  // A text in the place of the map used to be replaced by a map.
  { says: 'annotations that are no map', pod: annotated('text'), expected: [] },
  { says: 'an entry joins', pod: recorded('{"b":"redis"}'), expected: [{ op: 'replace', path, value: '{"b":"redis","a":"nginx"}' }] },
  {
    says: 'a later value counts',
    pod: recorded('{"a":"old","b":"redis"}'),
    expected: [{ op: 'replace', path, value: '{"a":"nginx","b":"redis"}' }],
  },
  { says: 'known already', pod: recorded('{"a":"nginx"}'), expected: [] },
  { says: 'a record that is not ours to understand', pod: recorded('{a'), expected: [{ op: 'replace', path, value: '{"a":"nginx"}' }] },
  {
    says: 'a record that is no text',
    pod: annotated({ [originalImagesAnnotation]: 5 }),
    expected: [{ op: 'add', path, value: '{"a":"nginx"}' }],
  },
  {
    says: 'ASCII only',
    pod: annotated({}),
    rewritten: [['é🚢', 'a"\u007f']],
    expected: [{ op: 'add', path, value: '{"\\u00e9\\ud83d\\udea2":"a\\"\\u007f"}' }],
  },
  {
    says: 'names that trip JavaScript up',
    pod: annotated({}),
    rewritten: [
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ],
    expected: [{ op: 'add', path, value: '{"__proto__":"x","constructor":"y"}' }],
  },
  {
    says: 'the longest record',
    pod: annotated({}),
    rewritten: [['a', longestImage]],
    expected: [{ op: 'add', path, value: `{"a":"${longestImage}"}` }],
  },
  { says: 'one character more', pod: annotated({}), rewritten: [['a', `${longestImage}i`]], expected: [] },
  {
    says: 'what fits is recorded',
    pod: annotated({}),
    rewritten: [
      ['a', `${longestImage}i`],
      ['b', 'redis'],
    ],
    expected: [{ op: 'add', path, value: '{"b":"redis"}' }],
  },
  // An entry that did not fit used to leave the old one, which was then wrong.
  {
    says: 'an old entry whose successor does not fit',
    pod: recorded('{"a":"old","b":"redis"}'),
    rewritten: [['a', longestImage]],
    expected: [{ op: 'replace', path, value: '{"b":"redis"}' }],
  },
  {
    says: 'the only entry, whose successor does not fit',
    pod: recorded('{"a":"old"}'),
    rewritten: [['a', `${longestImage}i`]],
    expected: [{ op: 'remove', path }],
  },
  { says: 'annotations that are full', pod: annotated({ note: 'x'.repeat(totalLimit - 4) }), expected: [] },
  {
    says: 'full with a record that would be wrong',
    pod: recorded('{"a":"o"}', { note: 'x'.repeat(totalLimit - 45) }),
    expected: [{ op: 'remove', path }],
  },
  { says: 'full with a record of something else', pod: recorded('{"b":"o"}', { note: 'x'.repeat(totalLimit - 45) }), expected: [] },
];

test('records: stale entries are removed, and an empty record with them', (t) => {
  const nothing = { originalImages: new Map(), rewrittenBy: new Map() };
  const full = annotated({ [originalImagesAnnotation]: '{"a":"nginx","b":"redis"}', [rewrittenByAnnotation]: '{"a":"hub@0123456789ab"}' });
  t.strictSame(recordRewrites(full, nothing, new Set(['a'])), [
    { op: 'replace', path, value: '{"b":"redis"}' },
    { op: 'remove', path: rulePath },
  ]);
  t.strictSame(recordRewrites(full, nothing, new Set(['c'])), []);
  t.strictSame(recordRewrites(recorded('{"a":"nginx"}'), nothing, new Set(['a'])), [{ op: 'remove', path }]);
  t.end();
});

const aWasNginx: NonNullable<Row['rewritten']> = [['a', 'nginx']];

for (const { says, pod: before, rewritten = aWasNginx, expected } of rows) {
  test(`record: ${says}`, (t) => {
    t.strictSame(recordRewrites(before, { originalImages: new Map(rewritten), rewrittenBy: new Map() }), expected);
    t.end();
  });
}

/** Bytes that the record of `a` adds: its key, and `{"a":"nginx"}`. */
const own = originalImagesAnnotation.length + '{"a":"nginx"}'.length;

const totals: readonly [says: string, annotations: Record<string, string>, fits: boolean][] = [
  ['exactly the limit', { note: 'x'.repeat(totalLimit - own - 4) }, true],
  ['one byte more', { note: 'x'.repeat(totalLimit - own - 3) }, false],
  ['bytes, not characters, exactly the limit', { note: 'é'.repeat((totalLimit - own - 4) / 2) }, true],
  ['bytes, not characters, one character more', { note: 'é'.repeat((totalLimit - own - 2) / 2) }, false],
  // The old record counted beside the new one.
  ['what is replaced does not count', { note: 'x'.repeat(totalLimit - own - 4), [originalImagesAnnotation]: '{"a":"o"}' }, true],
];

for (const [says, annotations, fits] of totals) {
  test(`all annotations together: ${says}`, (t) => {
    const [operation] = recordRewrites(annotated(annotations), { originalImages: new Map([['a', 'nginx']]), rewrittenBy: new Map() });
    t.equal(operation !== undefined && operation.op !== 'remove', fits);
    t.end();
  });
}

const images = new Map([['a', 'nginx']]);
const rules = new Map([['a', 'hub@0123456789ab']]);
const imageRecord = '{"a":"nginx"}';
const ruleRecord = '{"a":"hub@0123456789ab"}';
const spaceOfBoth = own + rewrittenByAnnotation.length + ruleRecord.length + 'note'.length;

/** The rule beside the image, as `transship why` reads it. */
const both: readonly (readonly [says: string, annotations: Json, expected: readonly Operation[]])[] = [
  [
    'no annotations: one map with both',
    null,
    [{ op: 'add', path: '/metadata/annotations', value: { [originalImagesAnnotation]: imageRecord, [rewrittenByAnnotation]: ruleRecord } }],
  ],
  [
    'empty annotations',
    {},
    [
      { op: 'add', path, value: imageRecord },
      { op: 'add', path: rulePath, value: ruleRecord },
    ],
  ],
  [
    'a second call keeps the entries of the first, whatever the revision was then',
    { [originalImagesAnnotation]: '{"b":"redis"}', [rewrittenByAnnotation]: '{"b":"hub@ba9876543210"}' },
    [
      { op: 'replace', path, value: '{"b":"redis","a":"nginx"}' },
      { op: 'replace', path: rulePath, value: '{"b":"hub@ba9876543210","a":"hub@0123456789ab"}' },
    ],
  ],
  ['both are known', { [originalImagesAnnotation]: imageRecord, [rewrittenByAnnotation]: ruleRecord }, []],
  [
    'space for both, exactly',
    { note: 'x'.repeat(totalLimit - spaceOfBoth) },
    [
      { op: 'add', path, value: imageRecord },
      { op: 'add', path: rulePath, value: ruleRecord },
    ],
  ],
  ['space for one: the image', { note: 'x'.repeat(totalLimit - spaceOfBoth + 1) }, [{ op: 'add', path, value: imageRecord }]],
  [
    'space for one, and the rule of before would be wrong',
    { note: 'x'.repeat(totalLimit - spaceOfBoth + 1), [rewrittenByAnnotation]: '{"a":"x@0123456789ab"}' },
    [
      { op: 'add', path, value: imageRecord },
      { op: 'remove', path: rulePath },
    ],
  ],
];

const oneByteLess = { note: 'x'.repeat(totalLimit - 'note'.length - own + 1) };
const spaceOfOther = own + rewrittenByAnnotation.length + '{"b":"é@r"}'.length + 1 + 'note'.length;

const alone: typeof both = [
  // The rule used to be recorded without its image.
  ['no space for the image: no rule either', { ...oneByteLess, [rewrittenByAnnotation]: '{"b":"x@r"}' }, []],
  [
    'no space for the image, and the rule of before would be wrong',
    { ...oneByteLess, [rewrittenByAnnotation]: '{"a":"x@r"}' },
    [{ op: 'remove', path: rulePath }],
  ],
  [
    'space for the image and the rule of another, exactly',
    { note: 'x'.repeat(totalLimit - spaceOfOther), [rewrittenByAnnotation]: '{"b":"é@r"}' },
    [{ op: 'add', path, value: imageRecord }],
  ],
  // It used to stay, and the API server refused the pod.
  [
    'space for the image, and not for the rule of another beside it',
    { note: 'x'.repeat(totalLimit - spaceOfOther + 1), [rewrittenByAnnotation]: '{"b":"é@r"}' },
    [
      { op: 'add', path, value: imageRecord },
      { op: 'remove', path: rulePath },
    ],
  ],
];

for (const [says, annotations, expected] of [...both, ...alone]) {
  test(`both records: ${says}`, (t) => {
    t.strictSame(recordRewrites(annotated(annotations), { originalImages: images, rewrittenBy: rules }), expected);
    t.end();
  });
}

test('both records: an image that is not recorded has no rule', (t) => {
  const long = new Map([
    ['a', `${longestImage}i`],
    ['b', 'redis'],
  ]);
  const before = annotated({ [rewrittenByAnnotation]: '{"a":"x@r","c":"y@r"}' });
  t.strictSame(
    recordRewrites(before, {
      originalImages: long,
      rewrittenBy: new Map([
        ['a', 'hub@r'],
        ['b', 'hub@r'],
      ]),
    }),
    [
      { op: 'add', path, value: '{"b":"redis"}' },
      { op: 'replace', path: rulePath, value: '{"c":"y@r","b":"hub@r"}' },
    ],
  );
  t.end();
});
