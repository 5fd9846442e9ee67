/** The page of `scan --html` as text; test/browser/report.test.ts has what a browser makes of it. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { reportPage } from '../../src/inspect/report/page.ts';
import type { ScanReport } from '../../src/inspect/scan/report.ts';
import { transship } from '../cli/terminal.ts';

const hostile = `<b>&"'</b></style></script>`;
const planned = { namespace: hostile, image: hostile, outcome: 'rewritten', rule: hostile, result: hostile, reason: hostile } as const;
const everywhere: ScanReport = {
  pods: 1,
  images: [
    {
      image: hostile,
      registry: hostile,
      pods: 1,
      namespaces: [hostile],
      hasDigest: false,
      isAnonymousHub: true,
      moved: { sentence: hostile, source: hostile },
    },
  ],
  namespaces: [{ name: hostile, label: hostile, pods: 1 }],
  imageManagers: [{ name: hostile, pods: 1 }],
  unexamined: [{ object: hostile, image: hostile }],
  fallbacks: [{ namespace: hostile, from: hostile, to: hostile, reason: hostile, pods: 1, since: hostile, latest: hostile }],
  customResources: [{ apiVersion: hostile, kind: hostile, namespace: hostile, name: hostile, field: hostile, image: hostile }],
  plan: {
    images: [
      { ...planned, pods: 1, waiting: 1 },
      { ...planned, outcome: 'refused', pods: 1, waiting: 0 },
      { ...planned, outcome: 'no-rule', pods: 1, waiting: 0 },
    ],
    collisions: [{ target: hostile, sources: [hostile] }],
    missingImages: [{ image: hostile, registry: hostile, source: hostile, since: hostile, namespaces: [hostile] }],
    missingSecrets: [{ namespace: hostile, secrets: [hostile] }],
    unfitSecrets: [{ namespace: hostile, secrets: [hostile], image: hostile }],
  },
  notSeen: [{ what: hostile, why: hostile }],
};

test('text of a cluster is never markup, wherever it stands', (t) => {
  const page = reportPage(everywhere, new Date(0));
  t.notOk(page.includes('<b>'));
  t.equal(page.split('</script>').length, 2, 'one script');
  t.equal(page.split('</style>').length, 2, 'one style');
  const count = page.split('&lt;b&gt;&amp;&quot;&#39;&lt;/b&gt;').length - 1;
  t.ok(count >= 25, `${count} places`);
  t.end();
});

test('its policy allows its own style and script and nothing else', (t) => {
  const page = reportPage(everywhere, new Date(0));
  const [, policy = ''] = /http-equiv="Content-Security-Policy"\s+content="([^"]*)"/.exec(page) ?? [];
  const hashed = (name: string): string => {
    const [, text = ''] = new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(page) ?? [];
    return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  };
  t.equal(policy, `default-src 'none'; style-src ${hashed('style')}; script-src ${hashed('script')}`);
  t.end();
});

test('nothing was scanned: a page all the same', (t) => {
  const nothing = {
    ...everywhere,
    pods: 0,
    images: [],
    namespaces: [],
    imageManagers: [],
    fallbacks: [],
    unexamined: [],
    customResources: [],
    plan: null,
    notSeen: [],
  };
  const page = reportPage(nothing, new Date(0));
  t.match(page, /<h1>Images of the pods<\/h1>/);
  t.notMatch(page, /<table/);
  t.end();
});

test('scan --html', async (t) => {
  const pod = '{ apiVersion: v1, kind: Pod, metadata: { name: a }, spec: { containers: [{ name: a, image: nginx }] } }';
  const folder = t.testdir({ 'pod.yaml': pod });
  const scan = (...words: string[]) => transship(['scan', '-f', join(folder, 'pod.yaml'), ...words]);
  const both = await scan('--html', join(folder, 'a.html'), '-o', 'json');
  t.match(JSON.parse(both.stdout), { pods: 1, images: [{ image: 'nginx' }] }, 'the JSON is on standard output as ever');
  t.match(readFileSync(join(folder, 'a.html'), 'utf8'), /<!doctype html>[^]*nginx/i);

  const nowhere = join(folder, 'none', 'a.html');
  t.match(await scan('--html', nowhere), {
    code: 2,
    stdout: '',
    stderr: /OUTPUT_FAILED: .*a\.html cannot be written: no such file; name a file in a folder that/,
  });
  t.match(await scan('--html', '-'), { code: 2, stdout: '', stderr: /USAGE: --html - would mix the page with the table; name a file/ });
  t.notOk(existsSync('-'));
});
