/** `transship controller`: pull secrets where the pods are, certificates that renew themselves, hosts that resolve themselves. */
import { setFlagsFromString } from 'node:v8';

import { createLog } from '../observe/log.ts';
import { closedBySignal, hearSignals } from '../process/shutdown.ts';
import type { Command, Io } from './command.ts';
import { controllerFlagHelp, readControllerOptions } from './controller-options.ts';

/** Milliseconds for calls in flight after a signal. */
const graceTime = 5_000;

export const controllerCommand: Command = {
  name: 'controller',
  summary: 'copies pull secrets into namespaces, resolves hosts, renews the certificate of the webhook',
  help: `transship controller --policy FILE --namespace NAME [flags]

Keeps the cluster as the policy says. Of several that run, one leads and the others stand by. GET /healthz, /readyz and /metrics
tell how it is.

${controllerFlagHelp()}

Each flag is also an environment variable: --hosts-config-map is TRANSSHIP_HOSTS_CONFIG_MAP. SIGTERM gives the lease up and
ends; nothing that was written is deleted.
`,
  run: async (args, io) => run(args, io),
};

async function run(args: readonly string[], io: Io): Promise<number> {
  const { logLevel, ...options } = readControllerOptions(args, io.env);
  const log = createLog(logLevel);
  // A controller waits most of the time: V8 trades its speed for half of the heap that a burst would leave behind.
  for (const flag of ['--optimize-for-size', '--max-semi-space-size=1']) setFlagsFromString(flag);
  // Loaded only here: with the library for Kubernetes in it, the list of commands would take half a second.
  const { startController } = await import('../controller/controller.ts');
  const heard = hearSignals((signal) => log.warn({ signal }, 'forced'));
  try {
    const controller = await startController(options, log);
    await closedBySignal(controller, heard.first, { drainTime: 0, graceTime, told: (event, signal) => log.info({ signal }, event) });
  } finally {
    heard.close();
  }
  return 0;
}
