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

/** What became of a review, with its meaning for the documents. */
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
  /** The reader is asked at each scrape, the last one that was given for these labels. */
  readonly reviewCacheBytes: ReadGauge<'mode'>;
  /** Seconds. */
  readonly duration: ByLabels<'mode', BufferedHistogram>;
}

export interface Metrics extends ReviewMetrics {
  readonly registry: Registry;
  readonly policyInfo: Gauge<'revision'>;
  readonly policyReloads: Counter<'result'>;
  readonly certificateReloads: Counter<'result'>;
  readonly certificateExpiry: Gauge;
  readonly transport: TransportMetrics;
}

/** Seconds. A review takes tens of microseconds; the upper end is where the API server would give up. */
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
      'Changes of the policy or of the resolved hosts, `loaded` or `refused`.',
    ),
    certificateReloads: reloadCounter(
      registry,
      'transship_certificate_reloads_total',
      'Changes of the certificate pair, `loaded` or `refused`.',
    ),
    certificateExpiry: new Gauge({
      name: 'transship_certificate_expiry_timestamp_seconds',
      help: 'End of the serving certificate, Unix time.',
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
      help: 'Admission reviews left alone as a whole. Their sum is `transship_reviews_total{result="skipped"}`.',
      labelNames: ['reason', 'mode'],
      registers,
    }),
    images: bufferedCounter({
      name: 'transship_images_total',
      help: 'Images decided. `rule` is empty where no rule decided.',
      labelNames: ['rule', 'outcome', 'mode'],
      registers,
    }),
    duration: bufferedHistogram({
      name: 'transship_review_duration_seconds',
      help: 'Time from the last byte of the body to the answer. Rejected and overloaded requests are not in it.',
      labelNames: ['mode'],
      buckets,
      registers,
    }),
    reviewCacheBytes: readGauge({
      name: 'transship_review_cache_bytes',
      help: 'Memory of remembered reviews and decisions, estimated. At most some 9 MiB for each mode.',
      labelNames: ['mode'],
      registers,
    }),
  };
}

/** Both results are there from the start, so that `increase()` in an alert sees the first one. */
function reloadCounter(registry: Registry, name: string, help: string): Counter<'result'> {
  const counter = new Counter({ name, help, labelNames: ['result'] as const, registers: [registry] });
  for (const result of ['loaded', 'refused']) counter.inc({ result }, 0);
  return counter;
}
