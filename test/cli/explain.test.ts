/** `explain`: its lines of JSON, its table, and what it refuses. */
import { join } from 'node:path';
import { test } from 'tap';
import { policy, transship } from './terminal.ts';

const digest = `sha256:${'8f2b6a0d'.repeat(8)}`;
const json = ['explain', '--policy', policy, '-o', 'json'];
const keys = ['image', 'name', 'tag', 'digest', 'outcome', 'rule', 'result', 'pullSecrets', 'reason', 'alternatives'];

const lines: readonly {
  readonly name: string;
  readonly args: readonly string[];
  readonly stdin?: string | readonly (string | Buffer)[];
  readonly expected: readonly object[];
}[] = [
  {
    name: 'every key, in order, with null where there is nothing',
    args: ['nginx', `quay.io/acme/app:1@${digest}`, 'No Image'],
    expected: [
      {
        image: 'nginx',
        name: 'docker.io/library/nginx',
        tag: null,
        digest: null,
        outcome: 'rewritten',
        rule: 'hub',
        result: 'localhost:30500/library/nginx',
        pullSecrets: ['local-key', '123'],
        reason: 'rule hub matches docker.io (path)',
      },
      {
        image: `quay.io/acme/app:1@${digest}`,
        name: 'quay.io/acme/app',
        tag: '1',
        digest,
        outcome: 'rewritten',
        rule: 'vendor',
        result: `proxy.example.com/quay.io/acme/app:1@${digest}`,
        pullSecrets: ['vendor-key'],
        reason: 'rule vendor matches quay.io/acme (fullName)',
      },
      {
        image: 'No Image',
        name: null,
        tag: null,
        digest: null,
        outcome: 'invalid',
        rule: null,
        result: null,
        pullSecrets: [],
        reason: 'not an image reference: a repository name must be lower case',
      },
    ],
  },
  {
    name: 'outcomes without a rule',
    args: ['gcr.io/a/b', 'localhost:30500/a', 'waits/a'],
    expected: [
      { outcome: 'no-rule', rule: null },
      { outcome: 'already-there', pullSecrets: ['local-key', '123'] },
      { outcome: 'refused', rule: 'waits', result: null },
    ],
  },
  {
    name: 'standard input: blank lines are skipped, line ends may be those of Windows, the last may be missing',
    args: ['-'],
    stdin: '\nnginx\r\n \t\nquay.io/acme/a',
    expected: [{ image: 'nginx' }, { image: 'quay.io/acme/a' }],
  },
  {
    name: 'standard input in pieces, cut inside a letter',
    args: ['-'],
    stdin: [
      Buffer.from('ngi'),
      Buffer.from('nx\nquay.io/acm'),
      Buffer.from('e/a\n\xc3', 'latin1'),
      Buffer.from('\xa9\n', 'latin1'),
      Buffer.from('\xc3', 'latin1'),
    ],
    expected: [{ image: 'nginx' }, { image: 'quay.io/acme/a' }, { image: 'é' }, { image: '\ufffd' }],
  },
  {
    name: 'standard input between images',
    args: ['one', '-', 'two'],
    stdin: 'three\n',
    expected: [{ image: 'one' }, { image: 'three' }, { image: 'two' }],
  },
  { name: 'no images at all', args: ['-'], expected: [] },
  { name: 'a namespace that a rule asks for', args: ['--namespace', 'team-red', 'team/a'], expected: [{ rule: 'team' }] },
  { name: 'no namespace is default', args: ['team/a'], expected: [{ outcome: 'no-rule' }] },
  { name: 'a label that a rule asks for', args: ['-l', 'tier=web', '--label', 'x=a_b', 'labelled/a'], expected: [{ rule: 'labelled' }] },
  {
    name: 'a namespace that the webhook never touches',
    args: ['-n', 'kube-system', 'nginx:1'],
    expected: [
      {
        outcome: 'excluded',
        name: 'docker.io/library/nginx',
        tag: '1',
        rule: null,
        result: null,
        pullSecrets: [],
        reason: 'namespace kube-system belongs to Kubernetes',
      },
    ],
  },
  { name: 'a pod that opted out', args: ['-l', 'transship.dev/rewrite=disabled', 'nginx'], expected: [{ outcome: 'excluded' }] },
];

for (const { name, args, stdin, expected } of lines) {
  test(name, async (t) => {
    const { code, stdout, stderr } = await transship([...json, ...args], stdin);
    t.equal(code, 0);
    t.equal(stderr, '');
    const found = stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
    t.equal(found.length, expected.length);
    t.match(found, expected);
    for (const line of found) t.same(Object.keys(line), keys);
  });
}

const manifests = `# two documents
kind: Pod
metadata: {name: one, namespace: team-blue, labels: {tier: web}}
spec:
  containers: [{name: a, image: team/app}, {name: b, image: labelled/app}]
---
kind: CronJob
metadata: {name: two}
spec: {jobTemplate: {spec: {template: {spec: {initContainers: [{name: c, image: team/app}]}}}}}
`;

test('-f: the keys, then where the image stands; namespace and labels are those of the pod', async (t) => {
  const file = join(t.testdir({ 'pods.yaml': manifests }), 'pods.yaml');
  const { stdout } = await transship([...json, '-f', file, '-f', '-'], manifests);
  const found = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  for (const line of found) t.same(Object.keys(line), [...keys, 'manifest', 'pointer', 'line', 'kind', 'objectName', 'namespace']);
  t.match(found, [
    { rule: 'team', manifest: file, pointer: '/spec/containers/0/image', line: 5, kind: 'Pod', objectName: 'one', namespace: 'team-blue' },
    { rule: 'labelled', manifest: file, pointer: '/spec/containers/1/image', line: 5 },
    { rule: null, manifest: file, pointer: '/spec/jobTemplate/spec/template/spec/initContainers/0/image', line: 9 },
    { manifest: 'standard input' },
    { manifest: 'standard input' },
    { manifest: 'standard input' },
  ]);
});

test('-f with --namespace and --label overrides the manifest', async (t) => {
  const { stdout } = await transship([...json, '-f', '-', '--namespace', 'team-red', '--label', 'tier=none'], manifests);
  t.same(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).rule),
    ['team', null, 'team'],
  );
});

test('the table: long names move nothing out of line', async (t) => {
  const long = `quay.io/acme/${'very-'.repeat(30)}long@${digest}`;
  const { code, stdout } = await transship(['explain', '--policy', policy, 'nginx', long, 'gcr.io/a']);
  t.equal(code, 0);
  t.equal(
    stdout,
    `OUTCOME        RULE      IMAGE
rewritten      hub       nginx
                         -> localhost:30500/library/nginx
                         rule hub matches docker.io (path)
                         pull secrets: local-key, 123
rewritten      vendor    ${long}
                         -> proxy.example.com/${long}
                         rule vendor matches quay.io/acme (fullName)
                         pull secrets: vendor-key
no-rule        -         gcr.io/a
                         no rule matches it
`,
  );
});

test('the table has the position of an image in its manifest', async (t) => {
  const { stdout } = await transship(['explain', '--policy', policy, '-f', '-'], manifests);
  t.match(stdout, 'at standard input:9, CronJob/two in default, /spec/jobTemplate/spec/template/spec/initContainers/0/image\n');
});

test('hosts that the controller resolved make a waiting rule fire', async (t) => {
  const file = join(t.testdir({ 'hosts.yaml': 'pending: localhost:5001\n' }), 'hosts.yaml');
  const { stdout } = await transship([...json, '--resolved-hosts', file, 'waits/a']);
  t.match(JSON.parse(stdout), { outcome: 'rewritten', result: 'localhost:5001/waits/a' });
});

test('warnings about the policy go to standard error', async (t) => {
  const file = join(
    t.testdir({ 'policy.yaml': `apiVersion: transship.dev/v1\nkind: RewritePolicy\nrules: [{ match: { images: [{ regex: nginx }] } }]\n` }),
    'policy.yaml',
  );
  const { code, stdout, stderr } = await transship(['explain', '--policy', file, '-o', 'json', 'nginx']);
  t.equal(code, 0);
  t.match(JSON.parse(stdout), { image: 'nginx' });
  t.match(stderr, /policy\.yaml:3:\d+: warning: rule rule-1: nginx is not anchored/);
});

const refusals: readonly {
  readonly name: string;
  readonly args: readonly string[];
  readonly stdin?: string | Buffer;
  readonly message: string;
}[] = [
  { name: 'no policy', args: ['nginx'], message: '--policy FILE is missing; name a policy file with it, or with TRANSSHIP_POLICY' },
  { name: 'a flag without its value', args: ['nginx', '--policy'], message: '--policy has no value; write --policy=VALUE' },
  {
    name: 'a flag that nearly exists',
    args: ['--namespaces', 'a', 'nginx'],
    message: 'unknown flag --namespaces; did you mean --namespace?',
  },
  {
    name: 'a flag that does not exist',
    args: ['--colour', 'nginx'],
    message: 'unknown flag --colour; flags are --policy, --resolved-hosts,',
  },
  {
    name: 'a label without a value',
    args: ['--policy', policy, '--label', 'app', 'nginx'],
    message: '--label takes a label as KEY=VALUE, not "app"',
  },
  {
    name: 'a format that does not exist',
    args: ['--policy', policy, '-o', 'yaml', 'nginx'],
    message: '--output takes table or json, not "yaml"',
  },
  { name: 'nothing to decide', args: ['--policy', policy], message: 'nothing to decide; name images' },
  {
    name: 'an image behind -f, where every word is a file',
    args: ['--policy', policy, '-f', 'a', 'nginx'],
    message: 'nginx cannot be read: no such file',
  },
  { name: 'standard input twice', args: ['--policy', policy, '-', '-'], message: '- (standard input) can be read only once' },
  {
    name: 'a policy that is not there',
    args: ['--policy', 'nowhere.yaml', 'nginx'],
    message: 'FILE_UNREADABLE: nowhere.yaml cannot be read: no such file; check the path',
  },
  { name: 'a policy that is a folder', args: ['--policy', 'src', 'nginx'], message: 'it is a folder' },
  {
    name: 'a file of resolved hosts that is not there',
    args: ['--policy', policy, '--resolved-hosts', 'nowhere.yaml', 'nginx'],
    message: 'nowhere.yaml cannot be read: no such file',
  },
  {
    name: 'a manifest that is not there',
    args: ['--policy', policy, '-f', 'nowhere.yaml'],
    message: 'nowhere.yaml cannot be read: no such file',
  },
  {
    name: 'a folder without manifests',
    args: ['--policy', policy, '-f', 'src/image'],
    message: 'src/image has no file that ends in .yaml, .yml or .json; name the files',
  },
  {
    name: 'a manifest that is not text',
    args: ['--policy', policy, '-f', '-'],
    stdin: Buffer.from([0xff, 0xfe, 0x00]),
    message: 'standard input cannot be read: it is not UTF-8 text',
  },
  {
    name: 'a file that cannot be opened at all',
    args: ['--policy', policy, '-f', 'a\0b'],
    message: 'must be a string, Uint8Array, or URL without null bytes',
  },
];

for (const { name, args, stdin, message } of refusals) {
  test(`${name} is refused`, async (t) => {
    const { code, stdout, stderr } = await transship(['explain', ...args], stdin);
    t.equal(code, 2);
    t.equal(stdout, '');
    t.ok(stderr.startsWith('transship explain: '), stderr);
    t.ok(stderr.includes(message), stderr);
  });
}

test('all findings of an invalid policy are printed', async (t) => {
  const file = join(
    t.testdir({ 'policy.yaml': 'apiVersion: transship.dev/v1\nkind: RewritePolicy\nrulez: []\nwarning: rewrites\n' }),
    'policy.yaml',
  );
  const { code, stderr } = await transship(['explain', '--policy', file, 'nginx']);
  t.equal(code, 2);
  t.match(
    stderr,
    /policy\.yaml:3:1: error: unknown key rulez; did you mean rules\?\n.*policy\.yaml:4:1: error: unknown key warning; did you mean warnings\?\n/,
  );
});

test('a policy from standard input is refused with what to write: it was looked for as a file named -', async (t) => {
  const { code, stderr } = await transship(['explain', '--policy', '-', 'nginx']);
  t.equal(code, 2);
  t.match(stderr, /--policy - is no file; name a file, or \/dev\/stdin/);
});
