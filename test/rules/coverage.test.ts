import assert from 'node:assert/strict';
import * as fc from '../random/fast-check.ts';
import { test } from 'tap';
import { covers } from '../../src/rules/coverage.ts';
import type { PatternSource } from '../../src/policy/types.ts';
import { matchPattern } from '../../src/rules/pattern.ts';
import { holds } from '../image/property.ts';
import { image, pattern } from './arbitrary-policy.ts';
import { referenceOf } from '../image/parsed.ts';
import { patternOf } from './parsed-pattern.ts';

const digest = `sha256:${'0a'.repeat(32)}`;

test('which pattern makes another one useless', (t) => {
  const table: [PatternSource, PatternSource, boolean][] = [
    ['*', 'quay.io', true],
    ['*', { regex: 'x' }, true],
    ['quay.io', '*', false],
    ['quay.io', 'quay.io/acme', true],
    ['quay.io', 'quay.io/acme/*:1', true],
    ['quay.io/acme', 'quay.io', false],
    ['quay.io/acme', 'quay.io/acme/app', true],
    ['quay.io/acme', 'quay.io/acmecorp', false],
    ['quay.io/acme/*', 'quay.io/acme', false],
    ['quay.io/*/app', 'quay.io/acme/app', true],
    ['quay.io/acme/app', 'quay.io/*/app', false],
    ['*.io', 'quay.io/acme', true],
    ['*.io', 'quay.io:443/acme', false],
    ['quay.io:*', 'quay.io:443/acme', true],
    ['quay.io:*', 'quay.io/acme', true],
    ['quay.io:*', 'quay.io:*/acme', true],
    ['quay.io', 'quay.io:*', false],
    ['quay.io/acme/app:1', 'quay.io/acme/app:1', true],
    ['quay.io/acme/*:1', 'quay.io/acme/app:1', true],
    ['quay.io/acme/app:1', 'quay.io/acme/app', false],
    ['quay.io/acme/app:1', 'quay.io/acme/app:2', false],
    ['quay.io/acme/app:1', `quay.io/acme/app:1@${digest}`, false],
    ['quay.io/*:1', 'quay.io/acme/app:1', false],
    [{ regex: '^a' }, { regex: '^a' }, true],
    [{ regex: '^a' }, { regex: '^ab' }, false],
    [{ regex: 'quay.io' }, 'quay.io', false],
  ];
  for (const [outer, inner, expected] of table)
    t.equal(covers(patternOf(outer), patternOf(inner)), expected, `${JSON.stringify(outer)} covers ${JSON.stringify(inner)}`);
  t.end();
});

holds(
  'what is covered never matches alone',
  fc.property(pattern, pattern, fc.array(image, { minLength: 10, maxLength: 30 }), (first, second, images) => {
    const [outer, inner] = [patternOf(first), patternOf(second)];
    fc.pre(covers(outer, inner));
    for (const text of images) {
      const reference = referenceOf(text);
      if (matchPattern(inner, reference) !== null) assert.notEqual(matchPattern(outer, reference), null, text);
    }
  }),
  { numRuns: 300 },
);
