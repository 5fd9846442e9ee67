/** Every query of the alerts and of the dashboard, by a real Prometheus that scrapes a real webhook, controller and API server. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type Test } from 'tap';
import { rows } from '../../charts/generator/dashboard.ts';
import { serving } from '../cli/child.ts';
import { skipReason } from '../cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import {
  createNamespace,
  createSecret,
  dockerConfig,
  eventually,
  mirrorPolicy,
  releaseNamespace,
  runController,
  whenReady,
} from '../controller/controllers.ts';
import { alerts, prometheusSkipReason, promtool, startPrometheus, type Prometheus } from './prometheus.ts';

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

/** Only with the token of a cloud, with tls.mode controller, and after a failed write. */
const elsewhere = /transship_controller_(token_\w+|certificate_\w+|writes_total\{result="failed"\})/;

const panelQueries = Object.values(rows).flatMap((panels) => panels.flatMap(({ queries }) => Object.values(queries)));
/** As Grafana fills them in when all namespaces are selected. */
const filledIn = (query: string): string => query.replaceAll('$namespace', '.*').replaceAll('$__rate_interval', '15s');
/** What an alert looks at, without its threshold: a healthy system meets none. */
const selectorsOf = (expression: string): string[] => [
  ...new Set(expression.match(/\b(?:transship|apiserver)_\w+(?:\{[^}]*\})?|\bup\b/g)?.filter((selector) => !elsewhere.test(selector))),
];

/** A registry with a host that is not resolved, beside the usual one. */
const policy = `${mirrorPolicy}  local:
    hostFrom: { service: { namespace: registry, name: registry, port: 5000, via: localhost } }
`;

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

/** The metrics of the API server without its authentication. @returns its port */
async function metricsOf(t: Test, plane: ControlPlane): Promise<number> {
  const server = createServer((_request, response) => {
    void plane.api.send<string>('GET', '/metrics').then(({ body }) => {
      const text = body.split('\n').filter((line) => line.includes('apiserver_admission_webhook_'));
      response.end(`${text.join('\n')}\n`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server that listens has such an address
  return (server.address() as AddressInfo).port;
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
  await createNamespace(plane, releaseNamespace, { 'transship.dev/rewrite': 'enabled' });
  await createSecret(plane, { namespace: releaseNamespace, name: 'mirror-source', config: dockerConfig('one') });
  await createNamespace(plane, 'shop', { 'transship.dev/rewrite': 'enabled' });
  const controller = await runController(plane, { policy, args: ['--disabled-features', 'certificates'] });
  await whenReady(controller);
  checkMetrics(t, (await controller.get('/metrics')).text);
  const { metricsPort } = await serving(t);
  await failCalls(plane);
  const targets = { webhook: metricsPort, controller: controller.port, apiserver: await metricsOf(t, plane) };
  const prometheus = await startPrometheus(t, targets);

  for (const { alert, expr } of alerts) {
    t.equal((await prometheus.query(expr)).status, 'success', alert);
    for (const selector of selectorsOf(expr)) await givesSeries(t, prometheus, selector);
  }
  for (const query of panelQueries.map(filledIn)) {
    if (!elsewhere.test(query)) await givesSeries(t, prometheus, query);
    else t.equal((await prometheus.query(query)).status, 'success', query);
  }
  t.match(await prometheus.query('sum('), { status: 'error' }, 'a query that is wrong is not accepted');
});

test('the guide names every row of the dashboard', (t) => {
  const page = readFileSync(new URL('../../docs/guides/monitoring.md', import.meta.url), 'utf8');
  const named = [...page.slice(page.indexOf('## Dashboard')).matchAll(/^\| ([A-Z][\w ]+) \|/gm)].map(([, row]) => row);
  t.strictSame(named, ['Row', ...Object.keys(rows)]);
  t.end();
});
