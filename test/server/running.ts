/** A real webhook on free ports, with its log kept, closed when the test ends. */
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { pino, type Logger } from 'pino';
import type { Test } from 'tap';
import type { OverloadLimits } from '../../src/server/overload.ts';
import { startWebhook, type Webhook, type WebhookOptions } from '../../src/server/webhook.ts';
import { authority, servingPair } from '../tls/pairs.ts';
import type { Target } from './call.ts';

export const samplePolicy = fileURLToPath(new URL('../../examples/sample.yaml', import.meta.url));

export type LogLine = Readonly<Record<string, unknown>> & { readonly level: string; readonly msg: string };

export interface Running extends Target {
  readonly webhook: Webhook;
  /** What was logged so far. */
  readonly lines: LogLine[];
}

const limits: OverloadLimits = { maxConnections: 1024, maxInFlight: 512, maxRequestMemory: 128 * 1024 * 1024 };

/** The usual limits but for some. */
export const limitsWith = (some: Partial<OverloadLimits>): OverloadLimits => ({ ...limits, ...some });

type Teardown = Pick<Test, 'teardown'>;

export async function running(t: Teardown, overrides: Partial<WebhookOptions> = {}): Promise<Running> {
  const lines: LogLine[] = [];
  const webhook = await startWebhook({ ...(await defaults()), ...overrides }, capturingLog(lines));
  t.teardown(async () => {
    webhook.destroy();
    await webhook.close();
  });
  return { webhook, port: webhook.port, ca: authority.cert, lines };
}

export async function defaults(): Promise<WebhookOptions> {
  return {
    policy: { policy: samplePolicy, resolvedHosts: null },
    tls: await servingPair(),
    host: '127.0.0.1',
    port: 0,
    metricsPort: 0,
    clientCaFile: null,
    scope: { releaseNamespace: 'transship' },
    loggedReviews: 'all',
    reviewCache: process.env['TRANSSHIP_REVIEW_CACHE'] !== 'false',
    overload: limits,
  };
}

export function capturingLog(lines: LogLine[]): Logger {
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(JSON.parse(chunk.toString()));
      done();
    },
  });
  return pino({ level: 'trace', base: null, formatters: { level: (label) => ({ level: label }) } }, stream);
}

/** The samples of /metrics whose names begin with `transship_`, by name and labels. */
export async function metricsOf({ webhook }: Pick<Running, 'webhook'>): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`http://127.0.0.1:${webhook.metricsPort}/metrics`, { headers: { connection: 'close' } });
  const text = await response.text();
  const samples = text.split('\n').filter((line) => line.startsWith('transship_'));
  return new Map(samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))] as const));
}
