import { test } from 'tap';

import { chartFolder, ciValues, helm, release, render, skipWithoutHelm, templateFiles, type Render, type Values } from './chart.ts';

const options = { skip: skipWithoutHelm };
const clusterWide = new Set([
  'ClusterRole',
  'ClusterRoleBinding',
  'MutatingAdmissionPolicyBinding',
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

test('every object has the labels of the release and a namespace', options, async (t) => {
  for (const [file, values] of ciValues) {
    const { objects } = await render(values);
    for (const { kind, metadata } of objects) {
      // `extraObjects` are as their owner writes them.
      if (metadata?.name === 'extra') continue;
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
    const webhook = rendered.objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata?.name === release.name);
    if (values['engine'] !== 'admissionPolicy') t.notMatch(webhook?.['spec'].template.spec.serviceAccountName, /-controller$/, file);
  }
});

const ready = { tls: { mode: 'secret', secret: { name: 'own', caBundle: 'YQ==' } } };

const policyOf = (rendered: Render, key = 'policy.yaml') => rendered.one('ConfigMap', 'transship-policy')['data'][key];

test('the policy: a text byte for byte, an object with its head, nothing as an empty one', options, async (t) => {
  const text = '  # odd indentation\n  apiVersion: "transship.dev/v1"\n  kind: RewritePolicy\n  rules:   # ü\n\n\n# the end\n';
  t.equal(policyOf(await render({ rewritePolicy: { inline: text } })), text);
  const head = 'apiVersion: transship.dev/v1\nkind: RewritePolicy\n';
  t.equal(policyOf(await render()).trim(), head.trim());
  t.equal(policyOf(await render({ rewritePolicy: { inline: { rules: [] }, key: 'p' } }), 'p').trim(), `${head}rules: []`);
});

test('disabled objects are not rendered', options, async (t) => {
  const off = {
    podDisruptionBudget: { enabled: false },
    networkPolicy: { enabled: false },
    priorityClass: { create: false },
    serviceAccount: { create: false },
    topologySpreadConstraints: [],
    labelWarnings: { enabled: false },
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

test('alerts and dashboard are rendered on demand; the alerts of the controller only with one', options, async (t) => {
  const on = { prometheusRule: { enabled: true }, grafanaDashboard: { enabled: true } };
  const groups = async (values: Values): Promise<string[]> =>
    (await render({ ...values, ...on })).one('PrometheusRule')['spec'].groups.map(({ name }: { name: string }) => name);
  t.strictSame(await groups({}), ['transship-webhook', 'transship-controller', 'transship-admission-policy']);
  t.strictSame(await groups(ready), ['transship-webhook', 'transship-admission-policy']);
  const moved = await render({ ...on, prometheusRule: { enabled: true, runbookUrl: 'https://docs.example.com/' } });
  for (const { rules } of moved.one('PrometheusRule')['spec'].groups)
    for (const { alert, annotations } of rules) t.match(annotations.runbook_url, /^https:\/\/docs\.example\.com\/\w+\.md#/, alert);
  const config = moved.one('ConfigMap', 'transship-dashboard');
  t.match(config.metadata?.labels, { grafana_dashboard: '1' });
  t.equal(JSON.parse(config['data']['transship.json']).uid, 'transship');
  t.match((await render(ready)).objects.map(({ kind }) => kind).join(), /^(?!.*PrometheusRule)/, 'off by default');
});

const ports = (port: number) => [{ port, protocol: 'TCP' }];

test('the NetworkPolicy opens the webhook to any client, or to those of webhookFrom, and never its egress', options, async (t) => {
  const networkPolicy = async (values: Values) => (await render({ ...ready, ...values })).one('NetworkPolicy', 'transship')['spec'];
  t.strictSame((await networkPolicy({})).ingress, [{ ports: ports(8443) }, { ports: ports(9464) }]);
  const webhookFrom = [{ ipBlock: { cidr: '10.0.0.0/28' } }];
  const metricsFrom = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }];
  const restricted = await networkPolicy({ networkPolicy: { webhookFrom, metricsFrom } });
  t.strictSame(restricted.ingress, [
    { ports: ports(8443), from: webhookFrom },
    { ports: ports(9464), from: metricsFrom },
  ]);
  t.strictSame(restricted.policyTypes, ['Ingress', 'Egress']);
  t.notOk('egress' in restricted, 'none is allowed');
  const { code, stderr } = await helm(['template', 'transship', chartFolder], { ...ready, networkPolicy: { webhookFrom: '10.0.0.0/28' } });
  t.not(code, 0);
  t.match(stderr, /webhookFrom/, 'an address instead of a list of peers');
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
  t.same(
    await selfTestImages({ rewritePolicy: { inline: JSON.stringify({ apiVersion: 'transship.dev/v1', kind: 'RewritePolicy', tests }) } }),
    [{ image: 'nginx', becomes: 'm/nginx' }],
  );
  const own = [{ image: 'a', becomes: 'b' }];
  t.same(await selfTestImages({ rewritePolicy: { inline: { tests } }, selfTest: { images: own } }), own);
  t.same(
    (await render()).objects.filter(({ metadata }) => metadata?.annotations?.['helm.sh/hook']),
    [],
    'nothing to compare, no test',
  );
});

test('any name that Helm takes for a release gives names that Kubernetes takes', options, async (t) => {
  // A Service's name begins with a letter and has no dots: such releases once rendered and could not be installed.
  const serviceName = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
  for (const name of ['transship', '1st', '2.transship', 'eu.west.transship', 'a', 'x'.repeat(53), `9${'y'.repeat(52)}`]) {
    const values = { tls: { mode: 'certManager', previousMode: 'controller' }, localRegistry: { enabled: true } };
    const { code, stdout, stderr } = await helm(
      ['template', name, chartFolder, '--namespace', 'images', '--kube-version', 'v1.36.0'],
      values,
    );
    t.equal(code, 0, stderr);
    const services = [...stdout.matchAll(/^kind: Service\nmetadata:\n {2}name: (.*)$/gm)].map((match) => match[1] ?? '');
    t.equal(services.length, 3, name);
    for (const service of services) t.ok(serviceName.test(service) && service.length < 64, `${name}: ${service}`);
  }
});

test('an old Kubernetes is refused', options, async (t) => {
  const { code, stderr } = await helm(['template', 'x', chartFolder, '--kube-version', 'v1.30.9']);
  t.equal(code, 1);
  t.match(stderr, /kubeVersion: >=1\.31\.0-0/);
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
