import { test } from 'tap';

import { ImageCheck } from '../../../src/controller/verify/image-check.ts';
import { countResults, problemTexts, statusOf } from '../../../src/controller/verify/verify-status.ts';
import { referenceOf } from '../../../src/image/reference.ts';
import type { ManifestAnswer } from '../../../src/registry/distribution/client.ts';
import { emptyStatus, formatStatus, parseStatus } from '../../../src/registry/verify-status.ts';

const digest = `sha256:${'0a'.repeat(32)}`;
const present: ManifestAnswer = { result: 'present', digest: null };
const missing: ManifestAnswer = { result: 'missing' };
const failed = (result: 'unauthorized' | 'unreachable' | 'too-many-requests' | 'unknown'): ManifestAnswer => ({
  result,
  reason: `a.example answered ${result}`,
  retryAfter: null,
});

function check(image = 'a.example/app:1', missingSince: number | null = null): ImageCheck {
  const reference = referenceOf(image);
  if (reference === null) throw new Error(image);
  return new ImageCheck({ image, registry: 'a', source: 'app:1' }, reference, missingSince);
}

test('what is known after each answer', (t) => {
  const one = check();
  t.equal(one.result, 'unchecked');
  const steps: readonly (readonly [ManifestAnswer, changed: boolean, result: string, since: number])[] = [
    [failed('too-many-requests'), false, 'unchecked', 0],
    [failed('unreachable'), true, 'unreachable', 2],
    [failed('unreachable'), false, 'unreachable', 2],
    [missing, true, 'missing', 4],
    [missing, false, 'missing', 4],
    [failed('unreachable'), false, 'missing', 4],
    [failed('too-many-requests'), false, 'missing', 4],
    [failed('unauthorized'), true, 'unauthorized', 8],
    [failed('unknown'), true, 'unknown', 9],
    [present, true, 'present', 10],
    [failed('unreachable'), false, 'present', 10],
    [missing, true, 'missing', 12],
  ];
  for (const [index, [answer, changed, result, since]] of steps.entries()) {
    const title = `${index + 1}: ${answer.result}`;
    t.equal(one.take(answer, index + 1), changed, title);
    t.strictSame([one.result, one.since], [result, since], title);
  }
  const kept = check('a.example/app:1', 7);
  t.strictSame([kept.result, kept.since], ['missing', 7], 'what an earlier leader found');
  t.equal(kept.take(missing, 20), false);
  t.equal(kept.since, 7);
  t.end();
});

test('when it is asked for again', (t) => {
  const within = (value: number, least: number, most: number, title: string): void => {
    t.ok(value >= least && value <= most, `${title}: ${value}`);
  };
  const tag = check();
  tag.take(missing, 1);
  for (const [seconds, title] of [
    [10, 'first'],
    [20, 'second'],
    [40, 'third'],
  ] as const)
    within(tag.nextDelay(), seconds * 1000, seconds * 1500, title);
  for (let turn = 0; turn < 10; turn += 1) tag.nextDelay();
  within(tag.nextDelay(), 600_000, 900_000, 'the longest');
  tag.expectChange();
  within(tag.nextDelay(), 10_000, 15_000, 'with other credentials');
  tag.take(present, 2);
  within(tag.nextDelay(), 3_240_000, 3_960_000, 'a tag that is there');
  tag.take(missing, 3);
  within(tag.nextDelay(), 10_000, 15_000, 'missing again');
  const fixed = check(`a.example/app@${digest}`);
  fixed.take(present, 1);
  within(fixed.nextDelay(), 38_880_000, 47_520_000, 'a digest that is there');
  t.end();
});

function checked(image: string, ...answers: ManifestAnswer[]): ImageCheck {
  const one = check(image);
  for (const [index, answer] of answers.entries()) one.take(answer, Date.UTC(2026, 5, 1) + index);
  return one;
}

test('the status of all registries', (t) => {
  const since = '2026-06-01T00:00:00.000Z';
  const registries = new Map([
    [
      'a',
      { checks: [checked('a.example/b:1', missing), checked('a.example/a:1', missing), checked('a.example/c:1', present)], trouble: null },
    ],
    [
      'b',
      {
        checks: [checked('b.example/a:1', failed('unauthorized')), checked('b.example/b:1', failed('unauthorized'))],
        trouble: { result: 'unreachable' as const, reason: 'b.example: it does not answer', since: Date.UTC(2026, 5, 1) },
      },
    ],
  ]);
  const status = parseStatus(formatStatus(statusOf(registries, 3)));
  const entry = (image: string) => ({ image, registry: 'a', source: 'app:1', since });
  t.strictSame(status, {
    missing: [entry('a.example/a:1'), entry('a.example/b:1')],
    more: 0,
    problems: [
      { registry: 'b', result: 'unreachable', reason: 'b.example: it does not answer', since },
      { registry: 'b', result: 'unauthorized', reason: 'a.example answered unauthorized for b.example/a:1', since },
    ],
    leftOut: 3,
  });
  t.strictSame(problemTexts(status ?? emptyStatus), [
    'registry b: b.example: it does not answer',
    'registry b: a.example answered unauthorized for b.example/a:1',
    'registry a lacks 2 images that pods need: a.example/a:1, a.example/b:1',
    '3 images are not checked, because there are too many',
  ]);
  t.strictSame(
    [...countResults(registries.get('a')?.checks ?? [])],
    [
      ['missing', 2],
      ['present', 1],
    ],
  );
  t.end();
});

test('a long status is cut off, and says so', (t) => {
  const images = Array.from({ length: 5_000 }, (_, index) => ({
    image: `mirror.example/${'deep/'.repeat(10)}app-${String(index).padStart(4, '0')}:1`,
    registry: 'mirror',
    source: 'app:1',
    since: '2026-06-01T00:00:00.000Z',
  }));
  const text = formatStatus({ ...emptyStatus, missing: images.toReversed() });
  t.ok(text.length < 512 * 1024);
  const status = parseStatus(text);
  t.ok((status?.more ?? 0) > 0);
  t.equal((status?.missing.length ?? 0) + (status?.more ?? 0), 5_000);
  t.strictSame(status?.missing, images.slice(0, status?.missing.length), 'the first by name');
  t.equal(problemTexts(status ?? emptyStatus).length, 1);
  t.match(problemTexts(status ?? emptyStatus)[0], /app-0004:1 and \d+ more$/);
  t.end();
});

test('what is no status', (t) => {
  for (const text of [undefined, '', '{', 'null', '7', '"x"']) t.equal(parseStatus(text), null, String(text));
  const odd = JSON.stringify({
    missing: [{ image: 7 }, null, 'x', { image: 'a', registry: 'b', source: 'c', since: 'd' }],
    problems: 'none',
    more: '7',
  });
  t.strictSame(parseStatus(odd), { missing: [{ image: 'a', registry: 'b', source: 'c', since: 'd' }], more: 0, problems: [], leftOut: 0 });
  t.end();
});
