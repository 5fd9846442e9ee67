/** The playground in a real Chromium, as `transship play` serves it. */
import { test, type Test } from 'tap';
import { transship } from '../cli/child.ts';
import { until } from '../server/until.ts';
import { accessibilityProblems, browserSkipReason, openPage, type ColourScheme, type OpenPage } from './chromium.ts';

const options = { skip: browserSkipReason() };

async function playground(t: Test, colours?: ColourScheme): Promise<OpenPage> {
  const child = transship(t, { args: ['play', '--port', '0'] });
  const url = await until('the address', () => /^(http:.*)\n/.exec(child.stdout())?.[1]);
  t.match(url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  return await openPage(t, url, colours);
}

for (const colours of ['light', 'dark'] as const)
  test(`${colours}: nothing is fetched, nothing is refused, and axe finds nothing`, options, async (t) => {
    const { page, requests, messages } = await playground(t, colours);
    t.equal(await page.textContent('#policy-status'), 'The policy is valid, 0 warnings');
    t.same(await accessibilityProblems(page), []);
    await page.fill('#policy', 'kind: RewritePolicy\nrulez: []\n');
    await page.waitForSelector('#findings li');
    t.same(await accessibilityProblems(page), []);
    t.same(
      requests.filter((each) => !each.endsWith('/favicon.ico')),
      [],
    );
    t.same(
      messages.filter((text) => !text.includes('404')),
      [],
    );
  });

test('what is typed is decided', options, async (t) => {
  const { page } = await playground(t);
  const rows = (): Promise<string[]> => page.locator('#decisions tr').allInnerTexts();
  t.match((await rows())[0], /^nginx:1\.27\s+localhost:30500\/library\/nginx:1\.27\s+hub\s+rewritten/);
  await page.fill('#input', 'quay.io/acme/app');
  await page.waitForSelector('#decisions tr:only-child');
  t.match(await rows(), [/proxy\.replicated\.com\/proxy\/my-app\/quay\.io\/acme\/app\s+with pull secrets replicatedregistrykey\s+vendor/]);
  t.equal(await page.textContent('#input-status'), '1 of 1 image rewritten');

  await page.fill('#input', 'kind: Pod\nmetadata: { name: <b>a</b> }\nspec: { containers: [{ image: "<img src=x onerror=alert(1)>" }] }');
  await page.waitForSelector('#decisions >> text=onerror');
  t.match(await rows(), [/<img src=x onerror=alert\(1\)>\s+stays\s+-\s+invalid/], 'as text');
});

test('a broken policy: a finding at its line, which leads there', options, async (t) => {
  const { page } = await playground(t);
  await page.fill('#policy', 'apiVersion: transship.dev/v1\nkind: RewritePolicy\nrulez: []\n');
  await page.waitForSelector('#findings li');
  t.equal(await page.textContent('#findings li'), 'error in line 3: unknown key rulez; did you mean rules? (unknown-key)');
  t.equal(await page.getAttribute('#policy-lines div:nth-child(3)', 'class'), 'error');
  t.equal(await page.textContent('#policy-status'), '1 error: the policy is not used');
  t.equal(await page.textContent('#input-status'), 'Nothing is decided until the policy is valid');
  await page.focus('#findings button');
  await page.keyboard.press('Enter');
  t.equal(await page.evaluate("document.activeElement.id + ' ' + document.activeElement.selectionStart"), 'policy 49');
});
