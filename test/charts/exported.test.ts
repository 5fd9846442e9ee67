/** The value `admissionPolicy.exported`: what is taken, and what stops the render. What it becomes is in engine.test.ts. */
import { test } from 'tap';
import { parse } from 'yaml';

import { ownConditions } from '../../src/export/admission-policy/scope.ts';
import { render, skipWithoutHelm, template, type Values } from './chart.ts';
import { exportedPolicy, policyText } from './exported-policy.ts';

const options = { skip: skipWithoutHelm };
const inline = { rewritePolicy: { inline: policyText } };
/** With a rule that only a webhook can decide. */
const withOriginal = policyText.replace('as: path }', 'as: path }, alternatives: [{ as: original }]');
const object: unknown = parse(policyText);

const admissionPolicy = (text: string, more: Values = {}): Values => ({
  ...inline,
  engine: 'admissionPolicy',
  admissionPolicy: { exported: text },
  ...more,
});
const command = 'Write it with: transship export admission-policy --policy FILE --policy-name transship --exclude-namespaces images';
const withHostFrom = policyText.replace('host: mirror.example.com', 'host: mirror.example.com, hostFrom: { localRegistryHosting: true }');

const refused: readonly (readonly [says: string, values: Values, sentence: string])[] = [
  [
    'not with a webhook alone',
    { ...admissionPolicy(exportedPolicy()), engine: 'webhook' },
    'admissionPolicy.exported is set and engine is webhook',
  ],
  ['the name of a file', admissionPolicy('policy.yaml'), 'is not the output of transship export admission-policy'],
  ['a policy of transship', admissionPolicy(policyText), `--set-file admissionPolicy.exported=FILE. ${command}`],
  ['for Kyverno', admissionPolicy('apiVersion: policies.kyverno.io/v1\nkind: MutatingPolicy\n'), 'is not the output of transship export'],
  ['without its bindings', admissionPolicy(exportedPolicy().split('\n---\n')[0] ?? ''), 'and its two bindings'],
  [
    'without matchConstraints: it stopped with a trace of Go',
    admissionPolicy(exportedPolicy().replace('matchConstraints:', 'constraints:')),
    'is not the output of transship export admission-policy',
  ],
  [
    'without a spec',
    admissionPolicy(exportedPolicy().replaceAll(/^spec:$/gm, 'specification:')),
    'is not the output of transship export admission-policy',
  ],
  [
    'a condition with a quote: the shell read the command otherwise',
    admissionPolicy(exportedPolicy(), { matchConditions: [{ name: 'mine', expression: "object.metadata.name != 'a'" }] }),
    String.raw`${command} --match-condition 'mine=object.metadata.name != '\''a'\'''`,
  ],
  [
    'both engines: the command lacked --partial, and refused rules of the webhook',
    { ...admissionPolicy(exportedPolicy({ name: 'other' })), engine: 'both' },
    `${command} --partial`,
  ],
  ['another name', admissionPolicy(exportedPolicy({ name: 'other' })), 'has the name other, and that of this release is transship.'],
  [
    'another failurePolicy',
    admissionPolicy(exportedPolicy({ failurePolicy: 'Fail' })),
    'has failurePolicy Fail, and the value failurePolicy is Ignore',
  ],
  [
    'the release namespace forgotten',
    admissionPolicy(exportedPolicy({ excludedNamespaces: [] })),
    'leaves out the namespaces kube-node-lease, kube-public, kube-system, and this release leaves out images, kube-node-lease',
  ],
  [
    'another label value',
    admissionPolicy(exportedPolicy({ optInValue: 'vendor' })),
    'MutatingAdmissionPolicyBinding transship-namespaces selects other pods',
  ],
  [
    'OptOut: the command has the flags',
    admissionPolicy(exportedPolicy(), { optIn: { mode: 'OptOut', value: 'on', shadowValue: 'look', otherValues: ['b', 'a'] } }),
    `${command} --opt-in OptOut --opt-in-value on --shadow-value look --other-values b,a`,
  ],
  [
    'a condition that it lacks',
    admissionPolicy(exportedPolicy(), { failurePolicy: 'Ignore', matchConditions: [{ name: 'mine', expression: 'true' }] }),
    `admissionPolicy.exported lacks the condition mine of matchConditions. ${command} --match-condition 'mine=true'`,
  ],
  [
    'an older policy',
    admissionPolicy(exportedPolicy(), { rewritePolicy: { inline: `${policyText}# changed\n` } }),
    'and the policy of this release has revision',
  ],
  [
    'a part, without the webhook for the rest: its images stayed as written, and nothing said so',
    admissionPolicy(exportedPolicy({}, withOriginal), { rewritePolicy: { inline: withOriginal } }),
    'admissionPolicy.exported was written with --partial, and engine is admissionPolicy: no webhook decides the rest of the policy. Use engine both',
  ],
  [
    'an older policy, where the present one is an object: it was taken, and records had the wrong revision',
    admissionPolicy(exportedPolicy(), { rewritePolicy: { inline: object } }),
    'export it again. ' + command + ', where FILE is the text that the ConfigMap of the policy has',
  ],
  [
    'a condition of earlier values: pods that it leaves alone stayed as written',
    admissionPolicy(exportedPolicy({ matchConditions: [{ name: 'mine', expression: 'true' }] })),
    'admissionPolicy.exported has the condition mine, which matchConditions lacks: pods would be left alone that the values do not name.',
  ],
  ['no policy', admissionPolicy(exportedPolicy(), { rewritePolicy: {} }), 'is set without the policy that it was exported from'],
  [
    'a host that is resolved',
    admissionPolicy(exportedPolicy({ followsHosts: true }, withHostFrom), { rewritePolicy: { inline: withHostFrom } }),
    'an exported policy does not follow resolved hosts',
  ],
  [
    'hosts that the controller is to resolve: they were not followed',
    admissionPolicy(exportedPolicy(), { controller: { features: { hosts: true } } }),
    'controller.features.hosts is true and admissionPolicy.exported is set: an exported policy does not follow resolved hosts',
  ],
  [
    'hosts that another program resolves: they were not followed',
    admissionPolicy(exportedPolicy(), { resolvedHosts: { configMap: 'hosts' } }),
    'resolvedHosts.configMap and admissionPolicy.exported are both set: an exported policy does not follow resolved hosts',
  ],
  [
    'the breaker: new pods still began with the registry that it had found unavailable',
    admissionPolicy(exportedPolicy(), { controller: { features: { fallback: true } } }),
    'an exported policy does not follow which registries are unavailable. Set controller.fallback.breaker.enabled to false',
  ],
  [
    'a rule for the webhook',
    { ...admissionPolicy(''), rewritePolicy: { inline: policyText.replace('as: path', "as: template, template: 'a/$1'") } },
    'rule hub of the policy has as: template, which no admission policy can express, and engine is admissionPolicy: use engine both',
  ],
  [
    'warnings of the webhook',
    { ...admissionPolicy(''), rewritePolicy: { inline: { warnings: 'rewrites' } } },
    'the policy has warnings: rewrites, and engine is admissionPolicy, which cannot warn',
  ],
  ['metrics of no pod', admissionPolicy(exportedPolicy(), { podMonitor: { enabled: true } }), 'and the release has no pod with metrics'],
  // The controller ends with an error for each of them.
  ...ownConditions.map((name): readonly [string, Values, string] => [
    `a condition of the policy itself: ${name}`,
    { ...inline, engine: 'both', matchConditions: [{ name, expression: 'true' }] },
    `matchConditions has an entry named ${name}`,
  ]),
];

test('an exported policy that is none, or for other values, stops the render with the command that makes it', options, async (t) => {
  for (const [says, values, sentence] of refused) {
    const { code, stderr } = await template(values);
    t.equal(code, 1, says);
    t.ok(stderr.includes(sentence), `${says}: ${stderr}`);
  }
});

const noBreaker = { controller: { features: { fallback: true }, fallback: { breaker: { enabled: false } } } };

const taken: readonly (readonly [says: string, values: Values])[] = [
  [
    'a part beside the webhook',
    { ...admissionPolicy(exportedPolicy({}, withOriginal), { rewritePolicy: { inline: withOriginal } }), engine: 'both' },
  ],
  ['lines that end as on Windows: it was no output of the export', admissionPolicy(exportedPolicy().replaceAll('\n', '\r\n'))],
  ['a file with a byte-order mark', admissionPolicy(`\uFEFF${exportedPolicy()}`)],
  [
    'a policy with a byte-order mark, which the command line reads without it: no export was of its revision',
    admissionPolicy(exportedPolicy(), { rewritePolicy: { inline: `\uFEFF${policyText}` } }),
  ],
  ['its own condition of --match-images', admissionPolicy(exportedPolicy({ matchImages: true }))],
  ['fallback without the breaker', admissionPolicy(exportedPolicy(), noBreaker)],
  [
    'fallback that only tells',
    admissionPolicy(exportedPolicy(), { controller: { features: { fallback: true }, fallback: { dryRun: true } } }),
  ],
];

test('an exported policy that fits is taken', options, async (t) => {
  for (const [says, values] of taken) {
    const { code, stderr } = await template(values);
    t.equal(code, 0, `${says}: ${stderr}`);
  }
});

test('of an object, the file to export is the text that its ConfigMap has', options, async (t) => {
  const rewritePolicy = { inline: object };
  const text: string = (await render({ rewritePolicy })).one('ConfigMap', 'transship-policy')['data']['policy.yaml'];
  const { code, stderr } = await template(admissionPolicy(exportedPolicy({}, text), { rewritePolicy }));
  t.equal(code, 0, stderr);
});
