/** `images`: pairs to copy, each once, in three formats. */
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
  [`quay.io/acme/model:1@${digest}`, `proxy.example.com/quay.io/acme/model:1@${digest}`],
  ['docker.io/team/app', 'proxy.example.com/team/team/app'],
  ['quay.io/acme/model:2', 'proxy.example.com/quay.io/acme/model:2'],
] as const;

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
    expected: pairs.map(([source, target]) => ({ source, target })),
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
    t.equal(stderr, '');
    t.equal(code, 0);
    t.strictSame(read(stdout), expected);
  });
}

const lines: readonly { readonly name: string; readonly args: readonly string[]; readonly stdin?: string; readonly stdout: string }[] = [
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
  { name: 'nothing to copy, as text', args: ['gcr.io/a/b'], stdout: '' },
  { name: 'nothing to copy, as JSON', args: ['-o', 'json', 'gcr.io/a/b'], stdout: '' },
  { name: 'nothing to copy, for skopeo', args: ['-o', 'skopeo', 'gcr.io/a/b'], stdout: '{}\n' },
];
for (const { name, args, stdin, stdout } of lines) {
  test(name, async (t) => t.match(await transship([...images, ...args], stdin), { code: 0, stdout, stderr: '' }));
}

const refusals: readonly { readonly name: string; readonly args: readonly string[]; readonly message: string }[] = [
  { name: 'nothing to look at', args: [], message: 'nothing to decide; name images' },
  { name: 'a format that does not exist', args: ['-o', 'yaml', 'nginx'], message: '--output takes one of text, json, skopeo, not "yaml"' },
];
for (const { name, args, message } of refusals) {
  test(`${name} is refused`, async (t) => {
    const { code, stderr } = await transship([...images, ...args]);
    t.equal(code, 2);
    t.ok(stderr.includes(message), stderr);
  });
}
