/** Metrics of connections and of requests that were refused before they were looked at. */
import { Counter, Gauge, type Registry } from 'prom-client';

export interface TransportMetrics {
  readonly rejections: Counter<'code'>;
  readonly connectionsEvicted: Counter;
  /** Tells what the gauges are asked for. */
  readonly observe: (figures: TransportFigures) => void;
}

export interface TransportFigures {
  readonly connections: () => number;
  /** Bytes that requests and their responses hold, and may hold. */
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
  gauge(
    'transship_request_memory_limit_bytes',
    'Memory that they may hold before a request is answered with 503: `--max-request-memory`.',
    () => observed.maxRequestBytes(),
  );
  const rejections = new Counter({
    name: 'transship_rejected_requests_total',
    help: 'Reviews that were refused before they were looked at, by the [code](errors.md) of the error.',
    labelNames: ['code'] as const,
    registers,
  });
  // There from the start, so that `increase()` in an alert sees the first one.
  for (const code of ['BODY_TOO_LARGE', 'CLIENT_CERTIFICATE_REQUIRED', 'OVERLOADED', 'REQUEST_TOO_SLOW']) rejections.inc({ code }, 0);
  return {
    rejections,
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
