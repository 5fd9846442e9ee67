/** Resolves the hosts of registries with `hostFrom`, and writes them to the ConfigMap that `serve` mounts. */
import type { ResolvedHosts } from '../../rules/registries.ts';
import type { Reconciler, ReconcilerContext, ReconcilerFactory } from '../reconciler.ts';
import { HostWatches } from './host-watches.ts';
import { resolveHosts, type ResolvedPolicy } from './hosts-plan.ts';

export const hostsReconciler: ReconcilerFactory = (context) => new HostsReconciler(context);

class HostsReconciler implements Reconciler {
  readonly name = 'hosts';
  readonly #context: ReconcilerContext;
  readonly #watches: HostWatches;
  #last: ResolvedPolicy | null = null;

  constructor(context: ReconcilerContext) {
    this.#context = context;
    this.#watches = new HostWatches(context, () => context.hostsFile.changed());
  }

  start(): void {
    this.#watches.follow(this.#context.policy().policy);
    this.#context.hostsFile.join('hosts', (present) => this.#resolve(present));
  }

  async stop(): Promise<void> {
    this.#context.metrics.hosts.reset();
    await Promise.all([this.#context.hostsFile.leave('hosts'), this.#watches.close()]);
  }

  /** Also ready with unresolved hosts: that is the state of the cluster, and a restart does not change it. */
  isReady(): boolean {
    return this.#last !== null && this.#last.pending.size === 0 && this.#context.hostsFile.isWritten;
  }

  problems(): string[] {
    const unresolved = [...(this.#last?.problems ?? [])].map(([registry, problem]) => `registry ${registry}: ${problem}`);
    return [...unresolved, ...this.#context.hostsFile.problems()];
  }

  policyChanged(): void {
    this.#watches.follow(this.#context.policy().policy);
    this.#context.hostsFile.changed();
  }

  #resolve(present: ResolvedHosts): ResolvedHosts {
    const resolved = resolveHosts(this.#context.policy().policy, this.#watches, present);
    this.#reportProblems(resolved);
    this.#last = resolved;
    this.#context.metrics.lastReconcile.set({ feature: this.name }, Date.now() / 1000);
    return resolved.hosts;
  }

  /** Reports each problem once, when it begins or changes. */
  #reportProblems({ hosts, problems }: ResolvedPolicy): void {
    const { log, metrics, hostsFile } = this.#context;
    metrics.hosts.reset();
    for (const registry of Object.keys(hosts)) metrics.hosts.set({ registry }, 1);
    for (const [registry, problem] of problems) {
      metrics.hosts.set({ registry }, 0);
      if (this.#last?.problems.get(registry) === problem) continue;
      log.warn({ registry, problem }, 'the host of a registry is not resolved');
      const message = `The host of registry ${registry} is not resolved: ${problem}. Until it is, \`host\` of the registry is used; without one its rules are not active.`;
      hostsFile.record('HostUnresolved', message);
    }
  }
}
