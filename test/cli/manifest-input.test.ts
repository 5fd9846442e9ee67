/** What `-f` names: folders, several files, files that cannot be read; and images that are in no pod. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { policy, transship } from './terminal.ts';

const pod = (image: string): string => `kind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: ${image}}]}\n`;
const explain = ['explain', '--policy', policy, '-o', 'json'];
const imagesIn = (stdout: string): string[] => stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line).image]));

test('a folder is read recursively, in the order of names', async (t) => {
  const folder = t.testdir({
    'b.yaml': pod('one'),
    'c.txt': 'kind: [',
    'd.json': JSON.stringify({ kind: 'Pod', spec: { containers: [{ image: 'three' }] } }),
    '.git': { 'e.yaml': pod('hidden') },
    c: { 'z.yml': pod('two') },
  });
  symlinkSync(folder, join(folder, 'c', 'back'));
  const { code, stdout, stderr } = await transship([...explain, '-f', folder]);
  t.equal(code, 0);
  t.same(imagesIn(stdout), ['one', 'two', 'three']);
  t.equal(stderr, '3 images in 3 files: 3 rewritten\n');
});

test('every word behind -f is a file', async (t) => {
  const folder = t.testdir({ 'a.yaml': pod('one'), 'b.yaml': pod('two') });
  const { code, stdout } = await transship([...explain, '-f', join(folder, 'a.yaml'), join(folder, 'b.yaml')]);
  t.equal(code, 0);
  t.same(imagesIn(stdout), ['one', 'two']);
  const { stdout: rewritten } = await transship(['rewrite', '--policy', policy, '-f', join(folder, 'a.yaml'), join(folder, 'b.yaml')]);
  t.match(rewritten, /library\/one[^]*library\/two/);
});

test('unreadable files are reported, and the others are read', async (t) => {
  const folder = t.testdir({
    'a.yaml': pod('one'),
    'b.yaml': 'kind: [',
    'c.yaml': pod('{{ .Values.image }}'),
    'd.yaml': Buffer.from([0xff, 0xfe]).toString('latin1'),
    'e.yaml': pod('two'),
  });
  mkdirSync(join(folder, 'f.yaml'));
  const { code, stdout, stderr } = await transship([...explain, '-f', folder, join(folder, 'gone.yaml')]);
  t.equal(code, 2);
  t.same(imagesIn(stdout), ['one', 'two']);
  t.match(stderr, /b\.yaml:1:8: .*; it must be YAML or JSON\n/);
  t.match(stderr, /c\.yaml:3:39: this is a template; render it first \(helm template … \| transship rewrite\)\n/);
  t.match(stderr, /gone\.yaml cannot be read: no such file/);
  const rewritten = await transship(['rewrite', '--policy', policy, '-f', folder]);
  t.match(rewritten, { code: 2, stdout: '', stderr: /b\.yaml:1:8[^]*c\.yaml:3:39/ });
});

const reading: readonly (readonly string[])[] = [
  ['explain', '--policy', policy],
  ['images', '--policy', policy],
  ['rewrite', '--policy', policy],
  ['diff', '--policy', policy, '--policy', policy],
  ['scan'],
  ['init', '--preset', 'harbor'],
];

test('after a file that cannot be read, a summary told of 0 images, as if it had been read', async (t) => {
  const folder = t.testdir({ 'a.yaml': 'kind: [', 'b.yaml': 'a: &a [x]\nb: { c: *a, ? [d] : e }\n', empty: {} });
  for (const command of reading)
    for (const name of ['a.yaml', 'b.yaml', 'c.yaml', 'empty']) {
      const { code, stderr } = await transship([...command, '-f', join(folder, name)]);
      t.equal(code, 2);
      t.equal(stderr.split('\n').length, 2, `${command[0]} ${name}: ${stderr}`);
    }
  // Without a file that cannot be read it is said.
  t.match(await transship(['explain', '--policy', policy, '-f', '-'], 'kind: A'), { code: 0, stderr: '0 images in 1 file\n' });
});

test('commands without the flag --strict advised to use it', async (t) => {
  const custom = 'kind: Rollout\nmetadata: {name: r}\nspec: {image: nginx:1}\n';
  for (const command of reading) {
    const { stderr } = await transship([...command, '-f', '-'], custom);
    const { stdout: help } = await transship([command[0] ?? '', '--help']);
    t.match(stderr, /1 image in 1 object was not examined/);
    t.equal(stderr.includes('--strict'), /^ +--strict/m.test(help), command[0] ?? '');
  }
});

test('--only leaves out the other outcomes; the summary counts all of them', async (t) => {
  const manifests = `${pod('one')}---\n${pod('gcr.io/a')}---\n${pod('localhost:30500/x')}`;
  const { stdout, stderr } = await transship([...explain, '--only', 'no-rule,already-there', '-f', '-'], manifests);
  t.same(imagesIn(stdout), ['gcr.io/a', 'localhost:30500/x']);
  t.equal(stderr, '3 images in 1 file: 1 rewritten, 1 already-there, 1 no-rule\n');
  const refused = await transship([...explain, '--only', 'rewriten', 'nginx']);
  t.match(refused, { code: 2, stderr: /--only takes rewritten, .* did you mean rewritten\?/ });
});

test('a long table is grouped by outcome and rule', async (t) => {
  const manifests = Array.from({ length: 25 }, (_, index) => pod(index % 2 === 0 ? 'one' : 'gcr.io/a')).join('---\n');
  const { stdout } = await transship(['explain', '--policy', policy, '-f', '-'], manifests);
  t.equal(
    stdout,
    `OUTCOME        RULE      IMAGE
rewritten      hub       1 image in 13 places
                         one
                         -> localhost:30500/library/one
                         rule hub matches docker.io (path)
                         pull secrets: local-key, 123
                           at standard input:3, Pod/p in default, /spec/containers/0/image
                           at standard input:11, Pod/p in default, /spec/containers/0/image
                           at standard input:19, Pod/p in default, /spec/containers/0/image
                           and 10 more
no-rule        -         1 image in 12 places
                         gcr.io/a
                         no rule matches it
                           at standard input:7, Pod/p in default, /spec/containers/0/image
                           at standard input:15, Pod/p in default, /spec/containers/0/image
                           at standard input:23, Pod/p in default, /spec/containers/0/image
                           and 9 more
`,
  );
});

/** Objects without a pod of their own, each with an image somewhere. These were once passed over without a word. */
const unexamined: readonly { readonly object: string; readonly said: string }[] = [
  { object: 'kind: Prometheus\nspec: {image: "quay.io/p/p:1"}', said: 'Prometheus/x: spec.image names quay.io/p/p:1' },
  { object: 'kind: Task\nspec: {steps: [{image: bash}]}', said: 'Task/x: spec.steps[0].image names bash' },
  { object: 'kind: Cluster\nspec: {imageName: "ghcr.io/c/pg:17"}', said: 'Cluster/x: spec.imageName names ghcr.io/c/pg:17' },
  { object: 'kind: Db\nspec: {image: {repository: a/b, tag: "1"}}', said: 'Db/x: spec.image names docker.io/a/b:1' },
  { object: 'kind: Db\nspec: {initImage: {registry: quay.io, repository: a/b}}', said: 'Db/x: spec.initImage names quay.io/a/b' },
  {
    object: 'kind: ConfigMap\ndata: {values: \'{"i":"quay.io/a/b:1","u":"https://quay.io/a/b:1"}\'}',
    said: 'ConfigMap/x: data.values names quay.io/a/b:1',
  },
  {
    object: 'kind: Pod\nspec: {containers: [{args: ["--image=quay.io/a/b:1"]}]}',
    said: 'Pod/x: spec.containers[0].args[0] names quay.io/a/b:1',
  },
  {
    object: 'kind: Pod\nspec: {containers: [{env: [{name: RELATED_IMAGE_DB, value: "postgres:17"}]}]}',
    said: 'Pod/x: spec.containers[0].env[0].value names postgres:17',
  },
  { object: `kind: Db\nspec: {a: ["localhost:5000/a@sha256:${'0'.repeat(64)}"]}`, said: 'Db/x: spec.a[0] names localhost:5000/a@sha256:0' },
];
for (const { object, said } of unexamined) {
  test(`an image that is in no pod is named: ${said}`, async (t) => {
    const manifest = `metadata: {name: x}\n${object}\n`;
    for (const command of ['explain', 'images', 'rewrite']) {
      const loose = await transship([command, '--policy', policy, '-f', '-'], manifest);
      t.equal(loose.code, 0);
      t.match(loose.stderr, /^standard input:3:\d+: /m);
      t.ok(loose.stderr.includes(said), loose.stderr);
      t.match(loose.stderr, /1 image in 1 object was not examined; with --strict the exit code is 1\n$/);
      t.match(await transship([command, '--policy', policy, '--strict', '-f', '-'], manifest), {
        code: 1,
        stderr: /1 image in 1 object was not examined\n$/,
      });
    }
  });
}

const unremarkable: readonly string[] = [
  'kind: Pod\nspec: {containers: [{image: nginx, args: ["https://quay.io/a/b:1", "a.b/c", "--level=info"]}]}',
  'kind: Pod\nstatus: {containerStatuses: [{image: "quay.io/a/b:1"}]}',
  'kind: CustomResourceDefinition\nspec: {description: "such as quay.io/a/b:1"}',
  'kind: Logo\nspec: {backgroundImage: logo}',
  'image: quay.io/no/object:1',
];
for (const manifest of unremarkable) {
  test(`nothing to name: ${manifest}`, async (t) => {
    t.equal((await transship(['rewrite', '--policy', policy, '--strict'], `${manifest}\n`)).code, 0);
  });
}

/** Their pods pass the webhook, so `images` has to list what they pull. */
const otherKinds: readonly { readonly name: string; readonly spec: string; readonly isChanged: boolean }[] = [
  { name: 'Rollout', spec: '{template: {spec: {containers: [{name: a, image: nginx}]}}}', isChanged: true },
  {
    name: 'JobSet',
    spec: '{replicatedJobs: [{template: {spec: {template: {spec: {initContainers: [{name: a, image: nginx}]}}}}}]}',
    isChanged: true,
  },
  { name: 'Alertmanager', spec: '{containers: [{name: a, image: nginx}]}', isChanged: false },
];
for (const { name, spec, isChanged } of otherKinds) {
  test(`pods in a ${name}`, async (t) => {
    const manifest = `kind: ${name}\nmetadata: {name: x}\nspec: ${spec}\n`;
    const pairs = await transship(['images', '--policy', policy, '-f', '-'], manifest);
    t.equal(pairs.stdout, 'docker.io/library/nginx  localhost:30500/library/nginx\n');
    t.equal(pairs.stderr, '');
    const { stdout, stderr } = await transship(['rewrite', '--policy', policy], manifest);
    t.equal(stdout.includes('image: localhost:30500/library/nginx'), isChanged);
    if (!isChanged) t.match(stderr, `${name}/x: "nginx" is left alone: ${name} has no pod template; the webhook rewrites the pods`);
  });
}

test('a list of objects in JSON is reported: kubectl does not take it', async (t) => {
  const list = JSON.stringify([{ kind: 'Pod', spec: { containers: [{ image: 'nginx' }] } }]);
  const { code, stdout, stderr } = await transship(['rewrite', '--policy', policy, '--strict'], list);
  t.equal(code, 1);
  t.equal(stdout, list);
  t.match(stderr, "standard input:1:1: a list of 1 objects was not examined; kubectl takes them one after another (jq '.[]')");
});
