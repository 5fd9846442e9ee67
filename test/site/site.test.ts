/** `npm run docs`: the site that it builds, and, in a real Chromium, what a reader of it sees, finds and can do. */
import { execFile } from 'node:child_process';
import { globSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import tap, { test, type Test } from 'tap';
import { accessibilityProblems, browserSkipReason, openPage } from '../browser/chromium.ts';

// Much longer than it takes: a busy machine must end it by itself.
tap.setTimeout(600_000);

const project = fileURLToPath(new URL('../..', import.meta.url));
const { version, repository }: { version: string; repository: { url: string } } = JSON.parse(
  readFileSync(join(project, 'package.json'), 'utf8'),
);
const homepage = repository.url.replace(/^git\+|\.git$/g, '');
const options = { skip: browserSkipReason() };

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function node(args: readonly string[], cwd = project): Promise<Ended> {
  const { NODE_OPTIONS: _nodeOptions, ...env } = process.env;
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [...args], { cwd, env })) };
  } catch (error) {
    return error as Ended;
  }
}

const folder = tap.testdir();
const site = join(folder, 'site');
const filesOf = (root: string): string[] =>
  globSync('**/*', { cwd: root })
    .filter((path) => statSync(join(root, path)).isFile())
    .toSorted();
const pagesOf = (): string[] => filesOf(join(site, version)).filter((path) => path.endsWith('.html'));
const read = (path: string): string => readFileSync(join(site, version, path), 'utf8');

test('one command builds it', async (t) => {
  const { code, stdout, stderr } = await node(['tools/site/site.ts', '--output', site]);
  t.equal(code, 0, stderr);
  t.equal(stdout, `${join(site, 'index.html')}\n`);
  const sources = globSync('**/*.md', { cwd: join(project, 'docs') }).map((path) => path.replace(/\.md$/, '.html'));
  t.strictSame(pagesOf(), sources.toSorted(), 'a page for each document');
  t.strictSame(filesOf(join(site, 'latest')), filesOf(join(site, version)));
  t.match(readFileSync(join(site, 'index.html'), 'utf8'), 'url=latest/index.html');
  for (const file of ['reference/policy.schema.json', 'images/playground.png'])
    t.strictSame(readFileSync(join(site, version, file)), readFileSync(join(project, 'docs', file)), file);
});

test('a page has what its document has', (t) => {
  const platforms = read('guides/platforms.html');
  t.match(platforms, `href="${homepage}/tree/v${version}/charts/transship/ci"`, 'a file of the repository, at the tag');
  t.match(platforms, 'href="#gke-private-cluster"');
  const install = read('guides/install.html');
  t.match(install, '<pre><code>docker build -t registry.example.com', 'commands are code');
  t.match(install, /<span class="hljs-attr">image:<\/span>/, 'code in colours');
  t.match(install, '<a href="install.html" aria-current="page">Install</a>');
  t.match(install, `${homepage}/blob/v${version}/docs/guides/install.md`);
  t.end();
});

test('the same documents give the same bytes', async (t) => {
  const again = join(folder, 'again');
  t.equal((await node(['tools/site/site.ts', '--output', again])).code, 0);
  t.strictSame(filesOf(again), filesOf(site));
  for (const file of filesOf(site)) t.ok(readFileSync(join(again, file)).equals(readFileSync(join(site, file))), file);
});

test('another version is added, and latest stays that of the newest', async (t) => {
  const shared = join(folder, 'again');
  const newer = await node(['tools/site/site.ts', '--output', shared, '--version', '98.0.0']);
  t.equal(newer.code, 0, newer.stderr);
  t.match(readFileSync(join(shared, 'latest/index.html'), 'utf8'), 'Version 98.0.0');
  t.strictSame(readFileSync(join(shared, version, 'index.html')), readFileSync(join(site, version, 'index.html')));
  const wrong = await node(['tools/site/site.ts', '--output', shared, '--version', 'v1']);
  t.match(wrong, { code: 1, stderr: /--version v1 is no version/ });
});

test('what is wrong with the documents ends the build, with the place', async (t) => {
  const root = t.testdir({
    'package.json': '{ "repository": { "url": "git+https://forge.example/a/b.git" } }',
    'versions.js': '',
    docs: {
      'index.md':
        '# Index\n\n[gone](gone.md) · [c](b.md#nowhere) · [d](b.md#here)\n\n![picture](missing.png)\n\n![far](https://cdn.example/x.png)\n\n## Pages\n\n[a](a.md) · [b](b.md)\n',
      'a.md': '# A\n\n[itself](#a) and {{ braces }}\n',
      'b.md': '# B\n\n## Here\n',
      'lost.md': '# Lost\n',
    },
  });
  const build = (): Promise<Ended> =>
    node([join(project, 'tools/site/build.js'), JSON.stringify({ output: join(root, '1.0.0'), version: '1.0.0' })], root);
  const { code, stderr } = await build();
  t.equal(code, 1);
  t.strictSame(
    stderr
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('[11ty]'))
      .toSorted(),
    [
      'docs/lost.md is not in the navigation: link it below a heading of docs/index.md',
      'index.html loads https://cdn.example/x.png: a page may load nothing of another host',
      'index.html: b.html#nowhere: the page has no such heading',
      'index.html: gone.html: there is no such page or file',
      'index.html: missing.png: there is no such page or file',
    ].toSorted(),
  );
  t.match(readFileSync(join(root, '1.0.0/a.html'), 'utf8'), '{{ braces }}', 'braces of Helm stay');
});

const address = (path: string): string => pathToFileURL(join(site, version, path)).href;

test('every page, in light and dark: no violation of axe, no request to another host, no error', options, async (t) => {
  const { page, requests, messages } = await openPage(t, address('index.html'));
  const problems = async (what: string): Promise<void> => {
    await page.emulateMedia({ colorScheme: 'light' });
    t.same(await accessibilityProblems(page), [], `${what}, light`);
    await page.emulateMedia({ colorScheme: 'dark' });
    // What is not about colours is the same in the dark.
    t.same(await accessibilityProblems(page, ['color-contrast']), [], `${what}, dark`);
  };
  for (const path of pagesOf()) {
    await page.goto(address(path));
    await problems(path);
  }
  await page.keyboard.press('/');
  await page.keyboard.type('certificate');
  await page.waitForSelector('#results li');
  await page.click('.versions summary');
  await problems('results and versions');
  t.same(
    requests.filter((url) => !url.startsWith(pathToFileURL(site).href) && url !== 'data:,'),
    [],
  );
  t.same(messages, []);
});

const resultsOf = (page: Page): Promise<string[]> => page.locator('#results li strong').allTextContents();

async function find(page: Page, words: string): Promise<string[]> {
  await page.fill('#search', words);
  await page.waitForFunction(`document.querySelector('#results [role=status]') !== null`);
  return await resultsOf(page);
}

/** As any server of static files, below a path of its own. */
async function serve(t: Test): Promise<string> {
  const server = createServer((request, response) => {
    const file = join(site, decodeURI(new URL(request.url ?? '/', 'http://localhost').pathname.replace('/docs/', '/')));
    const types: Record<string, string> = { html: 'text/html', js: 'text/javascript', css: 'text/css' };
    response.setHeader('Content-Type', types[file.split('.').pop() ?? ''] ?? 'application/octet-stream');
    response.end(readFileSync(file));
  });
  await new Promise<void>((listening) => void server.listen(0, '127.0.0.1', listening));
  t.teardown(() => server.close());
  const { port } = server.address() as { port: number };
  return `http://127.0.0.1:${port}/docs/${version}/guides/install.html`;
}

for (const how of ['a file', 'a server'])
  test(`search, opened from ${how}`, options, async (t) => {
    const { page, messages } = await openPage(t, how === 'a file' ? address('guides/install.html') : await serve(t));
    t.ok((await find(page, 'break glass')).includes('Runbook: Break glass'));
    t.match(await page.textContent('#results'), 'kubectl delete mutatingwebhookconfiguration', 'with some words around');
    t.strictSame(await find(page, 'xyzzyplugh'), []);
    t.equal(await page.textContent('#results [role=status]'), 'Nothing found');
    t.ok(
      (await find(page, 'artifactry')).some((title) => title.includes('Artifactory')),
      'a letter may be missing',
    );
    await find(page, 'Break glass');
    await page.click('#results a >> text=Runbook: Break glass');
    await page.waitForURL(/guides\/runbook\.html#break-glass$/);
    t.same(messages, []);
  });

test('with the keyboard alone', options, async (t) => {
  const { page } = await openPage(t, address('guides/install.html'));
  const focused = (): Promise<string | null> => page.evaluate('document.activeElement.textContent');
  await page.keyboard.press('Tab');
  t.equal(await focused(), 'Skip to the content');
  await page.keyboard.press('Enter');
  t.equal(await page.evaluate('document.activeElement.id'), 'content');
  await page.keyboard.press('/');
  await page.keyboard.type('rotate by hand');
  await page.waitForSelector('#results li');
  await page.keyboard.press('ArrowDown');
  t.match(await focused(), 'Certificates: Rotate by hand');
  await page.keyboard.press('ArrowUp');
  t.equal(await page.evaluate('document.activeElement.id'), 'search');
  await page.keyboard.press('Escape');
  t.notOk(await page.isVisible('#results'));
  await page.keyboard.type('rotate by hand');
  await page.waitForSelector('#results li');
  await page.keyboard.press('Enter');
  await page.waitForURL(/certificates\.html#rotate-by-hand$/);
  await page.goto(address('guides/caching-registries.html'));
  await page.setViewportSize({ width: 500, height: 900 });
  await page.waitForSelector('pre[tabindex="0"]');
  t.equal(
    (await page.locator('pre:not([tabindex])').count()) < (await page.locator('pre').count()),
    true,
    'wide code can be scrolled with keys',
  );
});

test('colours are chosen and kept, and versions lead to each other', options, async (t) => {
  const { page } = await openPage(t, await serve(t));
  const paper = (): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');
  const light = await paper();
  await page.selectOption('#theme', 'dark');
  t.not(await paper(), light);
  await page.reload();
  t.not(await paper(), light, 'after a reload');
  t.notOk(await page.isVisible('.old'));
  await page.click('.versions summary');
  t.strictSame(await page.locator('.versions li').allTextContents(), [`${version} (latest)`]);
  await page.click('.versions li a');
  await page.waitForURL(({ pathname }) => pathname === `/docs/${version}/index.html`);
});

test('an old version says so', options, async (t) => {
  const { page } = await openPage(t, address('index.html'));
  await page.addInitScript(
    `Object.defineProperty(globalThis, 'versions', { value: ['99.0.0', ${JSON.stringify(version)}], writable: false })`,
  );
  await page.reload();
  t.match(await page.textContent('.old'), `This page is of version ${version}, which is not the latest. Go to 99.0.0`);
  t.match(await page.getAttribute('.old a', 'href'), '../latest/index.html');
});

test('paper has the text alone', options, async (t) => {
  const { page } = await openPage(t, address('guides/install.html'));
  await page.emulateMedia({ media: 'print' });
  for (const selector of ['header', '.pages', '.contents']) t.notOk(await page.isVisible(selector), selector);
  t.ok(await page.isVisible('main h1'));
});
