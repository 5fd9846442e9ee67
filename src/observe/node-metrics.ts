/**
 * prom-client's metrics of a Node process, except those that need a timer: it measures the event loop's lag with a timer, which wakes an
 * idle server.
 */
import { performance } from 'node:perf_hooks';
import { collectDefaultMetrics, Counter, type Registry } from 'prom-client';

/** In milliseconds. prom-client always starts its timer; once a day is negligible. */
const never = 24 * 60 * 60 * 1000;

const timed = ['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map((figure) => `nodejs_eventloop_lag_${figure}_seconds`);

export function collectNodeMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: never });
  for (const name of timed) registry.removeSingleMetric(name);
  let counted = 0;
  const active: Counter = new Counter({
    name: 'transship_eventloop_active_seconds_total',
    help: 'Time that the event loop was busy. Its rate is the utilization: near 1, requests wait.',
    registers: [registry],
    collect: () => {
      const seconds = performance.eventLoopUtilization().active / 1000;
      active.inc(Math.max(0, seconds - counted));
      counted = seconds;
    },
  });
}
