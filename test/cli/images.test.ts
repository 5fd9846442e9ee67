/** `images`: pairs to copy, each once, in three formats. */
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { parse } from 'yaml';
import { policy, transship } from './terminal.ts';

const digest = `sha256:${'8f2b6a0d'.repeat(8)}`;
const images = ['images', '--policy', policy];

const manifests = `kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      initContainers: [{name: i, image: docker.io/library/nginx:1.10}]
      containers: [{name: a, image: nginx:1.10}, {name: b, image: gcr.io/not/rewritten}, {name: c, image: 'localhost:30500/there'}, {name: d, image: Not An Image}]
      volumes: [{name: m, image: {reference: 'quay.io/acme/model:1@${digest}'}}]
---
kind: Pod
metadata: {namespace: kube-system}
spec: {containers: [{name: a, image: redis}]}
---
kind: Pod
metadata: {namespace: team-blue}
spec: {containers: [{name: a, image: team/app}, {name: b, image: quay.io/acme/model:2}]}
`;

const pairs = [
  ['docker.io/library/nginx:1.10', 'localhost:30500/library/nginx:1.10'],
  [`quay.io/acme/model@${digest}`, 'proxy.example.com/quay.io/acme/model:1'],
  ['docker.io/team/app', 'proxy.example.com/team/team/app'],
  ['quay.io/acme/model:2', 'proxy.example.com/quay.io/acme/model:2'],
] as const;

const leftOut = `standard input:7: 1 image not copied, invalid: not an image reference: a repository name must be lower case: "Not An Image"
standard input:12: 1 image not copied, excluded: namespace kube-system belongs to Kubernetes: "redis"
`;

const formats: readonly {
  readonly name: string;
  readonly args: readonly string[];
  readonly read: (text: string) => unknown;
  readonly expected: unknown;
}[] = [
  {
    name: 'text',
    args: [],
    read: (text) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/ {2,}/)),
    expected: pairs,
  },
  {
    name: 'JSON',
    args: ['-o', 'json'],
    read: (text) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    expected: pairs.map(([source, target]) => ({ source, target, digest: source.includes('@') ? digest : null })),
  },
  {
    name: 'a file for skopeo: by registry and repository, tags as text, latest where there is none, a digest instead of its tag',
    args: ['--output', 'skopeo'],
    read: (text) => parse(text),
    expected: {
      'docker.io': { images: { 'library/nginx': ['1.10'], 'team/app': ['latest'] } },
      'quay.io': { images: { 'acme/model': [digest, '2'] } },
    },
  },
];
for (const { name, args, read, expected } of formats) {
  test(name, async (t) => {
    const { code, stdout, stderr } = await transship([...images, '-f', '-', ...args], manifests);
    t.equal(stderr, leftOut);
    t.equal(code, 0);
    t.strictSame(read(stdout), expected);
  });
}

const nothing = 'nothing to copy: the policy rewrites none of 1 image\n';

const lines: readonly {
  readonly name: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly stdout: string;
  readonly stderr?: string;
}[] = [
  { name: 'images by name', args: ['nginx', 'docker.io/nginx'], stdout: 'docker.io/library/nginx  localhost:30500/library/nginx\n' },
  {
    name: 'images from standard input',
    args: ['-'],
    stdin: 'nginx\n\ngcr.io/a/b\n',
    stdout: 'docker.io/library/nginx  localhost:30500/library/nginx\n',
  },
  {
    name: 'a namespace for images that have none',
    args: ['-n', 'team-red', 'team/a'],
    stdout: 'docker.io/team/a  proxy.example.com/team/team/a\n',
  },
  { name: 'nothing to copy, as text', args: ['gcr.io/a/b'], stdout: '', stderr: nothing },
  { name: 'nothing to copy, as JSON', args: ['-o', 'json', 'gcr.io/a/b'], stdout: '', stderr: nothing },
  { name: 'nothing to copy, for skopeo', args: ['-o', 'skopeo', 'gcr.io/a/b'], stdout: '{}\n', stderr: nothing },
];
for (const { name, args, stdin, stdout, stderr = '' } of lines) {
  test(name, async (t) => t.same(await transship([...images, ...args], stdin), { code: 0, stdout, stderr }));
}

const refusals: readonly { readonly name: string; readonly args: readonly string[]; readonly message: string }[] = [
  { name: 'nothing to look at', args: [], message: 'nothing to decide; name images' },
  {
    name: 'a format that does not exist',
    args: ['-o', 'yaml', 'nginx'],
    message: '--output takes one of text, json, regctl, crane, skopeo, not "yaml"',
  },
];
for (const { name, args, message } of refusals) {
  test(`${name} is refused`, async (t) => {
    const { code, stderr } = await transship([...images, ...args]);
    t.equal(code, 2);
    t.ok(stderr.includes(message), stderr);
  });
}

const flatten = `apiVersion: transship.dev/v1
kind: RewritePolicy
registries: { m: { host: mirror.example.com } }
rules:
  - { name: all, match: { images: ['*'] }, rewrite: { registry: m, as: flatten, collisions: accept } }
`;

test('two images with the same target are reported and not copied: one was once copied over the other', async (t) => {
  const file = join(t.testdir({ 'flatten.yaml': flatten }), 'flatten.yaml');
  const { code, stdout, stderr } = await transship(['images', '--policy', file, 'quay.io/a/app:1', 'ghcr.io/b/app:1', 'redis:7']);
  t.equal(code, 1);
  t.equal(stdout, 'docker.io/library/redis:7  mirror.example.com/redis:7\n');
  t.match(stderr, 'error: quay.io/a/app:1 and ghcr.io/b/app:1 have the same target, mirror.example.com/app:1, so none of them is copied');
});

test('an image in two digests gets its tag once, and a warning', async (t) => {
  const other = `sha256:${'0'.repeat(64)}`;
  const { code, stdout, stderr } = await transship([...images, `nginx:1@${digest}`, `nginx:1@${other}`]);
  t.equal(code, 0);
  t.same(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/)),
    [
      [`docker.io/library/nginx@${digest}`, 'localhost:30500/library/nginx:1'],
      [`docker.io/library/nginx@${other}`, `localhost:30500/library/nginx@${other}`],
    ],
  );
  t.match(stderr, /^warning: .* want the same tag, localhost:30500\/library\/nginx:1; one of them gets it/);
});

/** Programs that write down what they are asked, and say of every image the digest of the test. */
const recorder = `#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
case "$*" in *digest*) echo ${digest};; esac
`;

for (const program of ['regctl', 'crane'] as const) {
  test(`-o ${program} is a script that copies signatures too, and compares digests`, async (t) => {
    const folder = t.testdir({ [program]: recorder });
    chmodSync(join(folder, program), 0o755);
    const { stdout } = await transship([...images, '-o', program, `nginx:1@${digest}`]);
    const env = { PATH: `${folder}:/usr/bin:/bin`, CALLS: join(folder, 'calls') };
    const ended = spawnSync('/bin/sh', ['-s'], { input: stdout, env, encoding: 'utf8' });
    t.equal(ended.stderr, '');
    t.equal(ended.status, 0);
    t.same(readFileSync(env.CALLS, 'utf8').trimEnd().split('\n'), calls[program]);
    const wrong = stdout.replaceAll(` '${digest}'`, ` 'sha256:${'0'.repeat(64)}'`);
    const refused = spawnSync('/bin/sh', ['-s'], { input: wrong, env, encoding: 'utf8' });
    t.match(refused, { status: 1, stderr: /localhost:30500\/library\/nginx:1 has sha256:8f2b.*, not sha256:0000/ });
  });
}

const [source, target, tag] = ['docker.io/library/nginx', 'localhost:30500/library/nginx', digest.replace(':', '-')];
const calls = {
  regctl: [`regctl image copy --referrers --digest-tags ${source}@${digest} ${target}:1`, `regctl image digest ${target}:1`],
  crane: [
    `crane copy ${source}@${digest} ${target}:1`,
    `crane digest ${target}:1`,
    ...['', '.sig', '.att', '.sbom'].flatMap((suffix) => [
      `crane digest ${source}:${tag}${suffix}`,
      `crane copy ${source}:${tag}${suffix} ${target}:${tag}${suffix}`,
    ]),
  ],
};

const rewrittenPod = (image: string, originals: object) => ({
  kind: 'Pod',
  metadata: { name: 'p', annotations: { 'transship.dev/original-images': JSON.stringify(originals) } },
  spec: { containers: [{ name: 'a', image }] },
  status: { containerStatuses: [{ image: 'docker.io/library/else:1' }] },
});

test('for rewritten pods, the images to copy come from the record of original images', async (t) => {
  const items = [
    rewrittenPod('localhost:30500/library/nginx:1', { a: 'nginx:1' }),
    rewrittenPod('redis:7', { a: 'nginx:2' }),
    rewrittenPod('localhost:30500/x', {}),
  ];
  const { code, stdout, stderr } = await transship([...images, '-f', '-'], JSON.stringify({ kind: 'List', items }));
  t.equal(code, 0);
  t.equal(stderr, '');
  t.equal(
    stdout,
    'docker.io/library/nginx:1  localhost:30500/library/nginx:1\ndocker.io/library/redis:7  localhost:30500/library/redis:7\n',
  );
});

test('every alternative is filled as well, but not the image as written', async (t) => {
  const file = join(t.testdir(), 'policy.yaml');
  writeFileSync(
    file,
    `apiVersion: transship.dev/v1
kind: RewritePolicy
registries: { a: { host: a.example }, b: { host: b.example }, c: { hostFrom: { localRegistryHosting: true } } }
rules:
  - name: hub
    match: { images: [docker.io] }
    rewrite: { registry: a, as: path }
    alternatives: [{ registry: b, as: fullName }, { registry: c, as: path }, { as: original }]
`,
  );
  const { code, stdout, stderr } = await transship(['images', '--policy', file, 'nginx:1']);
  t.equal(code, 0);
  t.equal(stdout, 'docker.io/library/nginx:1  a.example/library/nginx:1\ndocker.io/library/nginx:1  b.example/docker.io/library/nginx:1\n');
  t.equal(stderr, 'nginx:1 is not copied for alternative c of rule hub: the host of registry c is not resolved\n');
  const explained = await transship(['explain', '--policy', file, 'nginx:1']);
  t.match(
    explained.stdout,
    /-> a\.example\/library\/nginx:1\n +or else b\.example\/docker\.io\/library\/nginx:1\n +or else nothing at c: the host of registry c is not resolved\n +or else nginx:1\n/,
  );
  const json: unknown = JSON.parse((await transship(['explain', '--policy', file, '-o', 'json', 'nginx:1'])).stdout);
  t.match(json, {
    alternatives: [
      { target: 'b', image: 'b.example/docker.io/library/nginx:1', problem: null },
      { target: 'c', image: null, problem: 'the host of registry c is not resolved' },
      { target: 'original', image: 'nginx:1', problem: null },
    ],
  });
});

test('an image that is invalid or refused ends with 1 with --strict, in every command that has it: images once ended with 0', async (t) => {
  const invalid = 'kind: Pod\nspec: {containers: [{image: Not An Image}]}\n';
  const left = 'kind: Pod\nmetadata: {namespace: kube-system}\nspec: {containers: [{image: nginx}]}\n';
  for (const [command, ...flags] of [['images', '-f', '-'], ['explain', '-f', '-'], ['rewrite']] as const) {
    const run = async (text: string, ...more: string[]) => (await transship([command, '--policy', policy, ...more, ...flags], text)).code;
    t.equal(await run(invalid), 0, `${command} without it`);
    t.equal(await run(invalid, '--strict'), 1, command);
    t.equal(await run(left, '--strict'), 0, `${command}: what is left alone on purpose`);
  }
});
