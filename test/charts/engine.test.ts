/** The value `engine`: what is rendered for each, and that both engines are asked about the same pods. */
import { test } from 'tap';
import { parseAllDocuments } from 'yaml';

import type { AdmissionPolicyOptions } from '../../src/export/admission-policy/admission-policy.ts';
import { release, render, skipWithoutHelm, template, type Rendered, type Values } from './chart.ts';
import { exportedPolicy, policyText } from './exported-policy.ts';

const options = { skip: skipWithoutHelm };
const engines = ['webhook', 'admissionPolicy', 'both'] as const;
const inline = { rewritePolicy: { inline: policyText } };
const all = {
  ...inline,
  autoscaling: { enabled: true },
  serviceMonitor: { enabled: true },
  prometheusRule: { enabled: true },
  grafanaDashboard: { enabled: true },
  validatingPolicy: { enabled: true, registries: ['mirror.example.com'] },
};

const namesOf = (objects: readonly Rendered[]): string[] =>
  objects.map(({ kind, metadata }) => `${kind} ${metadata?.name}`).toSorted((a, b) => (a < b ? -1 : 1));

const ofWebhook = [
  'Deployment transship',
  'HorizontalPodAutoscaler transship',
  'MutatingWebhookConfiguration transship',
  'NetworkPolicy transship',
  'PodDisruptionBudget transship',
  'Secret transship-tls',
  'Secret transship-tls-ca',
  'Service transship',
  'ServiceAccount transship',
  'ServiceMonitor transship',
];
const ofPolicy = ['MutatingAdmissionPolicyBinding transship-namespaces', 'MutatingAdmissionPolicyBinding transship-pods'];
const ofController = [
  'ClusterRole images:transship-controller',
  'ClusterRoleBinding images:transship-controller',
  'Deployment transship-controller',
  'NetworkPolicy transship-controller',
  'PodMonitor transship-controller',
  'PriorityClass transship',
  'Role transship-controller',
  'RoleBinding transship-controller',
  'ServiceAccount transship-controller',
];
const ofEach = [
  'ConfigMap transship-dashboard',
  'ConfigMap transship-policy',
  'ConfigMap transship-self-test',
  'Namespace transship-self-test',
  'Pod transship-self-test',
  'PrometheusRule transship',
  'Role transship-self-test',
  'RoleBinding transship-self-test',
  'ServiceAccount transship-self-test',
  'ValidatingAdmissionPolicy transship-labels',
  'ValidatingAdmissionPolicy transship-registries',
  'ValidatingAdmissionPolicyBinding transship-labels',
  'ValidatingAdmissionPolicyBinding transship-registries',
];
const exported = { admissionPolicy: { exported: exportedPolicy() } };

const expected: readonly (readonly [says: string, values: Values, names: readonly string[]])[] = [
  ['webhook', { engine: 'webhook' }, [...ofEach, ...ofController, ...ofWebhook]],
  ['the default is webhook', {}, [...ofEach, ...ofController, ...ofWebhook]],
  ['admissionPolicy', { engine: 'admissionPolicy' }, [...ofEach, ...ofController, ...ofPolicy]],
  ['both', { engine: 'both' }, [...ofEach, ...ofController, ...ofWebhook, ...ofPolicy]],
  [
    'admissionPolicy with an exported one: no pod at all',
    { engine: 'admissionPolicy', ...exported, serviceMonitor: { enabled: false } },
    [...ofEach, ...ofPolicy, 'MutatingAdmissionPolicy transship'],
  ],
  [
    'admissionPolicy with cert-manager for a webhook that is not there',
    { engine: 'admissionPolicy', tls: { mode: 'certManager', previousMode: 'secret' } },
    [...ofEach, ...ofController, ...ofPolicy],
  ],
];

test('objects of each engine', options, async (t) => {
  for (const [says, values, names] of expected)
    t.strictSame(
      namesOf((await render({ ...all, ...values })).objects),
      names.toSorted((a, b) => (a < b ? -1 : 1)),
      says,
    );
});

test('the controller: features, flags and rights of each engine', options, async (t) => {
  const argsOf = async (values: Values): Promise<readonly string[]> =>
    (await render({ ...inline, ...values })).one('Deployment', 'transship-controller')['spec'].template.spec.containers[0].args;
  const ofFeature = /^--(policy-name|shadow-value|failure-policy|match-condition|partial|features|deployment|tls-secret)/;
  const shown = async (values: Values): Promise<readonly string[]> => (await argsOf(values)).filter((arg) => ofFeature.test(arg));
  const more = { failurePolicy: 'Fail', optIn: { shadowValue: 'look' }, matchConditions: [{ name: 'mine', expression: 'a == "b"' }] };
  const flags = ['--policy-name=transship', '--shadow-value=look', '--failure-policy=Fail', '--match-condition=mine=a == "b"'] as const;
  t.strictSame(await shown({ engine: 'webhook', ...more }), [
    '--features=certificates',
    '--deployment=transship',
    '--tls-secret=transship-tls',
  ]);
  t.strictSame(await shown({ engine: 'admissionPolicy', ...more }), ['--features=policies', ...flags]);
  t.strictSame(await shown({ engine: 'both', ...more }), [
    '--features=certificates,policies',
    '--deployment=transship',
    ...flags,
    '--partial',
    '--tls-secret=transship-tls',
  ]);
  const rules: readonly { resources: string[]; resourceNames?: string[]; verbs: string[] }[] = (
    await render({ ...inline, engine: 'admissionPolicy' })
  ).one('ClusterRole', 'images:transship-controller')['rules'];
  t.strictSame(
    rules.map(({ resources, resourceNames, verbs }) => [resources[0], resourceNames?.[0], verbs.join()]),
    [
      ['mutatingadmissionpolicies', 'transship', 'list,watch,patch'],
      ['mutatingadmissionpolicies', undefined, 'create'],
      ['mutatingadmissionpolicybindings', 'transship-namespaces', 'list,watch'],
    ],
  );
});

interface Scoped {
  readonly values: Values;
  readonly scope: Partial<AdmissionPolicyOptions>;
}

const scopes: readonly Scoped[] = [
  { values: {}, scope: {} },
  { values: { optIn: { mode: 'OptOut' } }, scope: { optIn: 'OptOut' } },
  { values: { optIn: { value: 'vendor' } }, scope: { optInValue: 'vendor' } },
  { values: { optIn: { shadowValue: 'look' } }, scope: { shadowValue: 'look' } },
  { values: { optIn: { otherValues: ['b', 'a'] } }, scope: { otherValues: ['b', 'a'] } },
  {
    values: { optIn: { mode: 'OptOut', value: 'on', shadowValue: 'look', otherValues: ['b', 'a'] } },
    scope: { optIn: 'OptOut', optInValue: 'on', shadowValue: 'look', otherValues: ['b', 'a'] },
  },
  {
    values: { excludeNamespaces: ['zoo', 'kube-system', 'alpha'] },
    scope: { excludedNamespaces: [release.namespace, 'zoo', 'kube-system', 'alpha'] },
  },
  { values: { failurePolicy: 'Fail' }, scope: { failurePolicy: 'Fail' } },
  {
    values: { matchConditions: [{ name: 'mine', expression: 'object.metadata.name != "it\'s"' }] },
    scope: { matchConditions: [{ name: 'mine', expression: 'object.metadata.name != "it\'s"' }] },
  },
];

test("the chart's bindings are the exporter's, and what is exported for the same values is taken as it is", options, async (t) => {
  for (const { values, scope } of scopes) {
    const says = JSON.stringify(values);
    const text = exportedPolicy(scope);
    const given: Rendered[] = parseAllDocuments(text).map((document) => document.toJS());
    for (const engine of ['admissionPolicy', 'both']) {
      const rendered = await render({ ...inline, ...values, engine, admissionPolicy: { exported: text } });
      for (const { kind, metadata, spec } of given.map((object) => ({ ...object, spec: object['spec'] })))
        t.strictSame(rendered.one(kind ?? '', metadata?.name)['spec'], spec, `${engine} ${says}: ${kind} ${metadata?.name}`);
      t.equal(given.length, 3);
    }
    const kept = await render({ ...inline, ...values, engine: 'admissionPolicy' });
    for (const name of ['transship-namespaces', 'transship-pods'])
      t.strictSame(
        kept.one('MutatingAdmissionPolicyBinding', name)['spec'],
        given.find(({ metadata }) => metadata?.name === name)?.['spec'],
        says,
      );
  }
});

test('older Kubernetes is refused by its version, with the engines that need a newer one', options, async (t) => {
  for (const engine of engines) {
    for (const version of ['v1.34.0', 'v1.35.9', 'v1.36.0-alpha.1', 'v1.36.0', 'v1.37.1-gke.100']) {
      const { code, stderr } = await template({ ...inline, engine }, ['--kube-version', version]);
      const isRefused = engine !== 'webhook' && /^v1\.3[45]/.test(version);
      t.equal(code, isRefused ? 1 : 0, `${engine}, ${version} ${stderr}`);
      if (isRefused)
        t.match(
          stderr,
          `engine is ${engine}, which needs MutatingAdmissionPolicy v1 (Kubernetes 1.36 or newer), and Kubernetes ${version} does not serve it: use engine webhook`,
        );
    }
  }
});

const groups = async (values: Values): Promise<string[]> => {
  const rule = (await render({ ...inline, prometheusRule: { enabled: true }, ...values })).one('PrometheusRule');
  return rule['spec'].groups.map(({ name }: { name: string }) => name);
};

test('alerts: none of a webhook that is not there', options, async (t) => {
  t.strictSame(await groups({ engine: 'webhook' }), ['transship-webhook', 'transship-controller', 'transship-admission-policy']);
  t.strictSame(await groups({ engine: 'admissionPolicy' }), ['transship-controller', 'transship-admission-policy']);
  t.strictSame(await groups({ engine: 'admissionPolicy', ...exported }), ['transship-admission-policy']);
});

/** What alerts and dashboard select by the label `policy`. */
const watched = async (fullnameOverride: string): Promise<Set<string | undefined>> => {
  const rendering = await render({ ...all, engine: 'both', fullnameOverride });
  const dashboard = rendering.objects.find(({ metadata }) => metadata?.name === `${fullnameOverride}-dashboard`);
  const text = JSON.stringify([
    rendering.one('PrometheusRule', fullnameOverride)['spec'],
    JSON.parse(dashboard?.['data']['transship.json']),
  ]);
  return new Set([...text.matchAll(/policy=~\\"(.*?)\\"/g)].map(([, regex]) => regex));
};

test('an alert and a dashboard for a policy whose name does not say transship saw none of it', options, async (t) => {
  t.strictSame(await watched('my-transship'), new Set(['.*transship.*']));
  t.strictSame(await watched('rewriter'), new Set(['.*transship.*|rewriter']));
});

test("a label of the chart's own on the pods was there twice", options, async (t) => {
  const label = { 'transship.dev/tls-mode': 'x' };
  for (const values of [{ podLabels: label }, { commonLabels: label }])
    t.equal((await render(values)).one('Deployment')['spec'].template.metadata.labels['transship.dev/tls-mode'], 'controller');
});

test('the policy check exports the policy as well, where no webhook decides the rest', options, async (t) => {
  const check = { rewritePolicy: { inline: policyText, check: { enabled: true } } };
  const commands = async (values: Values): Promise<string[]> => {
    const job = (await render({ ...check, ...values })).one('Job');
    return job['spec'].template.spec.containers.map(({ name, args }: { name: string; args: string[] }) => `${name}: ${args.join(' ')}`);
  };
  const lint = 'lint: lint /etc/transship/policy/policy.yaml';
  t.strictSame(await commands({ engine: 'webhook' }), [lint]);
  t.strictSame(await commands({ engine: 'both' }), [lint]);
  t.strictSame(await commands({ engine: 'admissionPolicy' }), [
    'export: export admission-policy --policy=/etc/transship/policy/policy.yaml',
    lint,
  ]);
});
