/** `transship try`: the webhook with a sample policy and a generated certificate, and one review through its own port. */
import { randomUUID } from 'node:crypto';
import { createLog } from '../observe/log.ts';
import { startWebhook, type Webhook } from '../server/webhook.ts';
import { command } from './command.ts';
import { tryFlags } from './flags.ts';
import { programFilePath } from './program-files.ts';
import { runUntilSignal } from './run-until-signal.ts';
import { showSample } from './sample.ts';
import { readServeOptions, webhookOptions } from './serve-options.ts';

const day = 24 * 60 * 60_000;

export const tryCommand = command({
  name: 'try',
  summary: 'demonstrates the webhook with a sample policy and one review',
  usage: `transship try [flags]

Starts the webhook with a sample policy and a self-signed certificate, sends it one AdmissionReview through its own port, and shows what
happens to it. It stays until Ctrl-C. Nothing needs a cluster. In a cluster, run transship serve with your policy and certificate.`,
  flags: tryFlags,
  withoutOperands: '`transship explain` shows what a policy of yours does',
  run: async ({ values }, io) => {
    const log = createLog(values['log-level']);
    const samplePolicy = programFilePath('examples/sample.yaml');
    const { ca, cert, key } = await selfSigned(values.host);
    // Everything else as in `serve`.
    const defaults = readServeOptions(['--policy', samplePolicy, '--tls-cert', 'none', '--tls-key', 'none'], {});
    const { host, port, 'metrics-port': metricsPort } = values;
    const start = async (): Promise<Webhook> => {
      const webhook = await startWebhook({ ...webhookOptions(defaults), host, port, metricsPort, tls: { cert, key } }, log);
      await showSample({ port: webhook.port, host, ca, policy: samplePolicy }, io);
      return webhook;
    };
    if (values.once) await (await start()).close();
    // No endpoints to drain in a demonstration, so Ctrl-C need not wait.
    else await runUntilSignal(start, { log, drainTime: 0 });
    return 0;
  },
});

async function selfSigned(host: string): Promise<{ ca: string; cert: string; key: string }> {
  // Imported only here: in a cluster, the certificate is provided.
  const { issueServing, createCa } = await import('../tls/certificate.ts');
  const ca = await createCa(`transship try ${randomUUID().slice(0, 8)}`, { lifetime: day });
  const names = [...new Set(['localhost', '127.0.0.1', '::1', ...(host === '0.0.0.0' || host === '::' ? [] : [host])])];
  return { ca: ca.cert, ...(await issueServing(ca, names, { lifetime: day })) };
}
