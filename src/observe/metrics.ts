/** The metrics of `serve`, in Prometheus' text format. Names and labels are documented in docs/reference/metrics.md. */
import { Counter, Gauge, Registry } from 'prom-client';
import { collectNodeMetrics } from './node-metrics.ts';
import {
  bufferedCounter,
  bufferedHistogram,
  readGauge,
  type BufferedCounters,
  type BufferedHistogram,
  type ByLabels,
  type ReadGauge,
} from './buffered-metrics.ts';
import { createTransportMetrics, type TransportMetrics } from './transport-metrics.ts';

/** The result of a review, with its description for the documentation. */
export const reviewResults = {
  patched: 'answered with a patch',
  unpatched: 'answered without a patch',
  skipped: 'left alone as a whole, such as a mirror pod',
  rejected: 'answered with 400: not an AdmissionReview',
  overloaded: 'answered with 503',
  failed: 'a fault of transship; the pod was left as it is',
} as const;
export type ReviewResult = keyof typeof reviewResults;

interface ReviewMetrics {
  readonly reviews: BufferedCounters<'mode' | 'result'>;
  readonly skipped: BufferedCounters<'reason' | 'mode'>;
  readonly images: BufferedCounters<'rule' | 'outcome' | 'mode'>;
  /** Called at each scrape; the last one set for these labels is used. */
  readonly reviewCacheBytes: ReadGauge<'mode'>;
  /** Seconds. */
  readonly duration: ByLabels<'mode', BufferedHistogram>;
}

export interface Metrics extends ReviewMetrics {
  readonly registry: Registry;
  readonly policyInfo: Gauge<'revision'>;
  readonly policyReloads: Counter<'result'>;
  readonly certificateReloads: Counter<'result'>;
  readonly lastReload: Gauge<'file'>;
  readonly certificateExpiry: Gauge;
  readonly transport: TransportMetrics;
}

/** In seconds. A review takes tens of microseconds; the upper end is the API server's timeout. */
const buckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectNodeMetrics(registry);
  return {
    registry,
    ...createReviewMetrics(registers),
    policyInfo: new Gauge({
      name: 'transship_policy_info',
      help: 'The policy in force, always 1. The same files have the same revision in every replica.',
      labelNames: ['revision'],
      registers,
    }),
    policyReloads: reloadCounter(
      registry,
      'transship_policy_reloads_total',
      'Reloads of the policy or of the resolved hosts, `loaded` or `refused`.',
    ),
    certificateReloads: reloadCounter(
      registry,
      'transship_certificate_reloads_total',
      'Reloads of the certificate pair, `loaded` or `refused`.',
    ),
    lastReload: new Gauge({
      name: 'transship_config_last_reload_successful',
      help: 'Whether the current content of a file is in use, 1 or 0: `policy` (with the resolved hosts), `certificate` and `client-ca`.',
      labelNames: ['file'],
      registers,
    }),
    certificateExpiry: new Gauge({
      name: 'transship_certificate_expiry_timestamp_seconds',
      help: 'Expiry of the serving certificate, Unix time.',
      registers,
    }),
    transport: createTransportMetrics(registry),
  };
}

function createReviewMetrics(registers: Registry[]): ReviewMetrics {
  return {
    reviews: bufferedCounter({
      name: 'transship_reviews_total',
      help: 'Admission reviews answered.',
      labelNames: ['mode', 'result'],
      registers,
    }),
    skipped: bufferedCounter({
      name: 'transship_reviews_skipped_total',
      help: 'Admission reviews skipped as a whole. Their sum is `transship_reviews_total{result="skipped"}`.',
      labelNames: ['reason', 'mode'],
      registers,
    }),
    images: bufferedCounter({
      name: 'transship_images_total',
      help: 'Decided images. `rule` is empty if no rule decided.',
      labelNames: ['rule', 'outcome', 'mode'],
      registers,
    }),
    duration: bufferedHistogram({
      name: 'transship_review_duration_seconds',
      help: 'Time from the last byte of the body to the response. Excludes rejected and overloaded requests.',
      labelNames: ['mode'],
      buckets,
      registers,
    }),
    reviewCacheBytes: readGauge({
      name: 'transship_review_cache_bytes',
      help: 'Estimated memory of cached reviews and decisions. At most about 9 MiB per mode.',
      labelNames: ['mode'],
      registers,
    }),
  };
}

/** Both results are present from the start, so that `increase()` in an alert sees the first one. */
function reloadCounter(registry: Registry, name: string, help: string): Counter<'result'> {
  const counter = new Counter({ name, help, labelNames: ['result'] as const, registers: [registry] });
  for (const result of ['loaded', 'refused']) counter.inc({ result }, 0);
  return counter;
}
