/** Every query of the alerts and of the dashboard, by a real Prometheus that scrapes a real webhook, controller and API server. */
import { readFileSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { test, type Test } from 'tap';
import { rows } from '../../charts/generator/dashboard.ts';
import { serving } from '../cli/child.ts';
import { skipReason } from '../cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { change, createNamespace, eventually, succeed } from '../controller/controllers.ts';
import { alerts, prometheusSkipReason, promtool, type Prometheus } from './prometheus.ts';
import { optedIn, startSystem } from './system.ts';

/** Prometheus is asked for first: with TRANSSHIP_REQUIRE_PROMETHEUS its absence must not hide behind that of the cluster. */
const clusterOptions = { skip: prometheusSkipReason() || skipReason({ level: 1, helm: false }) };

/** Names of prom-client that promtool objects to. A rename would break the dashboards that exist for them. */
const exempt = /^nodejs_active_(handles|requests|resources)_total /;

function checkMetrics(t: Test, text: string): void {
  const { text: found } = promtool(['check', 'metrics'], text);
  t.strictSame(
    found.split('\n').filter((line) => line.trim() !== '' && !exempt.test(line)),
    [],
  );
}

const panelQueries = Object.values(rows).flatMap((panels) => panels.flatMap(({ queries }) => Object.values(queries)));
/** As Grafana fills them in when all namespaces are selected. */
const filledIn = (query: string): string => query.replaceAll('$namespace', '.*').replaceAll('$__rate_interval', '15s');
/** What an alert looks at, without its threshold: a healthy system meets none. */
const selectorsOf = (expression: string): string[] => [...new Set(expression.match(/\b(?:transship|apiserver)_\w+(?:\{[^}]*\})?|\bup\b/g))];

/** What is wrong in the test below, and the alerts that say so. Each is met at once; how long it must last is in alerts.test.ts. */
const planted: Readonly<Record<string, string>> = {
  TransshipReplicaNotReady: 'no kubelet asks',
  TransshipFailOpen: 'the API server skips a webhook that it cannot call',
  TransshipAdmissionPolicyErrors: 'an expression of an admission policy fails',
  TransshipFallbackSteps: 'a pod is moved to an alternative',
  TransshipImageMissing: 'a registry does not have the image of a pod',
  TransshipPodsRejected: 'and rejects what another one should have seen',
  TransshipPolicyRefused: 'the policy of the webhook is invalid',
  TransshipControllerPolicyRefused: 'so is that of the controller',
  TransshipCertificateExpiresSoon: 'the certificate of the webhook ends within hours',
  TransshipCopiesFailed: 'Secrets are rejected',
  TransshipTokenExpiresSoon: 'tokens end in ten minutes',
  TransshipHostUnresolved: 'there is no such Service',
  TransshipAdmissionPolicyOutdated: 'the release has no binding',
};
/** Depends on what else the machine does. */
const ofLoad = new Set(['TransshipEventLoopSaturated', 'TransshipCallsSlow']);

const webhookTo = (name: string, failurePolicy: string): object => ({
  name,
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  failurePolicy,
  rules: [
    { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: [failurePolicy === 'Fail' ? 'secrets' : 'configmaps'] },
  ],
  // Nobody listens there.
  clientConfig: { url: 'https://127.0.0.1:1/mutate' },
});

/** The API server cannot call two webhooks: one is skipped, one rejects. */
async function failCalls(plane: ControlPlane): Promise<void> {
  const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
  const webhooks = [webhookTo('enforce.transship.dev', 'Ignore'), webhookTo('pod-enforce.transship.dev', 'Fail')];
  await plane.api.send('POST', path, { metadata: { name: 'unreachable' }, webhooks });
  const create = async (kind: string): Promise<unknown> =>
    await plane.api.send('POST', `/api/v1/namespaces/default/${kind}?dryRun=All`, { metadata: { generateName: 'probe-' } });
  await eventually('the API server counts failed calls', async () => {
    await Promise.all([create('configmaps'), create('secrets')]);
    const { body } = await plane.api.send<string>('GET', '/metrics');
    return body.includes('apiserver_admission_webhook_fail_open_count{') && body.includes('apiserver_admission_webhook_rejection_count{');
  });
}

/** One that divides by zero, which the API server finds when a pod comes. */
async function failExpression(plane: ControlPlane): Promise<void> {
  const registration = '/apis/admissionregistration.k8s.io/v1';
  const expression = '[JSONPatch{op: "remove", path: "/none"}].filter(p, 1 / (object.spec.containers.size() - 1) > 1)';
  const spec = {
    failurePolicy: 'Ignore',
    reinvocationPolicy: 'Never',
    matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }] },
    mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }],
  };
  const policy = await plane.api.send('POST', `${registration}/mutatingadmissionpolicies`, { metadata: { name: 'transship' }, spec });
  if (policy.status !== 201) throw new Error(JSON.stringify(policy.body));
  const binding = { metadata: { name: 'transship-pods' }, spec: { policyName: 'transship' } };
  await plane.api.send('POST', `${registration}/mutatingadmissionpolicybindings`, binding);
  const containers = [{ name: 'main', image: 'nginx' }];
  const pod = { metadata: { generateName: 'probe-' }, spec: { automountServiceAccountToken: false, containers } };
  await eventually('the API server counts evaluations', async () => {
    await plane.api.send('POST', '/api/v1/namespaces/default/pods?dryRun=All', pod);
    const { body } = await plane.api.send<string>('GET', '/metrics');
    return body.includes('apiserver_mutating_admission_policy_check_total{');
  });
}

/** What a kubelet writes that cannot reach the registry: there is none here. */
async function failPull(plane: ControlPlane): Promise<void> {
  const path = '/api/v1/namespaces/shop/pods';
  const image = 'reg.example.com/library/nginx:1';
  const annotations = { 'transship.dev/original-images': '{"main":"nginx:1"}' };
  const spec = { automountServiceAccountToken: false, containers: [{ name: 'main', image }] };
  await succeed(plane, 'POST', path, { metadata: { name: 'waiting', annotations }, spec });
  const state = { waiting: { reason: 'ErrImagePull', message: 'dial tcp 10.1.2.3:443: connect: connection refused' } };
  const status = { phase: 'Pending', containerStatuses: [{ name: 'main', image, imageID: '', ready: false, restartCount: 0, state }] };
  await change(plane, `${path}/waiting/status`, { status });
  await eventually('the controller moves it', async () => {
    const { spec: now } = await succeed<{ spec: typeof spec }>(plane, 'GET', `${path}/waiting`);
    return now.containers[0]?.image !== image;
  });
}

/** The registry has no image at all. */
async function needMissingImage(plane: ControlPlane, registry: string): Promise<void> {
  const containers = [{ name: 'main', image: `${registry}/app:1` }];
  await succeed(plane, 'POST', '/api/v1/namespaces/shop/pods', {
    metadata: { name: 'missing' },
    spec: { automountServiceAccountToken: false, containers },
  });
}

/** Waits, because a rate needs two scrapes. */
async function givesSeries(t: Test, prometheus: Prometheus, query: string): Promise<void> {
  let found = 0;
  const looked = eventually(query, async () => {
    const { status, error, data } = await prometheus.query(query);
    if (status !== 'success') throw new Error(`${query}: ${error}`);
    found = data?.result.length ?? 0;
    return found > 0;
  });
  await t.resolves(looked, query);
}

test('promtool check metrics finds nothing in the metrics of serve', { skip: prometheusSkipReason() }, async (t) => {
  const { metricsPort } = await serving(t);
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { headers: { connection: 'close' } });
  checkMetrics(t, await response.text());
  t.match(promtool(['check', 'metrics'], 'wrong_total 1\n').text, /wrong_total/, 'it does find something');
});

test('every query is accepted and gives a series', clusterOptions, async (t) => {
  const plane = await startControlPlane(t, { level: 1 });
  const { controller, policyFile, prometheus, asked } = await startSystem(t, plane);
  checkMetrics(t, (await controller.get('/metrics')).text);
  await failCalls(plane);
  await failExpression(plane);
  await failPull(plane);
  await needMissingImage(plane, asked);
  await createNamespace(plane, 'after', optedIn);
  for (const file of [policyFile, controller.policyFile]) writeFileSync(file, 'ruels: []');

  const selectors = new Set(alerts.flatMap(({ expr }) => selectorsOf(expr)));
  for (const query of [...selectors, ...panelQueries.map(filledIn)]) await givesSeries(t, prometheus, query);
  const met = async (): Promise<string[]> => {
    const found = await Promise.all(alerts.map(async ({ alert, expr }) => ({ alert, answer: await prometheus.query(expr) })));
    t.strictSame(
      found.filter(({ answer }) => answer.status !== 'success'),
      [],
    );
    return found.filter(({ alert, answer }) => answer.data?.result.length !== 0 && !ofLoad.has(alert)).map(({ alert }) => alert);
  };
  const expected = Object.keys(planted).toSorted();
  let seen: string[] = [];
  await eventually('the planted faults are seen', async () => {
    seen = (await met()).toSorted();
    // A scrape of a busy machine may be late, and then a target is away for one of them.
    return isDeepStrictEqual(seen, expected);
  }).catch((error: unknown) => t.comment(String(error)));
  t.strictSame(seen, expected, 'each fault is seen, and nothing else');
  t.match(await prometheus.query('sum('), { status: 'error' }, 'a query that is wrong is not accepted');
});

test('the guide names every row of the dashboard', (t) => {
  const page = readFileSync(new URL('../../docs/guides/monitoring.md', import.meta.url), 'utf8');
  const named = [...page.slice(page.indexOf('## Dashboard')).matchAll(/^\| ([A-Z][\w ]+) \|/gm)].map(([, row]) => row);
  t.strictSame(named, ['Row', ...Object.keys(rows)]);
  t.end();
});
