import assert from 'node:assert/strict';
import * as fc from '../random/fast-check.ts';
import { test } from 'tap';
import { matchPattern } from '../../src/rules/pattern.ts';
import { firstAccepted, indexPatterns } from '../../src/rules/pattern-index.ts';
import { holds } from '../image/property.ts';
import { image, pattern } from './arbitrary-policy.ts';
import { decider, type RuleInput } from './policy.ts';
import { referenceOf } from '../image/parsed.ts';
import { patternOf } from './parsed-pattern.ts';

holds(
  'the index finds what a scan in order finds, and offers candidates in order',
  fc.property(fc.array(pattern, { maxLength: 40 }), fc.array(image, { minLength: 1, maxLength: 20 }), (sources, images) => {
    const patterns = sources.map(patternOf);
    const index = indexPatterns(patterns.map((entry, order) => ({ pattern: entry, value: order })));
    for (const text of images) {
      const reference = referenceOf(text);
      const matching = patterns.flatMap((entry, order) => (matchPattern(entry, reference) === null ? [] : order));
      const offered: number[] = [];
      firstAccepted(index, reference, ({ pattern: entry, value }) => {
        if (matchPattern(entry, reference) !== null) offered.push(value);
        return null;
      });
      assert.deepEqual(offered, matching);
      const first = firstAccepted(index, reference, (entry) => (matchPattern(entry.pattern, reference) === null ? null : entry.value));
      assert.equal(first, matching[0] ?? null);
    }
  }),
  { numRuns: 500 },
);

function named(name: string, images: RuleInput['match']['images']): RuleInput {
  return { name, match: { images }, rewrite: { as: 'path', registry: 'mirror' } };
}

/** 1500 rules, each with a host of its own. */
function filler(from: number): RuleInput[] {
  return Array.from({ length: 1500 }, (_, index) => named(`filler-${from + index}`, [`reg-${from + index}.example/team`]));
}

test('among thousands of rules the first that matches decides, wherever the index keeps it', (t) => {
  const decide = decider({
    registries: { mirror: { host: 'mirror.example' } },
    rules: [
      ...filler(0),
      named('component', ['quay.io/acme']),
      ...filler(2000),
      named('regex', [{ regex: '^quay\\.io/[a-z]+/app' }]),
      named('host', ['quay.io']),
      named('glob-host', ['*.k8s.io']),
      ...filler(4000),
      named('everything', ['*']),
      named('never', ['quay.io/late']),
    ],
  });
  const table: [string, string][] = [
    ['quay.io/acme/app', 'component'],
    ['quay.io/other/app', 'regex'],
    ['quay.io/other/tool', 'host'],
    ['quay.io/late/app/tool', 'regex'],
    ['registry.k8s.io/pause:3.10', 'glob-host'],
    ['nginx', 'everything'],
    ['reg-0.example/team/app', 'filler-0'],
    ['reg-1499.example/team', 'filler-1499'],
    ['reg-5499.example/team/app', 'filler-5499'],
    ['reg-5499.example/teams/app', 'everything'],
  ];
  for (const [text, rule] of table) t.equal(decide(text).rule, rule, text);
  t.end();
});

test('finding a rule tries few of thousands of patterns', (t) => {
  const index = indexPatterns(
    Array.from({ length: 5000 }, (_, order) => ({ pattern: patternOf(`reg-${order % 50}.example/team-${order}`), value: order })),
  );
  let tried = 0;
  firstAccepted(index, referenceOf('reg-7.example/team-4957/app'), () => {
    tried += 1;
    return null;
  });
  t.equal(tried, 1);
  t.end();
});
