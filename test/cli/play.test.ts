/** `transship play`: one page over HTTP; test/browser/playground.test.ts has what a browser makes of it. */
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { until } from '../server/until.ts';
import { transship, type Child } from './child.ts';

async function playing(t: Test, ...args: string[]): Promise<{ readonly child: Child; readonly url: string }> {
  const child = transship(t, { args: ['play', '--port', '0', ...args] });
  return { child, url: await until('the address', () => /^(http:.*)\n/.exec(child.stdout())?.[1]) };
}

test('one page, and nothing else', async (t) => {
  const { child, url } = await playing(t);
  const page = await fetch(url);
  t.match(page.headers.get('content-type'), /^text\/html; charset=utf-8$/);
  t.match(await page.text(), /<h1>transship playground<\/h1>[^]*kind: RewritePolicy/);
  const head = await fetch(url, { method: 'HEAD' });
  t.same([head.status, await head.text()], [200, '']);
  t.equal((await fetch(`${url}other`)).status, 404);
  t.equal((await fetch(url, { method: 'POST' })).status, 404);

  // A browser keeps its connection open, and that must not keep the process.
  const idle = connect(Number(new URL(url).port), '127.0.0.1');
  t.teardown(() => idle.destroy());
  await until('it is open', () => idle.readyState === 'open');
  child.process.kill('SIGTERM');
  t.match(await child.ended, { code: 0, signal: null });
  t.equal(child.stderr(), '');
});

test('a policy of its own, which is text in the page', async (t) => {
  const file = join(t.testdir(), 'policy.yaml');
  writeFileSync(file, '\n# </textarea><script>\nkind: RewritePolicy\n');
  const { url } = await playing(t, '--policy', file);
  t.ok((await (await fetch(url)).text()).includes('>\n\n# &lt;/textarea&gt;&lt;script&gt;\nkind: RewritePolicy\n</textarea>'));
});

test('an IPv6 address stands in brackets', async (t) => {
  t.match((await playing(t, '--host', '::1')).url, /^http:\/\/\[::1\]:\d+\/$/);
});

test('wrong use', async (t) => {
  const { url } = await playing(t);
  const { port } = new URL(url);
  for (const [args, stderr] of [
    [['--port', port], /ADDRESS_UNAVAILABLE: .*another program has that port/],
    [['--policy', 'nowhere.yaml'], /FILE_UNREADABLE: nowhere\.yaml cannot be read: no such file/],
    [['policy.yaml'], /USAGE: unexpected argument "policy\.yaml"; name a policy to begin with by --policy/],
  ] as const) {
    const child = transship(t, { args: ['play', ...args] });
    t.equal((await child.ended).code, 2);
    t.match(child.stderr(), stderr);
  }
});
