/** `transship controller`: copies pull secrets, renews the webhook's certificate, and resolves hosts. */
import { setFlagsFromString } from 'node:v8';

import { createLog } from '../observe/log.ts';
import { command } from './command.ts';
import { controllerOptions } from './controller-options.ts';
import { controllerFlags } from './controller-flags.ts';
import { runUntilSignal } from './run-until-signal.ts';

export const controllerCommand = command({
  name: 'controller',
  summary: 'copies pull secrets into namespaces, resolves hosts, renews the certificate of the webhook',
  usage: `transship controller --policy FILE --namespace NAME [flags]

Keeps the cluster as the policy says. Several may run: one leads, the others stand by. GET /healthz, /readyz and /metrics report its state.`,
  flags: controllerFlags,
  notes: `Each flag but --match-condition is also an environment variable: --hosts-config-map is TRANSSHIP_HOSTS_CONFIG_MAP. A flag wins over its variable.
SIGTERM releases the lease and ends; nothing that was written is deleted.`,
  withoutOperands: 'name the policy file with --policy',
  run: async ({ values }) => {
    const { logLevel, ...options } = controllerOptions(values);
    const log = createLog(logLevel);
    // A controller is idle most of the time: V8 trades speed for half of the heap that a burst would leave behind.
    for (const flag of ['--optimize-for-size', '--max-semi-space-size=1']) setFlagsFromString(flag);
    // Imported only here: with the Kubernetes library in it, the list of commands would take half a second.
    const { startController } = await import('../controller/controller.ts');
    await runUntilSignal(() => startController(options, log), { log, drainTime: 0 });
    return 0;
  },
});
