/** The alerts of the chart, by Debian's promtool: each fires for its fault, no other does, and none on a healthy system. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { guides } from '../../charts/generator/alerts.ts';
import { pages } from '../guides/page.ts';
import { alerts, folderFor, prometheusSkipReason, promtool, ruleFiles } from './prometheus.ts';

const options = { skip: prometheusSkipReason() };

/** Values of a series in the notation of promtool; null where there is no such series. */
type Series = Readonly<Record<string, string | null>>;

const minutes = 90;
const constant = (value: number): string => `${value}x${minutes}`;
const growing = `0+1x${minutes}`;
const webhook = (name: string, labels = ''): string => `transship_${name}{job="webhook", instance="a"${labels}}`;
const controller = (name: string, labels = ''): string => `transship_controller_${name}{job="controller", instance="c"${labels}}`;
const call = (name: string, labels: string): string => `apiserver_admission_webhook_${name}{job="apiserver", ${labels}}`;
const failOpen = call('fail_open_count', 'name="pod-enforce.transship.dev", type="admit"');
const rejection = call('rejection_count', 'name="enforce.transship.dev", type="admit", error_type="calling_webhook_error"');
const evaluations = (error: string): string =>
  `apiserver_mutating_admission_policy_check_total{job="apiserver", policy="transship", policy_binding="transship-pods", error_type="${error}"}`;
const steps = (result: string): string =>
  controller('fallback_steps_total', `, rule="hub", target="backup", reason="unreachable", result="${result}"`);
const bucket = (le: string): string => call('admission_duration_seconds_bucket', `name="enforce.transship.dev", le="${le}"`);
const otherReplica = 'transship_policy_info{job="webhook", instance="b", revision="one"}';
const mirror = ', registry="mirror"';

/** promtool's clock starts at 0. */
const never = constant(1e9);
const soon = constant(75 * 60 + 300);

const healthy: Series = {
  'up{job="webhook", instance="a"}': constant(1),
  'up{job="webhook", instance="b"}': constant(1),
  'up{job="controller", instance="c"}': constant(1),
  [webhook('policy_info', ', revision="one"')]: constant(1),
  [otherReplica]: constant(1),
  [webhook('reviews_total', ', mode="enforce", result="patched"')]: `0+600x${minutes}`,
  [webhook('reviews_total', ', mode="enforce", result="failed"')]: constant(0),
  [webhook('reviews_total', ', mode="enforce", result="overloaded"')]: constant(0),
  [webhook('images_total', ', mode="enforce", rule="hub", outcome="rewritten"')]: `0+600x${minutes}`,
  [webhook('images_total', ', mode="enforce", rule="hub", outcome="refused"')]: constant(0),
  [webhook('rejected_requests_total', ', code="OVERLOADED"')]: constant(0),
  [webhook('rejected_requests_total', ', code="BODY_TOO_LARGE"')]: constant(0),
  [webhook('evicted_connections_total')]: constant(0),
  [webhook('policy_reloads_total', ', result="loaded"')]: growing,
  [webhook('policy_reloads_total', ', result="refused"')]: `0x20 1x${minutes}`,
  ...Object.fromEntries(
    ['policy', 'certificate', 'client-ca'].map((file) => [
      webhook('config_last_reload_successful', `, file="${file}"`),
      `1x20 0x1 1x${minutes}`,
    ]),
  ),
  [webhook('readiness_probes_total', ', code="200"')]: `0+12x${minutes}`,
  // While a replica before it drained.
  [webhook('readiness_probes_total', ', code="503"')]: constant(2),
  [webhook('certificate_expiry_timestamp_seconds')]: never,
  [webhook('eventloop_active_seconds_total')]: `0+6x${minutes}`,
  // Failures of another webhook, and old ones of this.
  [call('fail_open_count', 'name="other.example.com", type="admit"')]: growing,
  [call('fail_open_count', 'name="shadow.transship.dev", type="admit"')]: growing,
  [call('rejection_count', 'name="other.example.com", error_type="no_error"')]: growing,
  [call('fail_open_count', 'name="enforce.transship.dev", type="admit"')]: constant(3),
  [evaluations('no_error')]: `0+600x${minutes}`,
  [evaluations('out_of_budget')]: constant(3),
  // Of somebody else.
  [evaluations('compile_error').replace('"transship"', '"other"')]: growing,
  [steps('moved')]: constant(3),
  [steps('exhausted')]: growing,
  [controller('target_available', mirror)]: constant(1),
  [controller('verify_images', `${mirror}, result="present"`)]: constant(40),
  [controller('verify_images', `${mirror}, result="unauthorized"`)]: constant(2),
  // Copied in time.
  [controller('verify_images', `${mirror}, result="missing"`)]: `0x20 3x9 0x${minutes}`,
  [bucket('0.005')]: `0+600x${minutes}`,
  [bucket('2.5')]: `0+600x${minutes}`,
  [bucket('+Inf')]: `0+600x${minutes}`,
  [controller('leader')]: constant(1),
  [controller('copies', `${mirror}, state="present"`)]: constant(5),
  [controller('copies', `${mirror}, state="failed"`)]: constant(0),
  [controller('copies', `${mirror}, state="foreign"`)]: constant(0),
  [controller('copies', `${mirror}, state="disputed"`)]: constant(0),
  [controller('copies', `${mirror}, state="waiting"`)]: constant(0),
  [controller('source_ready', mirror)]: constant(1),
  [controller('token_expiry_timestamp_seconds', mirror)]: never,
  [controller('host_resolved', mirror)]: constant(1),
  [controller('admission_policy_current', ', name="transship"')]: `1x5 0x8 1x${minutes}`,
  [controller('watch_age_seconds', ', watch="namespaces"')]: constant(60),
  [controller('watch_errors_total', ', watch="namespaces"')]: constant(2),
  [controller('config_last_reload_successful', ', file="policy"')]: constant(1),
  [controller('certificate_expiry_timestamp_seconds', ', certificate="ca"')]: never,
};

const failedCopies: Series = { [controller('copies', `${mirror}, state="failed"`)]: constant(1) };
const failedWrites: Series = { [controller('writes_total', ', kind="secret", verb="update", result="failed"')]: `_x40 1+1x${minutes}` };
/** The first event of a counter that appears with it. */
const appears = `_x70 1x${minutes}`;
const stepAt70 = `0x70 1x${minutes}`;

const faults: readonly (readonly [alert: string, fault: string, series: Series])[] = [
  [
    'TransshipWebhookDown',
    'no replica is left',
    {
      'up{job="webhook", instance="a"}': null,
      'up{job="webhook", instance="b"}': null,
      ...Object.fromEntries(
        Object.keys(healthy).flatMap((name) => (name.startsWith('transship_') && name.includes('job="webhook"') ? [[name, null]] : [])),
      ),
    },
  ],
  [
    'TransshipWebhookDown',
    'no replica answers',
    {
      'up{job="webhook", instance="a"}': `1x60 0x${minutes}`,
      'up{job="webhook", instance="b"}': `1x60 0x${minutes}`,
      [webhook('policy_info', ', revision="one"')]: '1x60 stale',
      [otherReplica]: '1x60 stale',
    },
  ],
  [
    'TransshipReplicaDown',
    'one of two replicas does not answer',
    { 'up{job="webhook", instance="b"}': `1x60 0x${minutes}`, [otherReplica]: '1x60 stale' },
  ],
  [
    'TransshipReplicaNotReady',
    'the kubelet cannot reach a replica',
    { [webhook('readiness_probes_total', ', code="200"')]: `0+12x40 480x${minutes}` },
  ],
  [
    'TransshipReplicaNotReady',
    'a replica drains and does not end',
    {
      [webhook('readiness_probes_total', ', code="200"')]: `0+12x40 480x${minutes}`,
      [webhook('readiness_probes_total', ', code="503"')]: `0x40 0+12x${minutes}`,
    },
  ],
  ['TransshipFailOpen', 'the first failed call', { [failOpen]: appears }],
  ['TransshipFailOpen', 'one more failed call', { [failOpen]: `3x70 4x${minutes}` }],
  ['TransshipPodsRejected', 'the first rejection', { [rejection]: appears }],
  ['TransshipPodsRejected', 'one more rejection', { [rejection]: `3x70 4x${minutes}` }],
  ['TransshipAdmissionPolicyErrors', 'the first pod that exceeds the budget', { [evaluations('compile_error')]: appears }],
  ['TransshipAdmissionPolicyErrors', 'one more pod', { [evaluations('out_of_budget')]: `3x70 4x${minutes}` }],
  ['TransshipCallsSlow', 'calls take more than a second', { [bucket('0.005')]: constant(0) }],
  [
    'TransshipOverloaded',
    'a review is answered with 503',
    { [webhook('reviews_total', ', mode="enforce", result="overloaded"')]: stepAt70 },
  ],
  ['TransshipEventLoopSaturated', 'the event loop is busy', { [webhook('eventloop_active_seconds_total')]: `0+57x${minutes}` }],
  ['TransshipConnectionsEvicted', 'a connection is closed', { [webhook('evicted_connections_total')]: stepAt70 }],
  ['TransshipRequestsRejected', 'a body is too large', { [webhook('rejected_requests_total', ', code="BODY_TOO_LARGE"')]: stepAt70 }],
  ['TransshipReviewsFailed', 'a review fails', { [webhook('reviews_total', ', mode="enforce", result="failed"')]: stepAt70 }],
  [
    'TransshipImagesRefused',
    'the result of a rule is invalid',
    { [webhook('images_total', ', mode="enforce", rule="hub", outcome="refused"')]: stepAt70 },
  ],
  // For as long as the file has it: also after more than an hour.
  ['TransshipPolicyRefused', 'a policy is refused', { [webhook('config_last_reload_successful', ', file="policy"')]: `1x5 0x${minutes}` }],
  [
    'TransshipPolicyRevisionsDiffer',
    'a replica has another policy',
    { [otherReplica]: null, [otherReplica.replace('one', 'two')]: constant(1) },
  ],
  [
    'TransshipCertificateRefused',
    'a certificate is refused',
    { [webhook('config_last_reload_successful', ', file="certificate"')]: `1x5 0x${minutes}` },
  ],
  [
    'TransshipCertificateRefused',
    'a client CA is refused',
    { [webhook('config_last_reload_successful', ', file="client-ca"')]: `1x5 0x${minutes}` },
  ],
  ['TransshipCertificateExpiresSoon', 'the certificate is not renewed', { [webhook('certificate_expiry_timestamp_seconds')]: soon }],
  ['TransshipControllerNoLeader', 'two standbys', { [controller('leader')]: constant(0) }],
  ['TransshipControllerNoLeader', 'no controller', { [controller('leader')]: null }],
  ['TransshipControllerWatchStale', 'a watch is silent', { [controller('watch_age_seconds', ', watch="namespaces"')]: constant(400) }],
  ['TransshipControllerWatchErrors', 'a watch fails', { [controller('watch_errors_total', ', watch="namespaces"')]: `0+2x${minutes}` }],
  ['TransshipControllerWritesFail', 'writes fail', failedWrites],
  ['TransshipCopiesFailed', 'copies cannot be written', { ...failedCopies, ...failedWrites }],
  ['TransshipCopiesWaiting', 'copies are not written', { [controller('copies', `${mirror}, state="waiting"`)]: constant(2) }],
  ['TransshipForeignSecrets', 'a Secret of another owner', { [controller('copies', `${mirror}, state="foreign"`)]: constant(1) }],
  ['TransshipCopiesDisputed', 'another client writes', { [controller('copies', `${mirror}, state="disputed"`)]: constant(1) }],
  [
    'TransshipSourceNotReady',
    'the source is missing',
    { [controller('source_ready', mirror)]: constant(0), [controller('copies', `${mirror}, state="waiting"`)]: constant(2) },
  ],
  ['TransshipTokenExpiresSoon', 'a token is not renewed', { [controller('token_expiry_timestamp_seconds', mirror)]: soon }],
  ['TransshipHostUnresolved', 'a host is unknown', { [controller('host_resolved', mirror)]: constant(0) }],
  [
    'TransshipAdmissionPolicyOutdated',
    'the policy in the cluster is another',
    { [controller('admission_policy_current', ', name="transship"')]: constant(0) },
  ],
  ['TransshipTargetUnavailable', 'nodes do not reach a registry', { [controller('target_available', mirror)]: `1x68 0x1 1x${minutes}` }],
  ['TransshipFallbackSteps', 'the first pod is moved', { [steps('moved').replace('backup', 'second')]: appears }],
  ['TransshipImageMissing', 'an image is missing', { [controller('verify_images', `${mirror}, result="missing"`)]: constant(1) }],
  ['TransshipFallbackSteps', 'one more pod is moved', { [steps('moved')]: `3x70 4x${minutes}` }],
  [
    'TransshipControllerPolicyRefused',
    'a policy is refused',
    { [controller('config_last_reload_successful', ', file="policy"')]: `1x5 0x${minutes}` },
  ],
  ['TransshipCAExpiresSoon', 'the CA is not renewed', { [controller('certificate_expiry_timestamp_seconds', ', certificate="ca"')]: soon }],
];

interface Case {
  readonly name: string;
  readonly series: Series;
  readonly fires: readonly string[];
}

const testOf = ({ name, series, fires }: Case): object => ({
  name,
  interval: '1m',
  input_series: Object.entries(series).flatMap(([metric, values]) => (values === null ? [] : [{ series: metric, values }])),
  promql_expr_test: [
    {
      expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
      eval_time: '75m',
      exp_samples: fires.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 })),
    },
  ],
});

/** YAML is a superset of JSON. */
function testRules(t: Parameters<typeof folderFor>[0], cases: readonly Case[]): ReturnType<typeof promtool> {
  const file = join(folderFor(t), 'test.yaml');
  writeFileSync(file, JSON.stringify({ rule_files: ruleFiles, evaluation_interval: '1m', tests: cases.map(testOf) }));
  return promtool(['test', 'rules', file]);
}

test('promtool accepts the rule files', options, (t) => {
  const { code, text } = promtool(['check', 'rules', '--lint=all', '--lint-fatal', ...ruleFiles]);
  t.equal(code, 0, text);
  t.end();
});

test('promtool accepts the configuration of the guide', options, (t) => {
  const blocks = pages.find(({ name }) => name === 'monitoring.md')?.blocks ?? [];
  // Debian builds Prometheus without the discovery of Kubernetes.
  const discovery = 'kubernetes_sd_configs: [{ role: pod, namespaces: { names: [transship] } }]';
  const written = blocks.find(({ text }) => text.startsWith('rule_files:'))?.text ?? '';
  t.ok(written.includes(discovery));
  const config = written.replace(discovery, 'static_configs: [{ targets: [localhost:9464] }]');
  const checkout = fileURLToPath(new URL('../../', import.meta.url));
  const check = (text: string): ReturnType<typeof promtool> => {
    const file = join(folderFor(t), 'prometheus.yml');
    writeFileSync(file, text.replaceAll(' charts/', ` ${checkout}charts/`));
    return promtool(['check', 'config', file]);
  };
  const { code, text } = check(config);
  t.equal(code, 0, text);
  t.match(text, /2 rule files found/);
  t.equal(check(config.replace('relabel_configs', 'relabel_config')).code, 1, 'a wrong key is found');
  t.end();
});

test('no alert fires on a healthy system', options, (t) => {
  const { code, text } = testRules(t, [{ name: 'healthy', series: healthy, fires: [] }]);
  t.equal(code, 0, text);
  t.end();
});

test('each alert fires for its fault, and no other does', options, (t) => {
  t.strictSame(new Set(faults.map(([alert]) => alert)), new Set(alerts.map(({ alert }) => alert)), 'each alert has a fault');
  for (const [alert, fault, series] of faults) {
    const { code, text } = testRules(t, [{ name: fault, series: { ...healthy, ...series }, fires: [alert] }]);
    t.equal(code, 0, `${alert}: ${fault}\n${text}`);
  }
  t.end();
});

test('the test of rules can fail', options, (t) => {
  for (const [alert, name, series] of faults.slice(0, 1)) {
    t.equal(testRules(t, [{ name, series: { ...healthy, ...series }, fires: [] }]).code, 1, 'an alert that is not expected');
    t.equal(testRules(t, [{ name, series: healthy, fires: [alert] }]).code, 1, 'an alert that does not fire');
  }
  t.end();
});

test('each alert says what it means and what to do', (t) => {
  t.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length, 'no name twice');
  for (const { alert, labels, annotations } of alerts) {
    t.match(alert, /^Transship[A-Z]/);
    t.match(labels.severity, /^(critical|warning)$/, alert);
    t.match(annotations.summary, /^[A-Z].*\.$/, alert);
    t.match(annotations.description, /\.$/, alert);
    // test/docs.test.ts follows the links of the table that is generated from these.
    t.ok(annotations.runbook_url.startsWith(`${guides}/`) && annotations.runbook_url.includes('#'), alert);
  }
  t.end();
});
