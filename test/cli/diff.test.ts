/** `transship diff`: what comes out differently, and nothing else. */
import { join } from 'node:path';
import t from 'tap';
import { listOf, misbehavingServer, sendJson } from '../cluster-client/misbehaving-server.ts';
import { transship } from './terminal.ts';

const head = 'apiVersion: transship.dev/v1\nkind: RewritePolicy\n';
const policy = (host: string, more = ''): string =>
  `${head}registries: { mirror: { host: ${host}, pullSecrets: [pull] } }\nrules:\n${more}  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path } }\n`;
const folder = t.testdir({
  'old.yaml': policy('a.example.com'),
  'new.yaml': policy(
    'a.example.com',
    '  - { name: web, match: { images: [docker.io/library/nginx] }, rewrite: { registry: mirror, as: flatten } }\n',
  ),
  'moved.yaml': policy('b.example.com'),
  'renamed.yaml': policy('a.example.com').replace('name: hub', 'name: other'),
  'wrong.yaml': `${head}rulez: []\n`,
  'app.yaml':
    'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec: { containers: [{ name: a, image: nginx }, { name: b, image: redis }, { name: c, image: nginx }] }\n',
  'broken.yaml': 'a: [',
});
const containersOf = (image: string) => ({ containers: [{ name: 'main', image }] });
const file = (name: string): string => join(folder, name);
const diff = (old: string, now: string, words: string[], stdin = '') =>
  transship(['diff', '--policy', file(old), '--policy', file(now), ...words], stdin);

t.test('the same decisions are no difference, whoever makes them', async (tt) => {
  for (const [old, now] of [
    ['old.yaml', 'old.yaml'],
    ['old.yaml', 'renamed.yaml'],
  ] as const)
    tt.match(await diff(old, now, ['nginx', 'quay.io/a/b']), { code: 0, stdout: '', stderr: /^0 differences in 2 images$/m });
});

t.test('a difference has both sides, and each is shown once', async (tt) => {
  const shown = await diff('old.yaml', 'new.yaml', ['-f', file('app.yaml')]);
  tt.match(shown, { code: 1, stderr: /1 difference in 3 images/ });
  tt.equal(shown.stdout, 'nginx\n  - a.example.com/library/nginx (rule hub) with pull\n  + a.example.com/nginx (rule web) with pull\n');
  const { stdout } = await diff('old.yaml', 'new.yaml', ['-o', 'json', 'nginx', 'redis']);
  tt.match(JSON.parse(stdout), {
    image: 'nginx',
    old: { rule: 'hub', result: 'a.example.com/library/nginx' },
    new: { rule: 'web', result: 'a.example.com/nginx' },
  });
  tt.match(await diff('old.yaml', 'new.yaml', ['-'], 'nginx\n\nredis\n'), { code: 1, stderr: /1 difference in 2 images/ });
});

t.test('a rewritten pod was compared by the name that it has now, where the new policy does not know the old target', async (tt) => {
  const server = await misbehavingServer(tt);
  const record = { 'transship.dev/original-images': '{"main":"nginx:1"}' };
  const rewritten = {
    metadata: { name: 'a', namespace: 'n', resourceVersion: '1', annotations: record },
    spec: containersOf('a.example.com/library/nginx:1'),
  };
  const written = { metadata: { name: 'b', namespace: 'n', resourceVersion: '1' }, spec: containersOf('nginx:1') };
  server.answer = (_request, response) => sendJson(response, 200, listOf(1, [rewritten, written]));
  const cluster = await diff('old.yaml', 'moved.yaml', ['-A', '--kubeconfig', server.kubeconfig]);
  const alone = await diff('old.yaml', 'moved.yaml', ['nginx:1']);
  tt.match(cluster, { code: 1, stdout: alone.stdout, stderr: /1 difference in 2 images/ });
  tt.match(alone.stdout, /^ {2}\+ b\.example\.com\/library\/nginx:1/m);
});

t.test('wrong use', async (tt) => {
  tt.match(await transship(['diff', '--policy', file('old.yaml'), 'nginx']), {
    code: 2,
    stderr: /one policy is named; name two: --policy OLD --policy NEW/,
  });
  tt.match(await diff('old.yaml', 'wrong.yaml', ['nginx']), { code: 2, stderr: /wrong\.yaml:3:1: error: unknown key rulez/ });
  tt.match(await diff('old.yaml', 'new.yaml', []), { code: 2, stderr: /nothing to decide; .*or the pods of a cluster with -A$/m });
  tt.match(await diff('old.yaml', 'new.yaml', ['-f', file('broken.yaml')]), { code: 2, stderr: /broken\.yaml/ });
});
