/** The Grafana dashboard of the chart. Each panel is a line below; the JSON around it is the same for all of them. */

/** Grafana's units: https://github.com/grafana/grafana/blob/main/packages/grafana-data/src/valueFormats/categories.ts */
type Unit = 'short' | 'reqps' | 's' | 'bytes' | 'percentunit';

interface Panel {
  readonly title: string;
  readonly unit: Unit;
  /** By legend. */
  readonly queries: Readonly<Record<string, string>>;
  /** Shown in place of "No data", where that is the usual state. */
  readonly noValue?: string;
}

const own = 'namespace=~"$namespace"';
const calls = 'name=~".+[.]transship[.]dev"';
/** Of `transship export admission-policy`, unless `--policy-name` was another one. */
const policies = 'policy=~".*transship.*"';
const rate = (metric: string, matchers = own): string => `rate(${metric}{${matchers}}[$__rate_interval])`;
const quantile = (q: number): string => `histogram_quantile(${q}, sum by (le) (${rate('transship_review_duration_seconds_bucket')}))`;
const callQuantile = (q: number): string =>
  `histogram_quantile(${q}, sum by (le) (${rate('apiserver_admission_webhook_admission_duration_seconds_bucket', calls)}))`;
const panel = (title: string, unit: Unit, queries: Readonly<Record<string, string>>, noValue?: string): Panel => ({
  title,
  unit,
  queries,
  ...(noValue === undefined ? {} : { noValue }),
});

export const rows: Readonly<Record<string, readonly Panel[]>> = {
  Reviews: [
    panel('Reviews by result', 'reqps', { '{{mode}} {{result}}': `sum by (mode, result) (${rate('transship_reviews_total')})` }),
    panel('Skipped reviews by reason', 'reqps', { '{{reason}}': `sum by (reason) (${rate('transship_reviews_skipped_total')})` }),
    panel('Duration of reviews', 's', { p50: quantile(0.5), p99: quantile(0.99) }),
  ],
  Images: [
    panel('Images by outcome', 'reqps', { '{{mode}} {{outcome}}': `sum by (mode, outcome) (${rate('transship_images_total')})` }),
    panel('Images by rule', 'reqps', { '{{rule}}': `sum by (rule) (${rate('transship_images_total', `${own}, rule!=""`)})` }),
    panel('Refused images by rule', 'reqps', {
      '{{rule}}': `sum by (rule) (${rate('transship_images_total', `${own}, outcome="refused"`)})`,
    }),
  ],
  'API server': [
    panel('Calls by code', 'reqps', {
      '{{name}} {{code}}': `sum by (name, code) (${rate('apiserver_admission_webhook_request_total', calls)})`,
    }),
    panel(
      'Pods left as written or rejected, because the call failed',
      'reqps',
      {
        'left as written': `sum(${rate('apiserver_admission_webhook_fail_open_count', calls)})`,
        rejected: `sum(${rate('apiserver_admission_webhook_rejection_count', calls)})`,
      },
      'No call has failed, or Prometheus does not scrape the API server.',
    ),
    panel('Duration of calls', 's', { p50: callQuantile(0.5), p99: callQuantile(0.99) }),
    panel(
      'Evaluations of admission policies',
      'reqps',
      { '{{policy}} {{error_type}}': `sum by (policy, error_type) (${rate('apiserver_mutating_admission_policy_check_total', policies)})` },
      'No admission policy of transship is evaluated, as with engine: webhook, or Prometheus does not scrape the API server.',
    ),
  ],
  Policy: [
    panel('Replicas by revision of the policy', 'short', { '{{revision}}': `count by (revision) (transship_policy_info{${own}})` }),
    panel('Reloads of policy and certificate', 'reqps', {
      'policy {{result}}': `sum by (result) (${rate('transship_policy_reloads_total')})`,
      'certificate {{result}}': `sum by (result) (${rate('transship_certificate_reloads_total')})`,
    }),
    panel('Files in use as they are', 'short', {
      '{{job}} {{file}}': `min by (job, file) (transship_config_last_reload_successful{${own}})`,
      '{{job}}, controller {{file}}': `min by (job, file) (transship_controller_config_last_reload_successful{${own}})`,
    }),
    panel('Time until the certificate expires', 's', {
      '{{job}}': `min by (job) (transship_certificate_expiry_timestamp_seconds{${own}}) - time()`,
    }),
  ],
  Load: [
    panel('Utilization of the event loop', 'percentunit', { '{{instance}}': rate('transship_eventloop_active_seconds_total') }),
    panel('Resident memory', 'bytes', {
      '{{instance}}': `process_resident_memory_bytes{${own}} and on (job, instance) transship_eventloop_active_seconds_total`,
    }),
    panel('Memory of requests, and its limit', 'bytes', {
      '{{instance}}': `transship_request_memory_bytes{${own}}`,
      limit: `min(transship_request_memory_limit_bytes{${own}})`,
    }),
    panel('Readiness probes by code', 'reqps', { '{{instance}} {{code}}': rate('transship_readiness_probes_total') }),
    panel('Connections', 'short', { '{{instance}}': `transship_connections{${own}}` }),
    panel('Rejected requests and evicted connections', 'reqps', {
      '{{code}}': `sum by (code) (${rate('transship_rejected_requests_total')})`,
      evicted: `sum(${rate('transship_evicted_connections_total')})`,
    }),
    panel('Memory of the review cache', 'bytes', { '{{instance}} {{mode}}': `transship_review_cache_bytes{${own}}` }),
  ],
  Controller: [
    panel('Leader', 'short', { '{{instance}}': `transship_controller_leader{${own}}` }),
    panel('Pull secrets by state', 'short', { '{{registry}} {{state}}': `sum by (registry, state) (transship_controller_copies{${own}})` }),
    panel('Sources, hosts and admission policies that are ready', 'short', {
      'source {{registry}}': `min by (registry) (transship_controller_source_ready{${own}})`,
      'host {{registry}}': `min by (registry) (transship_controller_host_resolved{${own}})`,
      'admission policy {{name}}': `min by (name) (transship_controller_admission_policy_current{${own}})`,
    }),
    panel('Time until tokens and certificates expire', 's', {
      'token {{registry}}': `min by (registry) (transship_controller_token_expiry_timestamp_seconds{${own}}) - time()`,
      '{{certificate}}': `min by (certificate) (transship_controller_certificate_expiry_timestamp_seconds{${own}}) - time()`,
    }),
    panel('Writes', 'reqps', {
      '{{kind}} {{verb}} {{result}}': `sum by (kind, verb, result) (${rate('transship_controller_writes_total')})`,
    }),
    panel(
      'Pods moved to an alternative',
      'reqps',
      {
        '{{rule}} {{target}} {{reason}} {{result}}': `sum by (rule, target, reason, result) (${rate('transship_controller_fallback_steps_total')})`,
      },
      'No pod has been moved, or the feature fallback is disabled.',
    ),
    panel(
      'Registries that new pods begin with',
      'short',
      { '{{registry}}': `min by (registry) (transship_controller_target_available{${own}})` },
      'No rule has alternatives, or the feature fallback is disabled.',
    ),
    panel(
      'Images in registries that are asked',
      'short',
      { '{{registry}} {{result}}': `sum by (registry, result) (transship_controller_verify_images{${own}})` },
      'No registry has verify: true, or the feature verify is disabled.',
    ),
    panel('Age of watches', 's', { '{{watch}}': `max by (watch) (transship_controller_watch_age_seconds{${own}})` }),
    panel('Errors of watches', 'reqps', { '{{watch}}': `sum by (watch) (${rate('transship_controller_watch_errors_total')})` }),
  ],
};

/** Of Grafana's grid. */
const width = 24;
const height = 8;
/** Panels beside each other; those of the last line share its width. */
const columns = 3;
const datasource = { type: 'prometheus', uid: '${datasource}' } as const;

export function dashboard(): Record<string, unknown> {
  return {
    uid: 'transship',
    title: 'transship',
    tags: ['kubernetes', 'transship'],
    timezone: 'browser',
    schemaVersion: 39,
    refresh: '1m',
    time: { from: 'now-6h', to: 'now' },
    templating: { list: variables() },
    panels: panels(),
  };
}

function variables(): object[] {
  return [
    { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' },
    {
      name: 'namespace',
      label: 'Namespace',
      type: 'query',
      datasource,
      query: { query: 'label_values(transship_policy_info, namespace)', refId: 'namespace' },
      refresh: 2,
      includeAll: true,
      // Also series without the label: a Prometheus without the operator may not set it.
      allValue: '.*',
      current: { text: 'All', value: '$__all' },
    },
  ];
}

function panels(): object[] {
  const made: object[] = [];
  let y = 0;
  for (const [title, list] of Object.entries(rows)) {
    made.push({ id: made.length + 1, type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: width, h: 1 }, panels: [] });
    y += 1;
    for (let first = 0; first < list.length; first += columns) {
      const line = list.slice(first, first + columns);
      const w = width / line.length;
      for (const [index, one] of line.entries()) made.push(timeSeries(made.length + 1, one, { w, h: height, x: index * w, y }));
      y += height;
    }
  }
  return made;
}

function timeSeries(id: number, { title, unit, queries, noValue }: Panel, gridPos: object): object {
  const targets = Object.entries(queries).map(([legendFormat, expr], index) => ({
    refId: `Q${index}`,
    datasource,
    expr,
    legendFormat,
  }));
  const defaults = { unit, min: 0, ...(noValue === undefined ? {} : { noValue }) };
  return { id, type: 'timeseries', title, datasource, gridPos, fieldConfig: { defaults, overrides: [] }, targets };
}
