/** Metrics of connections, and of requests that were rejected before they were read. */
import { Counter, Gauge, type Registry } from 'prom-client';

export interface TransportMetrics {
  readonly rejections: Counter<'code'>;
  readonly connectionsEvicted: Counter;
  readonly readinessProbes: Counter<'code'>;
  /** Provides the values of the gauges. */
  readonly observe: (figures: TransportFigures) => void;
}

export interface TransportFigures {
  readonly connections: () => number;
  /** Bytes that requests and their responses hold, and the limit. */
  readonly requestBytes: () => number;
  readonly maxRequestBytes: () => number;
}

const none = (): number => 0;

export function createTransportMetrics(registry: Registry): TransportMetrics {
  const registers = [registry];
  let observed: TransportFigures = { connections: none, requestBytes: none, maxRequestBytes: none };
  const gauge = (name: string, help: string, value: () => number): void => {
    const created: Gauge = new Gauge({ name, help, registers, collect: () => created.set(value()) });
  };
  gauge('transship_connections', 'Open connections of the HTTPS port.', () => observed.connections());
  gauge('transship_request_memory_bytes', 'Memory that requests and their responses hold.', () => observed.requestBytes());
  gauge('transship_request_memory_limit_bytes', 'Limit of that memory, beyond which requests get 503: `--max-request-memory`.', () =>
    observed.maxRequestBytes(),
  );
  const rejections = new Counter({
    name: 'transship_rejected_requests_total',
    help: 'Reviews that were rejected before they were read, by the [code](errors.md) of the error.',
    labelNames: ['code'] as const,
    registers,
  });
  // Present from the start, so that `increase()` in an alert sees the first one.
  for (const code of ['BODY_TOO_LARGE', 'CLIENT_CERTIFICATE_REQUIRED', 'OVERLOADED', 'REQUEST_TOO_SLOW']) rejections.inc({ code }, 0);
  const readinessProbes = new Counter({
    name: 'transship_readiness_probes_total',
    help: 'Answers to `/readyz` on the HTTPS port, by status code. The kubelet asks every 5 seconds; without answers it takes the replica out of the Service.',
    labelNames: ['code'] as const,
    registers,
  });
  for (const code of ['200', '503']) readinessProbes.inc({ code }, 0);
  return {
    rejections,
    readinessProbes,
    connectionsEvicted: new Counter({
      name: 'transship_evicted_connections_total',
      help: 'Connections that were closed to make room for a new one (`--max-connections`).',
      registers,
    }),
    observe: (figures) => {
      observed = figures;
    },
  };
}
