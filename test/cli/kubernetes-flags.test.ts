/** Names of Kubernetes as values of flags: taken where the API server takes them, and refused where it refuses them. */
import { join } from 'node:path';
import { test } from 'tap';
import { parseAllDocuments } from 'yaml';
import { readControllerOptions } from '../../src/cli/controller-options.ts';
import { Unfit, type FlagType } from '../../src/cli/flag-types.ts';
import {
  admissionPolicyName,
  label,
  labelValue,
  matchCondition,
  namespaceName,
  objectName,
  serviceName,
} from '../../src/cli/kubernetes-flags.ts';
import { skipReason } from '../cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { transship } from './terminal.ts';

const texts = [
  'a',
  'a-b',
  'a.b',
  '0a',
  'A',
  'a_b',
  'A.b_c-d',
  '-a',
  'a-',
  'a..b',
  'a.-b',
  'a b',
  'a/b',
  'a.b/c',
  'A/b',
  'é',
  '*',
  ...[62, 63, 64, 242, 243, 253, 254].map((length) => 'a'.repeat(length)),
  `${'a.'.repeat(126)}a`,
];

const takes = (type: FlagType<unknown>, text: string): boolean => !(type.read(text) instanceof Unfit);

const registration = 'admissionregistration.k8s.io/v1';
const configMap = (metadata: object): readonly [path: string, object: object] => ['/api/v1/namespaces/default/configmaps', { metadata }];

/** What the API server is asked for each type, with the text in it. */
const asked: readonly (readonly [name: string, type: FlagType<unknown>, request: (text: string) => readonly [string, object]])[] = [
  ['namespaceName', namespaceName, (name) => ['/api/v1/namespaces', { metadata: { name } }]],
  [
    'serviceName',
    serviceName,
    (name) => ['/api/v1/namespaces/default/services', { metadata: { name }, spec: { ports: [{ port: 80 }], selector: { a: 'b' } } }],
  ],
  ['objectName', objectName, (name) => configMap({ name })],
  [
    'admissionPolicyName',
    admissionPolicyName,
    // Of the policy, and of a binding, which is longer.
    (name) => (/[a-z0-9]$/.test(name) ? configMap({ name: `${name}-namespaces` }) : configMap({ name })),
  ],
  ['labelValue', labelValue, (value) => configMap({ name: 'a', labels: { key: value } })],
  ['label', { ...label, read: (key: string) => label.read(`${key}=value`) }, (key) => configMap({ name: 'a', labels: { [key]: 'value' } })],
  [
    'matchCondition',
    { ...matchCondition, read: (name: string) => matchCondition.read(`${name}=true`) },
    (name) => [
      `/apis/${registration}/mutatingwebhookconfigurations`,
      {
        metadata: { name: 'a' },
        webhooks: [
          {
            name: 'a.example.com',
            clientConfig: { url: 'https://a.example.com' },
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
            matchConditions: [{ name, expression: 'true' }],
          },
        ],
      },
    ],
  ],
];

async function isStored({ api }: ControlPlane, [path, object]: readonly [string, object]): Promise<boolean> {
  const { status, body } = await api.send('POST', `${path}?dryRun=All`, object);
  if (status !== 201 && status !== 422) throw new Error(`${status} ${JSON.stringify(body)}`);
  return status === 201;
}

test('a name is taken exactly where the API server takes it', { skip: skipReason({ level: 1 }) }, async (t) => {
  const plane = await startControlPlane(t);
  for (const [name, type, request] of asked)
    for (const text of texts)
      t.equal(takes(type, text), await isStored(plane, request(text)), `${name}: ${text.slice(0, 20)} (${text.length})`);
});

test('conditions whose names are no text in YAML are stored as they are called', { skip: skipReason({ level: 1 }) }, async (t) => {
  const plane = await startControlPlane(t);
  const names = ['1', 'true', 'No', 'null', 'y', '1.5', 'a.b/c', 'skip-jobs', '0x1', '1e3'];
  const path = policyFile(t, rule);
  const flags = names.flatMap((name) => ['--match-condition', `${name}=true`]);
  const { stdout } = await transship(['export', 'admission-policy', '--policy', path, ...flags]);
  const object: unknown = parseAllDocuments(stdout, { version: '1.1' })[0]?.toJS();
  const { status, body } = await plane.api.send('POST', `/apis/${registration}/mutatingadmissionpolicies?dryRun=All`, object);
  t.equal(status, 201, JSON.stringify(body));
  const stored = (body as { spec?: { matchConditions?: { name: string }[] } }).spec?.matchConditions?.map(({ name }) => name) ?? [];
  t.same(
    names.filter((name) => !stored.includes(name)),
    [],
  );
});

const rule = '  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path } }\n';

function policyFile(t: { testdir: (content: Record<string, string>) => string }, rules: string): string {
  const text = `apiVersion: transship.dev/v1\nkind: RewritePolicy\nregistries: { mirror: { host: registry.example.com } }\nrules:\n${rules}`;
  return join(t.testdir({ 'policy.yaml': text }), 'policy.yaml');
}

const exported: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [['--policy-name', 'A_B'], /--policy-name takes the name of an object \(.*\), not "A_B"; did you mean a-b\?/],
  [['--exclude-namespaces', 'a,B c'], /--exclude-namespaces takes the name of a namespace \(.*\), not "B c"; did you mean b-c\?/],
  [['--opt-in-value', 'a/b'], /--opt-in-value takes the value of a label \(.*\), not "a\/b"/],
  [
    ['--opt-in-value', 'disabled'],
    /--opt-in-value is disabled, the value that opts a namespace or a pod out of every release; use another value/,
  ],
  [['--shadow-value', 'disabled'], /--shadow-value is disabled, /],
  [['--other-values', 'a,disabled'], /--other-values is disabled, /],
  [['--opt-in-value', 'shadow'], /--opt-in-value and --shadow-value both have shadow; give each its own value/],
  [['--other-values', 'a,enabled'], /--opt-in-value and --other-values both have enabled/],
  [['--match-condition', 'a= '], /--match-condition takes a match condition as NAME=EXPRESSION, not "a= "/],
  [['--match-condition', 'a=1', '--match-condition', 'a=2'], /--match-condition: two conditions are called a; use another name/],
  [['--match-condition', 'not-opted-out=1'], /--match-condition: not-opted-out is the name of a condition of transship; use another name/],
];
for (const format of ['admission-policy', 'kyverno'])
  for (const [args, message] of exported)
    test(`export ${format} refuses ${args.join(' ')}, which it once wrote`, async (t) => {
      const result = await transship(['export', format, '--policy', policyFile(t, rule), ...args]);
      t.match(result, { code: 2, stdout: '', stderr: message });
    });

test('the controller refuses what the API server would refuse', (t) => {
  const needed = ['--policy', 'policy.yaml', '--namespace', 'release'];
  const rows: readonly (readonly [args: readonly string[], message: RegExp])[] = [
    [['--namespace', 'A'], /--namespace takes the name of a namespace .* did you mean a\?/],
    [['--lease-name', 'a_b'], /--lease-name takes the name of an object .* did you mean a-b\?/],
    [['--service', 'a.b'], /--service takes the name of a Service /],
    [['--opt-in-values', 'enabled,disabled'], /--opt-in-values is disabled, /],
    [['--opt-out-values', 'disabled,shadow'], /--opt-in-values and --opt-out-values both have shadow/],
    [['--match-condition', 'a=1', '--match-condition', 'a=2'], /two conditions are called a/],
  ];
  for (const [args, message] of rows)
    t.throws(() => readControllerOptions([...needed, ...args], {}), { code: 'USAGE', message }, args.join(' '));
  t.end();
});

test('the namespace and the labels of a pod are names, in every command that takes them', async (t) => {
  const path = policyFile(t, rule);
  for (const command of ['explain', 'images', 'rewrite'])
    t.match(await transship([command, '--policy', path, '-n', 'A_B', 'nginx']), {
      code: 2,
      stderr: /--namespace takes .* did you mean a-b\?/,
    });
  t.match(await transship(['explain', '--policy', path, '-l', 'app=a b', 'nginx']), {
    code: 2,
    stderr: /--label takes a label as KEY=VALUE/,
  });
});

test('match-images has no parts: --partial once had no effect', async (t) => {
  const result = await transship(['export', 'match-images', '--partial', '--policy', policyFile(t, rule)]);
  t.match(result, { code: 2, stdout: '', stderr: /USAGE: match-images has no --partial; leave it out/ });
});

test('a policy without rules is exported with a warning', async (t) => {
  const path = policyFile(t, '');
  for (const format of ['admission-policy', 'kyverno', 'match-images', 'containerd', 'k3s', 'crio']) {
    const { stderr } = await transship(['export', format, '--policy', path]);
    t.ok(stderr.startsWith(`${path}: warning: the policy has no rules, so no image is rewritten\n`), format);
  }
});
