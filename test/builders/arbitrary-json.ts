/** JSON as hostile as it gets: every type, the names that trip JavaScript up, halves of characters. */
import * as fc from '../random/fast-check.ts';
import type { Json } from './pod.ts';

/** Half of a character: legal in JSON text, impossible in UTF-8. */
export const loneSurrogate = '\ud83d';

const key = fc.constantFrom(
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'length',
  '0',
  '',
  'a/b',
  '~0~1',
  'name',
  'image',
  'reference',
  'spec',
  'metadata',
  loneSurrogate,
);

const leaf: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom(null, true, false, 0, -0, 1.5, 1e300, -1, '', 'nginx', '\u0000', '🚢', loneSurrogate),
  fc.string({ unit: 'binary', maxLength: 8 }),
);

export const json: fc.Arbitrary<Json> = fc.letrec<{ any: Json }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    fc.array(tie('any'), { maxLength: 3 }),
    // From entries, so that `__proto__` is a member like any other, as JSON.parse makes it.
    fc.array(fc.tuple(key, tie('any')), { maxLength: 3 }).map((entries) => Object.fromEntries(entries)),
  ),
})).any;
