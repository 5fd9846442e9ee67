/** The metrics of `serve`, in Prometheus' text format. Names and labels are documented in docs/reference/metrics.md. */
import { Counter, Gauge, Registry } from 'prom-client';
import { collectNodeMetrics } from './node-metrics.ts';
import { queuedHistogram, talliedCounter, type Labelled, type Observations, type Tallies } from './tally.ts';

export type ReviewResult = 'patched' | 'unpatched' | 'skipped' | 'rejected' | 'overloaded' | 'failed';

export interface Metrics {
  readonly registry: Registry;
  readonly reviews: Tallies<'mode' | 'result'>;
  readonly images: Tallies<'rule' | 'outcome' | 'mode'>;
  /** Seconds. */
  readonly duration: Labelled<'mode', Observations>;
  readonly policyInfo: Gauge<'revision'>;
  readonly policyReloads: Counter<'result'>;
  readonly certificateReloads: Counter<'result'>;
  readonly certificateExpiry: Gauge;
}

/** Seconds. A review takes tens of microseconds; the upper end is where the API server would give up. */
const buckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1, 5];

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectNodeMetrics(registry);
  return {
    registry,
    reviews: talliedCounter({
      name: 'transship_reviews_total',
      help: 'Admission reviews answered.',
      labelNames: ['mode', 'result'],
      registers,
    }),
    images: talliedCounter({ name: 'transship_images_total', help: 'Images decided.', labelNames: ['rule', 'outcome', 'mode'], registers }),
    duration: queuedHistogram({
      name: 'transship_review_duration_seconds',
      help: 'Time from the whole body read to the answer made.',
      labelNames: ['mode'],
      buckets,
      registers,
    }),
    policyInfo: new Gauge({ name: 'transship_policy_info', help: 'The policy in force, always 1.', labelNames: ['revision'], registers }),
    policyReloads: new Counter({
      name: 'transship_policy_reloads_total',
      help: 'Changes of the policy file, used or refused.',
      labelNames: ['result'],
      registers,
    }),
    certificateReloads: new Counter({
      name: 'transship_certificate_reloads_total',
      help: 'Changes of the certificate pair, used or refused.',
      labelNames: ['result'],
      registers,
    }),
    certificateExpiry: new Gauge({
      name: 'transship_certificate_expiry_timestamp_seconds',
      help: 'End of the serving certificate, Unix time.',
      registers,
    }),
  };
}
