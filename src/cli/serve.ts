/** `transship serve`: the webhook. */
import { createLog } from '../observe/log.ts';
import { startWebhook } from '../server/webhook.ts';
import { command } from './command.ts';
import { serveFlags } from './flags.ts';
import { runUntilSignal } from './run-until-signal.ts';
import { serveOptions, webhookOptions } from './serve-options.ts';

export const serveCommand = command({
  name: 'serve',
  summary: 'the webhook: answers AdmissionReviews over HTTPS',
  usage: `transship serve --policy FILE --tls-cert FILE --tls-key FILE [flags]

Answers AdmissionReviews on /mutate (patches) and /shadow (only reports), with /healthz and /readyz beside them and /metrics on a port
of its own. The policy and the certificate are reloaded when their files change.`,
  flags: serveFlags,
  notes: `Each flag is also an environment variable: --metrics-port is TRANSSHIP_METRICS_PORT. A flag wins over its variable.
SIGTERM drains and ends; a second one ends at once.`,
  withoutOperands: 'name the policy file with --policy',
  run: async ({ values }) => {
    const options = serveOptions(values);
    const log = createLog(options.logLevel);
    const start = async () => {
      const webhook = await startWebhook(webhookOptions(options), log);
      const { port, metricsPort, revision } = webhook;
      log.info({ host: options.host, port, metricsPort, revision: revision().id }, 'listening');
      return webhook;
    };
    await runUntilSignal(start, { log, drainTime: options.drainSeconds * 1000 });
    return 0;
  },
});
