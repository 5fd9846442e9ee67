/** The page of `scan --html` in a real Chromium: what a reader sees, with a mouse, with a keyboard, in the dark, and without a network. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test, type Test } from 'tap';
import { transship } from '../cli/terminal.ts';
import { accessibilityProblems, browserSkipReason, openPage, type ColourScheme, type OpenPage } from './chromium.ts';

const options = { skip: browserSkipReason() };

const hostile = `evil.example/</script><script>document.title='broken'</script><img src=https://evil.example/x onerror=alert(1)>`;
const policy = `apiVersion: transship.dev/v1
kind: RewritePolicy
registries: { mirror: { host: mirror.example.com } }
rules:
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path } }
  - { name: quay, match: { images: [quay.io] }, rewrite: { registry: mirror, as: fullName } }
`;
const pod = (namespace: string, name: string, image: string): string =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name }, spec: { containers: [{ name: 'main', image }] } });
const manifests = [
  pod('shop', 'a', 'nginx:1.27'),
  pod('shop', 'b', 'quay.io/acme/app:2'),
  pod('shop', 'c', 'quay.io/acme/app:10'),
  pod('billing', 'd', 'redis:7'),
  pod('billing', 'e', 'k8s.gcr.io/pause:3.2'),
  pod('billing', 'f', hostile),
].join('\n---\n');

async function report(t: Test, args: readonly string[], colours?: ColourScheme): Promise<OpenPage> {
  const folder = t.testdir({ 'policy.yaml': policy, 'pods.yaml': manifests });
  const file = join(folder, 'report.html');
  const words = args.map((word) => (word === 'policy.yaml' ? join(folder, word) : word));
  const { code, stderr } = await transship(['scan', '-f', join(folder, 'pods.yaml'), '--html', file, ...words]);
  t.equal(code, 0, stderr);
  return await openPage(t, pathToFileURL(file).href, colours);
}

const withPolicy = ['--policy', 'policy.yaml'];
const images = '#changes tbody tr:not(.group) td:nth-child(4)';

for (const colours of ['light', 'dark'] as const)
  for (const args of [[], withPolicy])
    test(
      `${colours}, ${args.length === 0 ? 'without' : 'with'} a policy: nothing is fetched, nothing is refused, and axe finds nothing`,
      options,
      async (t) => {
        const { page, requests, messages } = await report(t, args, colours);
        t.same(await accessibilityProblems(page), []);
        t.same(requests, []);
        t.same(messages, []);
        t.match(await page.title(), / - transship$/, 'a hostile image is text');
        t.ok((await page.textContent('#images'))?.includes(hostile));
      },
    );

test('sort, filter and group', options, async (t) => {
  const { page } = await report(t, withPolicy);
  const shown = (): Promise<string[]> => page.locator(images).allTextContents();
  t.same(
    await shown(),
    ['redis:7', 'nginx:1.27', 'quay.io/acme/app:10', 'quay.io/acme/app:2'],
    'by namespace, as in the table of the terminal',
  );
  await page.click('#changes th >> text=Image');
  t.same(await shown(), ['nginx:1.27', 'quay.io/acme/app:2', 'quay.io/acme/app:10', 'redis:7'], 'numbers by their value');
  t.equal(await page.getAttribute('#changes th:nth-child(4)', 'aria-sort'), 'ascending');
  await page.click('#changes th >> text=Image');
  t.same((await shown())[0], 'redis:7', 'and once more the other way');

  await page.fill('#filter', 'ACME');
  t.same(await shown(), ['quay.io/acme/app:10', 'quay.io/acme/app:2']);
  t.equal(await page.textContent('[data-count=changes]'), '2 of 4');
  await page.fill('#filter', '');
  t.equal(await page.textContent('[data-count=changes]'), '4');

  await page.selectOption('[data-group=changes]', { label: 'Rule' });
  t.same(await page.locator('#changes tr.group').allTextContents(), ['hub (2)', 'quay (2)']);
  t.same(await accessibilityProblems(page), []);
  await page.selectOption('[data-group=changes]', { label: 'nothing' });
  t.equal(await page.locator('#changes tr.group').count(), 0);
});

test('with the keyboard alone', options, async (t) => {
  const { page } = await report(t, withPolicy);
  await page.keyboard.press('Tab');
  await page.keyboard.type('redis');
  t.same(await page.locator(images).allTextContents(), ['redis:7'], 'the filter comes first');
  await page.focus('#changes th:nth-child(4) button');
  await page.keyboard.press('Enter');
  t.equal(await page.getAttribute('#changes th:nth-child(4)', 'aria-sort'), 'ascending');
});

test('the picture says in words what it shows', options, async (t) => {
  const { page } = await report(t, withPolicy);
  t.equal(
    await page.getAttribute('svg', 'aria-label'),
    'docker.io to mirror.example.com: 2; quay.io to mirror.example.com: 2; (no reference) to (no reference): 1; k8s.gcr.io to k8s.gcr.io: 1',
  );
});

test('every row is in the file, and paper has nothing to click', options, async (t) => {
  const { page } = await report(t, withPolicy);
  const text = await page.content();
  t.ok(text.includes('mirror.example.com/quay.io/acme/app:10'));
  await page.emulateMedia({ media: 'print' });
  t.notOk(await page.isVisible('#filter'));
});
