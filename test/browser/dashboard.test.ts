/** The page that the picture of the dashboard is made of: every panel of the shipped JSON is drawn, at its place. */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { test } from 'tap';
import { pageOf, type Drawn } from '../monitoring/dashboard-picture.ts';
import { browserSkipReason, openPage } from './chromium.ts';

const { panels }: { panels: readonly Drawn[] } = JSON.parse(
  readFileSync(new URL('../../charts/transship/files/dashboard.json', import.meta.url), 'utf8'),
);
const times = [0, 1, 2].map((second) => 1_800_000_000 + second);

test('every panel is drawn, one without data says so, and none is in the way of another', { skip: browserSkipReason() }, async (t) => {
  const [, empty] = panels;
  const drawn = panels.map((panel) => ({
    ...panel,
    times,
    series: panel === empty ? [] : [{ legend: '</script><b>legend', values: [1e-3, null, 1e9] }],
  }));
  const file = `${t.testdir({})}/dashboard.html`;
  writeFileSync(file, pageOf(drawn));
  const { page, requests, messages } = await openPage(t, pathToFileURL(file).href);
  t.strictSame([...requests, ...messages], []);
  t.strictSame(
    await page.locator('h2').allTextContents(),
    panels.map(({ title }) => title),
  );
  const series = panels.filter(({ type }) => type === 'timeseries').length;
  t.equal(await page.locator('canvas').count(), series - 1);
  t.equal(await page.getByText('No data').count(), 1);
  t.equal(await page.getByText('</script><b>legend').count(), series - 1);
  const boxes: Box[] = await page.evaluate(
    "[...document.querySelectorAll('section')].map((each) => each.getBoundingClientRect().toJSON())",
  );
  t.equal(boxes.length, panels.length);
  t.strictSame(
    boxes.flatMap((a, index) => boxes.slice(index + 1).flatMap((b) => (overlap(a, b) ? [[a, b]] : []))),
    [],
  );
});

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
