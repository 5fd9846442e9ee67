/** Nothing left to chance: each of these values in each place of genuine reviews, one at a time. */
import { test } from 'tap';
import type { Json } from '../builders/pod.ts';
import { places, put, valueAt } from './documents.ts';
import { checkReview, reviewTexts } from './review-target.ts';

const values: readonly Json[] = [null, 0, '', [], {}, [null], { image: 1, name: {} }];
/** A few that differ, of a size at which every place can be had. */
const chosen = reviewTexts.filter((text) => text.length < 6_000).filter((_text, index) => index % 7 === 0);

test('null, numbers, strings, lists and objects in every place', (t) => {
  const counts: Record<string, number> = {};
  for (const text of chosen) {
    const document: Json = JSON.parse(text);
    for (const place of places(document)) {
      const kept = valueAt(place) ?? null;
      for (const value of values) {
        put(place, value);
        const outcome = checkReview(Buffer.from(JSON.stringify(document)), { mode: 'enforce', policyNumber: 0 });
        counts[outcome] = (counts[outcome] ?? 0) + 1;
      }
      put(place, kept);
    }
  }
  t.ok((counts['patched'] ?? 0) > 1000 && (counts['unpatched'] ?? 0) > 100 && (counts['REVIEW_INVALID'] ?? 0) > 50, JSON.stringify(counts));
  t.notOk(counts['BODY_NOT_JSON'], 'all of it is JSON');
  t.end();
});
