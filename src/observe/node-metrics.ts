/**
 * What prom-client tells of every Node process. Only the event loop is looked at in another way: prom-client asks a timer how late it
 * is, and so wakes a server that has nothing to do.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';

/** Milliseconds. prom-client always has its timer; once a day does not count. */
const never = 24 * 60 * 60 * 1000;

type Iterations = ReturnType<typeof monitorEventLoopDelay>;

interface Figure {
  readonly name: string;
  readonly help: string;
  /** Nanoseconds. */
  readonly of: (iterations: Iterations) => number;
}

/** Under prom-client's names, so that dashboards go on working. */
const figures: readonly Figure[] = [
  { name: 'nodejs_eventloop_lag_min_seconds', help: 'The shortest iteration of the event loop.', of: ({ min }) => min },
  { name: 'nodejs_eventloop_lag_max_seconds', help: 'The longest iteration of the event loop.', of: ({ max }) => max },
  { name: 'nodejs_eventloop_lag_mean_seconds', help: 'The mean of the iterations of the event loop.', of: ({ mean }) => mean },
  {
    name: 'nodejs_eventloop_lag_stddev_seconds',
    help: 'The standard deviation of the iterations of the event loop.',
    of: ({ stddev }) => stddev,
  },
  {
    name: 'nodejs_eventloop_lag_p50_seconds',
    help: 'The 50th percentile of the iterations of the event loop.',
    of: (iterations) => iterations.percentile(50),
  },
  {
    name: 'nodejs_eventloop_lag_p90_seconds',
    help: 'The 90th percentile of the iterations of the event loop.',
    of: (iterations) => iterations.percentile(90),
  },
  {
    name: 'nodejs_eventloop_lag_p99_seconds',
    help: 'The 99th percentile of the iterations of the event loop.',
    of: (iterations) => iterations.percentile(99),
  },
];

export function collectNodeMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: never });
  const iterations = monitorEventLoopDelay({ samplePerIteration: true });
  iterations.enable();
  // The registry asks one after the other; the first one sets all, so that all are of the same iterations: those since the last time.
  const collect = (): void => {
    if (iterations.count === 0) return;
    for (const { gauge, of } of gauges) gauge.set(of(iterations) / 1e9);
    iterations.reset();
  };
  const gauges = figures.map(({ name, help, of }, index) => {
    registry.removeSingleMetric(name);
    return { of, gauge: new Gauge({ name, help, registers: [registry], ...(index === 0 ? { collect } : {}) }) };
  });
}
