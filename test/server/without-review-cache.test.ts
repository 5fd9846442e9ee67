/** The same tests with `--review-cache=false`: whoever takes the cache out loses speed and nothing else. */
import { test } from 'tap';

process.env['TRANSSHIP_REVIEW_CACHE'] = 'false';
for (const file of ['routes', 'decision', 'metrics', 'policy-reload', 'review-log', '../fuzz/fuzz', '../fuzz/hostile'])
  await import(new URL(`${file}.test.ts`, import.meta.url).href);

test('the cache was off', (t) => {
  t.equal(process.env['TRANSSHIP_REVIEW_CACHE'], 'false');
  t.end();
});
