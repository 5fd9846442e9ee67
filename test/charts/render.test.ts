import { test } from 'tap';

import { chartFolder, ciValues, helm, release, render, skipWithoutHelm, templateFiles, type Render, type Values } from './chart.ts';

const options = { skip: skipWithoutHelm };
const clusterWide = new Set([
  'ClusterRole',
  'ClusterRoleBinding',
  'MutatingWebhookConfiguration',
  'Namespace',
  'PriorityClass',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
]);

test('every file of ci/ is strictly right, and together they use every template', options, async (t) => {
  const used = new Set<string>();
  for (const [file, values] of ciValues) {
    const { code, stdout, stderr } = await helm(['lint', '--strict', chartFolder], values);
    t.equal(code, 0, `${file}: ${stdout}${stderr}`);
    for (const name of (await render(values)).templates) used.add(name);
  }
  t.same(
    templateFiles.filter((file) => !used.has(file)),
    [],
  );
});

test('every object says whose it is and where it goes', options, async (t) => {
  for (const [file, values] of ciValues) {
    const { objects } = await render(values);
    for (const { kind, metadata } of objects) {
      const what = `${file}: ${kind} ${metadata?.name}`;
      t.match(
        metadata?.labels,
        {
          'app.kubernetes.io/name': 'transship',
          'app.kubernetes.io/instance': release.name,
          'app.kubernetes.io/version': /^\d/,
          'app.kubernetes.io/managed-by': 'Helm',
          'helm.sh/chart': /^transship-\d/,
        },
        what,
      );
      if (clusterWide.has(kind ?? '')) t.equal(metadata?.namespace, undefined, what);
      else t.match(metadata?.namespace, /^images$|^transship-self-test$|^kube-public$/, what);
    }
    const identities = objects.map(({ kind, metadata }) => `${kind} ${metadata?.namespace} ${metadata?.name}`);
    t.equal(new Set(identities).size, identities.length, `${file}: no object twice`);
  }
});

test('the webhook has no rights: they are for the controller, and for the self-test in its own namespace', options, async (t) => {
  for (const [file, values] of ciValues) {
    const rendered = await render(values);
    const bindings = rendered.objects.filter(
      ({ kind, metadata }) => kind?.endsWith('RoleBinding') && metadata?.namespace !== 'transship-self-test',
    );
    const subjects: { name: string; namespace: string }[] = bindings.flatMap((binding) => binding['subjects']);
    t.same(
      subjects.filter(({ name, namespace }) => !name.endsWith('-controller') || namespace !== release.namespace),
      [],
      file,
    );
    t.notMatch(rendered.one('Deployment')['spec'].template.spec.serviceAccountName, /-controller$/, file);
  }
});

/** Where a value ends up: what the object named by `kind` must at least have. */
interface Row {
  readonly says: string;
  readonly values: Values;
  readonly kind: string;
  readonly name?: string;
  readonly has: object;
}

const container = (fields: object) => ({ spec: { template: { spec: { containers: [fields] } } } });
const podSpec = (fields: object) => ({ spec: { template: { spec: fields } } });
const digest = `sha256:${'a'.repeat(64)}`;
const certManager = { tls: { mode: 'certManager' } };
const ready = { tls: { mode: 'secret', secret: { name: 'own', caBundle: 'YQ==' } } };

const rows: readonly Row[] = [
  { says: 'the image is the app version', values: {}, kind: 'Deployment', has: container({ image: /^transship:\d+\.\d+\.\d+$/ }) },
  {
    says: 'registry and tag',
    values: { image: { registry: 'r.example:5000/', tag: 'x' } },
    kind: 'Deployment',
    has: container({ image: 'r.example:5000/transship:x' }),
  },
  { says: 'a digest needs no tag', values: { image: { digest } }, kind: 'Deployment', has: container({ image: `transship@${digest}` }) },
  {
    says: 'tag and digest',
    values: { image: { tag: 'x', digest } },
    kind: 'Deployment',
    has: container({ image: `transship:x@${digest}` }),
  },
  {
    says: 'two replicas, one more while rolling',
    values: {},
    kind: 'Deployment',
    has: { spec: { replicas: 2, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } } },
  },
  {
    says: 'a node port cannot be shared',
    values: { hostNetwork: true },
    kind: 'Deployment',
    has: {
      spec: {
        strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
        template: { spec: { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' } },
      },
    },
  },
  { says: 'no token of the API', values: {}, kind: 'Deployment', has: podSpec({ automountServiceAccountToken: false }) },
  { says: 'no token by the account either', values: {}, kind: 'ServiceAccount', has: { automountServiceAccountToken: false } },
  {
    says: 'nothing of the node',
    values: {},
    kind: 'Deployment',
    has: podSpec({
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [{ securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } }],
    }),
  },
  {
    says: 'spread over nodes and zones by its own labels',
    values: {},
    kind: 'Deployment',
    has: podSpec({
      topologySpreadConstraints: [
        { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { 'app.kubernetes.io/component': 'webhook' } } },
        { topologyKey: 'topology.kubernetes.io/zone' },
      ],
    }),
  },
  {
    says: "a constraint's own selector stays",
    values: { topologySpreadConstraints: [{ topologyKey: 'rack', labelSelector: { matchLabels: { a: 'b' } } }] },
    kind: 'Deployment',
    has: podSpec({ topologySpreadConstraints: [{ topologyKey: 'rack', labelSelector: { matchLabels: { a: 'b' } } }] }),
  },
  {
    says: "pod labels do not take away the Service's",
    values: { podLabels: { 'app.kubernetes.io/name': 'x', team: 'y' } },
    kind: 'Deployment',
    has: { spec: { template: { metadata: { labels: { 'app.kubernetes.io/name': 'transship', team: 'y' } } } } },
  },
  {
    says: 'probes over HTTPS',
    values: {},
    kind: 'Deployment',
    has: container({
      startupProbe: { httpGet: { path: '/healthz', scheme: 'HTTPS' } },
      livenessProbe: { httpGet: { path: '/healthz', scheme: 'HTTPS' } },
      readinessProbe: { httpGet: { path: '/readyz', scheme: 'HTTPS' } },
    }),
  },
  {
    says: 'its namespace, for the guard in code',
    values: {},
    kind: 'Deployment',
    has: container({ env: [{ name: 'TRANSSHIP_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } }] }),
  },
  {
    says: 'a key of an own ConfigMap',
    values: { rewritePolicy: { existingConfigMap: 'own', key: 'a.yaml' } },
    kind: 'Deployment',
    has: podSpec({ volumes: [{ name: 'policy', configMap: { name: 'own', items: [{ key: 'a.yaml', path: 'policy.yaml' }] } }] }),
  },
  {
    says: 'an own certificate',
    values: ready,
    kind: 'Deployment',
    has: podSpec({ volumes: [{}, { name: 'tls', secret: { secretName: 'own' } }] }),
  },
  {
    says: 'the authority of an own certificate',
    values: ready,
    kind: 'MutatingWebhookConfiguration',
    has: { webhooks: Array.from({ length: 4 }, () => ({ clientConfig: { caBundle: 'YQ==' } })) },
  },
  {
    says: 'the authority as PEM',
    values: { tls: { mode: 'secret', secret: { name: 'own', caBundle: '-----BEGIN X' } } },
    kind: 'MutatingWebhookConfiguration',
    has: { webhooks: [{ clientConfig: { caBundle: 'LS0tLS1CRUdJTiBY' } }, {}, {}, {}] },
  },
  {
    says: 'nobody else sets what the controller does',
    values: {},
    kind: 'MutatingWebhookConfiguration',
    has: { webhooks: Array.from({ length: 4 }, () => ({ clientConfig: { caBundle: undefined } })) },
  },
  {
    says: 'the certificate that the controller makes',
    values: {},
    kind: 'Deployment',
    has: podSpec({ volumes: [{}, { name: 'tls', secret: { secretName: 'transship-tls' } }] }),
  },
  {
    says: 'whose authority has a Secret that no pod mounts',
    values: {},
    kind: 'Secret',
    name: 'transship-tls-ca',
    has: { type: 'Opaque', data: undefined },
  },
  {
    says: 'resolved hosts may be late',
    values: { controller: { features: { hosts: true } } },
    kind: 'Deployment',
    has: podSpec({ volumes: [{}, {}, { name: 'hosts', configMap: { name: 'transship-hosts', optional: true } }] }),
  },
  {
    says: 'the token of the API, for the controller',
    values: {},
    kind: 'Deployment',
    name: 'transship-controller',
    has: podSpec({ serviceAccountName: 'transship-controller', automountServiceAccountToken: true }),
  },
  {
    says: 'an identity in the cloud',
    values: { controller: { podLabels: { a: 'b' }, serviceAccount: { name: 'own', annotations: { c: 'd' } } } },
    kind: 'ServiceAccount',
    name: 'own',
    has: { metadata: { annotations: { c: 'd' } } },
  },
  {
    says: 'cert-manager fills in the authority',
    values: certManager,
    kind: 'MutatingWebhookConfiguration',
    has: { metadata: { annotations: { 'cert-manager.io/inject-ca-from': 'images/transship' } } },
  },
  {
    says: "the Service's name in the certificate",
    values: certManager,
    kind: 'Certificate',
    name: 'transship',
    has: {
      spec: {
        dnsNames: ['transship.images.svc', 'transship.images.svc.cluster.local'],
        issuerRef: { name: 'transship-ca', kind: 'Issuer' },
      },
    },
  },
  {
    says: 'an issuer of the organisation',
    values: { tls: { mode: 'certManager', certManager: { issuerRef: { name: 'org', kind: 'ClusterIssuer' } } } },
    kind: 'Certificate',
    has: { spec: { issuerRef: { name: 'org', kind: 'ClusterIssuer' } } },
  },
  {
    says: 'the port the API server calls',
    values: { service: { port: 8443, clusterIP: '10.0.0.9' } },
    kind: 'Service',
    has: { spec: { clusterIP: '10.0.0.9', ports: [{ name: 'https', port: 8443 }] } },
  },
  {
    says: 'the same port in the webhooks',
    values: { service: { port: 8443 } },
    kind: 'MutatingWebhookConfiguration',
    has: {
      webhooks: Array.from({ length: 4 }, () => ({ clientConfig: { service: { namespace: 'images', name: 'transship', port: 8443 } } })),
    },
  },
  {
    says: 'a port for the ServiceMonitor',
    values: { serviceMonitor: { enabled: true } },
    kind: 'Service',
    has: { spec: { ports: [{ name: 'https' }, { name: 'metrics', port: 9464 }] } },
  },
  { says: 'one pod may be missing', values: {}, kind: 'PodDisruptionBudget', has: { spec: { maxUnavailable: 1 } } },
  {
    says: 'none may be missing',
    values: { podDisruptionBudget: { maxUnavailable: 0 } },
    kind: 'PodDisruptionBudget',
    has: { spec: { maxUnavailable: 0 } },
  },
  {
    says: 'half must be there',
    values: { podDisruptionBudget: { minAvailable: '50%' } },
    kind: 'PodDisruptionBudget',
    has: { spec: { minAvailable: '50%' } },
  },
  {
    says: 'the webhook calls nobody',
    values: {},
    kind: 'NetworkPolicy',
    has: { spec: { policyTypes: ['Ingress', 'Egress'], egress: [] } },
  },
  {
    says: 'a priority of its own',
    values: {},
    kind: 'PriorityClass',
    has: { metadata: { name: 'transship' }, value: 1e9, globalDefault: false },
  },
  { says: 'which the pods have', values: {}, kind: 'Deployment', has: podSpec({ priorityClassName: 'transship' }) },
];

test('values end up where they belong', options, async (t) => {
  for (const { says, values, kind, name, has } of rows) t.match((await render(values)).one(kind, name), has, says);
});

const policyOf = (rendered: Render, key = 'policy.yaml') => rendered.one('ConfigMap', 'transship-policy')['data'][key];

test('the policy: a text byte for byte, an object with its head, nothing as an empty one', options, async (t) => {
  const text = '  # odd indentation\n  a: "ü"\n\n\n# the end\n';
  t.equal(policyOf(await render({ rewritePolicy: { inline: text } })), text);
  const head = 'apiVersion: transship.dev/v1\nkind: RewritePolicy\n';
  t.equal(policyOf(await render()).trim(), head.trim());
  t.equal(policyOf(await render({ rewritePolicy: { inline: { rules: [] }, key: 'p' } }), 'p').trim(), `${head}rules: []`);
});

test('what is switched off is not there', options, async (t) => {
  const off = {
    podDisruptionBudget: { enabled: false },
    networkPolicy: { enabled: false },
    priorityClass: { create: false },
    serviceAccount: { create: false },
    topologySpreadConstraints: [],
  };
  const rendered = await render({ ...ready, ...off });
  t.same(
    new Set(rendered.objects.map(({ kind }) => kind)),
    new Set(['ConfigMap', 'Deployment', 'MutatingWebhookConfiguration', 'Service']),
  );
  const { spec } = rendered.one('Deployment')['spec'].template;
  t.equal(spec.serviceAccountName, 'default');
  t.notOk('priorityClassName' in spec || 'topologySpreadConstraints' in spec);
  t.notOk('replicas' in (await render({ autoscaling: { enabled: true } })).one('Deployment')['spec'], 'the autoscaler decides');
});

const selfTestImages = async (values: Values) =>
  JSON.parse((await render(values)).one('ConfigMap', 'transship-self-test')['data']['images.json']);

test('the self-test takes the tests of the policy that hold in any namespace', options, async (t) => {
  const tests = [
    { image: 'nginx', becomes: 'm/nginx', rule: 'hub' },
    { image: 'nginx', outcome: 'rewritten' },
    { image: 'redis', becomes: 'm/redis', namespace: 'team-a' },
    { image: 'vault', becomes: 'm/vault', podLabels: { a: 'b' } },
  ];
  t.same(await selfTestImages({ rewritePolicy: { inline: { tests } } }), [{ image: 'nginx', becomes: 'm/nginx' }]);
  t.same(await selfTestImages({ rewritePolicy: { inline: JSON.stringify({ tests }) } }), [{ image: 'nginx', becomes: 'm/nginx' }]);
  const own = [{ image: 'a', becomes: 'b' }];
  t.same(await selfTestImages({ rewritePolicy: { inline: { tests } }, selfTest: { images: own } }), own);
  t.same(
    (await render()).objects.filter(({ metadata }) => metadata?.annotations?.['helm.sh/hook']),
    [],
    'nothing to compare, no test',
  );
});

test('an old Kubernetes is refused', options, async (t) => {
  const { code, stderr } = await helm(['template', 'x', chartFolder, '--kube-version', 'v1.32.9']);
  t.equal(code, 1);
  t.match(stderr, /kubeVersion: >=1\.33\.0-0/);
});

test('names that look like numbers stay texts', options, async (t) => {
  const values = {
    tls: { mode: 'secret', secret: { name: '1', caBundle: 'YQ==' }, clientCA: { configMap: '2' } },
    rewritePolicy: { existingConfigMap: '3' },
    resolvedHosts: { configMap: '4' },
    serviceAccount: { name: '5' },
    priorityClass: { name: '6' },
    image: { tag: '1e3' },
    selfTest: { images: [{ image: 'a', becomes: 'b' }] },
  };
  const rendered = await render(values, ['--namespace', '123']);
  for (const { kind, metadata } of rendered.objects) t.match([metadata?.name, metadata?.namespace ?? ''], [String, String], String(kind));
  const { serviceAccountName, priorityClassName, volumes, containers } = rendered.one('Deployment')['spec'].template.spec;
  t.same([serviceAccountName, priorityClassName, containers[0].image], ['5', '6', 'transship:1e3']);
  t.match(volumes, [
    { configMap: { name: '3' } },
    { secret: { secretName: '1' } },
    { configMap: { name: '2' } },
    { configMap: { name: '4' } },
  ]);
  t.equal(rendered.one('MutatingWebhookConfiguration')['webhooks'][0].clientConfig.service.namespace, '123');
});
