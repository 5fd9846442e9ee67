/** `rewrite`: manifests with the answers they should have, the same bytes the second time, and what is refused. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { joinTexts } from '../../src/manifests/join.ts';
import { policy, transship } from './terminal.ts';

const corpus = fileURLToPath(new URL('../corpus/manifests/', import.meta.url));
const rewrite = ['rewrite', '--policy', policy];
const read = (path: string): string => readFileSync(join(corpus, path), 'utf8');
const windows = (text: string): string => text.replaceAll('\n', '\r\n');
const names = readdirSync(corpus).filter((name) => /\.(yaml|json)$/.test(name));

test('every file of the corpus has its answer', async (t) => t.same(readdirSync(join(corpus, 'rewritten')), names));
for (const name of names) {
  test(`${name} becomes rewritten/${name}, and that stays as it is`, async (t) => {
    const before = read(name);
    const after = read(`rewritten/${name}`);
    const first = await transship(rewrite, before);
    t.equal(first.code, 0);
    t.equal(first.stdout, after);
    t.equal((await transship(rewrite, after)).stdout, after);
  });
  test(`${name} with the line ends of Windows keeps them`, async (t) => {
    t.equal((await transship(rewrite, windows(read(name)))).stdout, windows(read(`rewritten/${name}`)));
  });
}

const texts: readonly { readonly name: string; readonly before: string; readonly after: string }[] = [
  { name: 'nothing', before: '', after: '' },
  { name: 'only a comment', before: '# nothing\n', after: '# nothing\n' },
  { name: 'a byte-order mark', before: '\ufeffkind: ConfigMap\n', after: '\ufeffkind: ConfigMap\n' },
  {
    name: 'no line end at the end',
    before: 'kind: Pod\nmetadata: {}\nspec:\n  containers:\n  - name: a\n    image: always/a',
    after:
      `kind: Pod\nmetadata: {annotations: {transship.dev/original-images: '{"a":"always/a"}'}}\n` +
      'spec:\n  imagePullSecrets:\n  - name: local-key\n  - name: "123"\n  containers:\n  - name: a\n    image: localhost:30500/always/a\n    imagePullPolicy: Always',
  },
  {
    name: 'text in quotes whose lines stand no deeper than its key, as go-yaml takes it',
    before:
      'kind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - args: ["a\n  b", \'c\n  d\']\n    note: "x\n    y\n\n    z"\n    image: gcr.io/a\n    name: \'a\n    b\'\n',
    after:
      'kind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - args: ["a\n  b", \'c\n  d\']\n    note: "x\n    y\n\n    z"\n    image: gcr.io/a\n    name: \'a\n    b\'\n',
  },
  {
    name: 'brackets whose lines stand no deeper than their key, as go-yaml takes them, with comments; it was refused, and all else with it',
    before:
      'kind: Pod\nmetadata: {name: p}\nspec:\n  imagePullSecrets: [ # c1\n  {name: x} # c2\n  ]\n  containers:\n  - name: a\n    image: nginx\n' +
      '    args: [\n  "]", # c3\n# c4\nit\'s, a#b\n    ]\n    resources: {\n    limits: {cpu: 1}\n    }\n',
    after:
      'kind: Pod\nmetadata: {annotations: {transship.dev/original-images: \'{"a":"nginx"}\'}, name: p}\nspec:\n' +
      '  imagePullSecrets: [ # c1\n  {name: x},\n  {name: local-key},\n  {name: "123"} # c2\n  ]\n  containers:\n  - name: a\n' +
      '    image: localhost:30500/library/nginx\n' +
      '    args: [\n  "]", # c3\n# c4\nit\'s, a#b\n    ]\n    resources: {\n    limits: {cpu: 1}\n    }\n',
  },
  {
    name: 'lines that end in a carriage return alone',
    before: 'kind: Pod\rmetadata: {name: p}\rspec:\r  containers:\r  - image: team/a\r    name: x\r---\rkind: List\ritems: [] # nginx\r',
    after: 'kind: Pod\rmetadata: {name: p}\rspec:\r  containers:\r  - image: team/a\r    name: x\r---\rkind: List\ritems: [] # nginx\r',
  },
  {
    name: 'JSON objects one after another, as jq prints them',
    before:
      '{"kind":"Pod","metadata":{},"spec":{"containers":[{"image":"quay.io/acme/a","name":"{"}],"imagePullSecrets":[{"name":"vendor-key"}]}}\n{"kind":"ConfigMap"} {"kind":"Secret"}\n---\n{"kind":"Pod","metadata":{},"spec":{"containers":[{"image":"gcr.io/a"}]}}',
    after:
      '{"kind":"Pod","metadata":{"annotations": {"transship.dev/original-images":"{\\"{\\":\\"quay.io/acme/a\\"}"}},"spec":{"containers":[{"image":"proxy.example.com/quay.io/acme/a","name":"{"}],"imagePullSecrets":[{"name":"vendor-key"}]}}\n{"kind":"ConfigMap"} {"kind":"Secret"}\n---\n{"kind":"Pod","metadata":{},"spec":{"containers":[{"image":"gcr.io/a"}]}}',
  },
];

for (const { name, before, after } of texts) {
  test(name, async (t) => {
    const { code, stdout, stderr } = await transship(rewrite, before);
    t.equal(stderr, '');
    t.equal(code, 0);
    t.equal(stdout, after);
    t.equal((await transship(rewrite, stdout)).stdout, stdout);
  });
}

const joined: readonly { readonly texts: readonly string[]; readonly text: string }[] = [
  { texts: ['a: 1'], text: 'a: 1' },
  { texts: ['a: 1\n', 'b: 1\n'], text: 'a: 1\n---\nb: 1\n' },
  { texts: ['a: 1', 'b: 1'], text: 'a: 1\n---\nb: 1' },
  { texts: ['a: 1\n', '---\nb: 1\n'], text: 'a: 1\n---\nb: 1\n' },
  { texts: ['a: 1\n', '\n# b\n--- \nb: 1\n'], text: 'a: 1\n\n# b\n--- \nb: 1\n' },
  { texts: ['a: 1\n', '---b: 1\n'], text: 'a: 1\n---\n---b: 1\n' },
  { texts: ['a: 1\n', '', '\ufeffb: 1\n'], text: 'a: 1\n---\nb: 1\n' },
  { texts: ['{"a": 1}', '{"b": 1}'], text: '{"a": 1}\n---\n{"b": 1}' },
];
for (const { texts: parts, text } of joined) test(`joined: ${JSON.stringify(parts)}`, async (t) => t.equal(joinTexts(parts), text));

test('several files, one of them standard input, are one stream', async (t) => {
  const file = join(t.testdir({ 'a.yaml': 'kind: ConfigMap' }), 'a.yaml');
  t.equal(
    (await transship([...rewrite, '-f', file, '-f', '-', '-f', file], 'kind: Secret\n')).stdout,
    'kind: ConfigMap\n---\nkind: Secret\n---\nkind: ConfigMap',
  );
});

test('--namespace is that of manifests that do not state theirs', async (t) => {
  const pods =
    'kind: Pod\nspec: {containers: [{image: team/a}]}\n---\nkind: Pod\nmetadata: {namespace: other}\nspec: {containers: [{image: team/a}]}\n';
  const { stdout } = await transship([...rewrite, '-n', 'team-red'], pods);
  t.match(stdout, /image: proxy\.example\.com\/team\/team\/a/);
  t.match(stdout, /namespace: other\}\nspec: \{containers: \[\{image: team\/a\}\]\}\n$/);
});

test('images left alone because of a problem are reported with their position', async (t) => {
  const { code, stderr } = await transship([...rewrite, '-f', join(corpus, 'scope.yaml')]);
  t.equal(code, 0);
  t.match(
    stderr,
    /scope\.yaml:49:73: DaemonSet\/labelled: "Not An Image" is left alone: not an image reference: .*\n.*scope\.yaml:49:108: DaemonSet\/labelled: "waits\/app" is left alone: rule waits is not active yet/,
  );
});

const kept: readonly { readonly name: string; readonly manifest: string; readonly message: string }[] = [
  {
    name: 'a merge key below a key that it overrides',
    manifest: 'kind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - image: nginx\n    <<: {image: gcr.io/a}\n',
    message:
      'standard input:6:5: Pod/p is left as it is: kubectl lets a merge key (<<) override a key above it, kustomize does not, so its images are not the same to both; write the merge key first\n',
  },
  {
    name: 'a line separator of Unicode, which ends a line for kubectl alone',
    manifest: 'kind: Pod\nmetadata: {name: p} # a\u2028b: c\nspec: {containers: [{image: nginx}]}\n',
    message: 'standard input:2:24: Pod/p is left as it is: outside quotes stands a character that kubectl takes for something else',
  },
  {
    name: 'a byte-order mark in front of a key',
    manifest: '\n\uFEFFspec: {containers: [{image: nginx}]}\nkind: Pod\n',
    message: 'standard input:2:1: Pod/ is left as it is: outside quotes',
  },
  {
    name: 'an alias that would need a copy of text that kubectl takes for a map',
    manifest:
      'kind: List\nitems:\n- kind: Pod\n  spec: &s {containers: [{image: nginx, args: [a, ?b]}]}\n- kind: Pod\n  metadata: {namespace: kube-system}\n  spec: *s\n',
    message: 'standard input:1:1: Pod/ is left as it is: it cannot be changed without changing something else',
  },
];
for (const { name, manifest, message } of kept) {
  test(`${name}: the document is left as it is, with a sentence and exit code 1`, async (t) => {
    const { code, stdout, stderr } = await transship(rewrite, manifest);
    t.equal(code, 1);
    t.equal(stdout, manifest);
    t.ok(stderr.startsWith(message), stderr);
  });
}

const nested = (depth: number): string =>
  `{"kind":"Pod","spec":{"containers":[{"image":"nginx"}],"x":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}}`;

test('a document that nests 770 deep is changed like any other, one of 5,000 is refused with a sentence', async (t) => {
  t.match(await transship(rewrite, nested(770)), { code: 0, stdout: /localhost:30500\/library\/nginx/, stderr: '' });
  t.match(await transship(rewrite, nested(5000)), {
    code: 2,
    stdout: '',
    stderr: /standard input:1:\d+: it is nested too deeply for a manifest; write it less deeply/,
  });
});

test('--review answers as /mutate does', async (t) => {
  const folder = new URL('../corpus/reviews/', import.meta.url);
  const review = JSON.parse(readFileSync(new URL('deployment/review.json', folder), 'utf8'));
  const { code, stdout } = await transship(
    ['rewrite', '--policy', fileURLToPath(new URL('policy.yaml', folder)), '--review'],
    // With a byte-order mark, as Windows PowerShell saves it; that was refused, and printed.
    `\ufeff${JSON.stringify(review)}`,
  );
  t.equal(code, 0);
  const { response, ...envelope } = JSON.parse(stdout);
  t.same(envelope, { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' });
  t.match(response, { uid: review.request.uid, allowed: true, patchType: 'JSONPatch' });
  t.equal(JSON.parse(Buffer.from(response.patch, 'base64').toString('utf8'))[0].op, 'replace');
});

const cycle = 'kind: Pod\nspec: &a {containers: *a}\n';
const bomb = `a0: &a0 [x]\n${Array.from({ length: 12 }, (_, index) => `a${index + 1}: &a${index + 1} [${`*a${index}, `.repeat(9)}]\n`).join('')}`;
const refusals: readonly { readonly name: string; readonly args: readonly string[]; readonly stdin?: string; readonly message: RegExp }[] =
  [
    {
      name: 'YAML that is none',
      args: [],
      stdin: 'a: 1\n---\nb: [\n',
      message: /^transship rewrite: MANIFEST_INVALID: standard input:4:1: .*; it must be YAML or JSON$/m,
    },
    { name: 'JSON cut short', args: [], stdin: '{"kind": "Pod", "spec": {', message: /standard input:1:26: / },
    { name: 'nesting without end', args: [], stdin: '['.repeat(50_000), message: /standard input:1:\d+: / },
    {
      name: 'an anchor that contains itself',
      args: [],
      stdin: cycle,
      message: /standard input:2:10: an anchor cannot contain its own alias; kubectl refuses it too/,
    },
    {
      name: 'aliases that grow into billions',
      args: [],
      stdin: bomb,
      message: /standard input:1:9: aliases add up to more than 400000 values; kubectl refuses it too/,
    },
    { name: 'a word too many', args: ['pod.yaml'], message: /unexpected argument "pod\.yaml"; name manifests with -f/ },
    { name: 'two reviews', args: ['--review', '-f', 'a', '-f', 'b'], message: /--review answers one AdmissionReview/ },
    { name: 'a review and a namespace', args: ['--review', '-n', 'a'], message: /--namespace cannot be used with --review/ },
    {
      name: 'a review cut short',
      args: ['--review'],
      stdin: '{"kind":',
      message: /standard input is not JSON: .*; --review reads one AdmissionReview/,
    },
    { name: 'a review that is none', args: ['--review'], stdin: '{"kind":"Pod"}', message: /standard input: kind must be AdmissionReview/ },
  ];
for (const { name, args, stdin, message } of refusals) {
  test(`${name} is refused`, async (t) => {
    const { code, stdout, stderr } = await transship([...rewrite, ...args], stdin);
    t.equal(code, 2);
    t.equal(stdout, '');
    t.match(stderr, message);
  });
}

test('nothing is printed when the second file cannot be read', async (t) => {
  const { code, stdout } = await transship([...rewrite, '-f', '-', '-f', 'nowhere.yaml'], 'kind: ConfigMap\n');
  t.equal(code, 2);
  t.equal(stdout, '');
});
