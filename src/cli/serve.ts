/** `transship serve`: the webhook. Without a policy and a certificate it is a first run, and shows what it does. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { OperatorError } from '../errors/operator-error.ts';
import { createLog } from '../observe/log.ts';
import { closedBySignal, hearSignals } from '../process/shutdown.ts';
import { defaultBudget } from '../server/byte-budget.ts';
import { startWebhook, type WebhookOptions } from '../server/webhook.ts';
import type { Command, Io } from './command.ts';
import { flagHelp, readServeOptions, type ServeOptions } from './serve-options.ts';

export const samplePolicy = fileURLToPath(new URL('../../examples/sample.yaml', import.meta.url));

const day = 24 * 60 * 60_000;
/** Milliseconds that requests in flight have after the drain. The API server gives up after 30 s at most, and rarely waits 5. */
const graceTime = 5_000;

export const serveCommand: Command = {
  name: 'serve',
  summary: 'the webhook: answers AdmissionReviews over HTTPS',
  help: `transship serve [flags]

Answers AdmissionReviews on /mutate (patches) and /shadow (only tells), with /healthz and /readyz beside them and /metrics on a
port of its own. The policy and the certificate are reloaded when their files change.

Without --policy and --tls-cert it is a first run: the sample policy, a self-signed certificate, and one AdmissionReview sent
through the server's own port to show what happens to it.

${flagHelp()}
  --once                       with the first run: end after the sample

Each flag is also an environment variable: --metrics-port is TRANSSHIP_METRICS_PORT. SIGTERM drains and ends; a second one ends at once.
`,
  run: async (args, io) => run(readServeOptions(args, io.env), io),
};

async function run(options: ServeOptions, io: Io): Promise<number> {
  const isFirstRun = options.policy === null && options.tls === null;
  if (options.once && !isFirstRun) throw new OperatorError('USAGE', '--once belongs to the first run', 'leave --policy and --tls-cert out');
  // The table of the first run is for a person: lines of a log between them would hide it.
  const log = createLog(options.logLevel ?? (isFirstRun ? 'warn' : 'info'));
  const heard = hearSignals((signal) => log.warn({ signal }, 'forced'));
  try {
    await serve(options, heard.first, { isFirstRun, log, io });
  } finally {
    heard.close();
  }
  return 0;
}

interface Serving {
  readonly isFirstRun: boolean;
  readonly log: Logger;
  readonly io: Io;
}

async function serve(options: ServeOptions, firstSignal: Promise<NodeJS.Signals>, { isFirstRun, log, io }: Serving): Promise<void> {
  const authority = options.tls === null ? await selfSigned(options.host) : null;
  const webhook = await startWebhook(webhookOptions(options, authority), log);
  log.info({ host: options.host, port: webhook.port, metricsPort: webhook.metricsPort, revision: webhook.revision().id }, 'listening');
  if (isFirstRun && authority !== null) {
    const { showSample } = await import('./sample.ts');
    await showSample({ port: webhook.port, host: options.host, ca: authority.ca, policy: samplePolicy }, io);
  }
  if (options.once) {
    await webhook.close();
    return;
  }
  await closedBySignal(webhook, firstSignal, {
    // Nobody routes to a first run, so Ctrl-C need not wait.
    drainTime: isFirstRun ? 0 : options.drainSeconds * 1000,
    graceTime,
    told: (event, signal) => log.info({ signal }, event),
  });
}

function webhookOptions(options: ServeOptions, pair: { cert: string; key: string } | null): WebhookOptions {
  const tls = options.tls ?? pair;
  if (tls === null) throw new OperatorError('USAGE', 'no certificate');
  return {
    policy: { policy: options.policy ?? samplePolicy, resolvedHosts: options.resolvedHosts },
    tls,
    host: options.host,
    port: options.port,
    metricsPort: options.metricsPort,
    clientCaFile: options.clientCa,
    scope: { releaseNamespace: options.namespace, imageManagers: options.imageManagers },
    loggedReviews: options.loggedReviews,
    reviewCache: options.reviewCache,
    overload: {
      maxConnections: options.maxConnections,
      maxInFlight: options.maxInFlight,
      maxRequestMemory: options.maxRequestMemory ?? defaultBudget(process.constrainedMemory()),
      maxEventLoopDelay: options.maxEventLoopDelay,
    },
  };
}

async function selfSigned(host: string): Promise<{ ca: string; cert: string; key: string }> {
  // Loaded only here: what runs in a cluster is given its certificate.
  const { issueServing, createCa } = await import('../tls/certificate.ts');
  const authority = await createCa(`transship first run ${randomUUID().slice(0, 8)}`, { lifetime: day });
  const names = [...new Set(['localhost', '127.0.0.1', '::1', ...(host === '0.0.0.0' || host === '::' ? [] : [host])])];
  return { ca: authority.cert, ...(await issueServing(authority, names, { lifetime: day })) };
}
