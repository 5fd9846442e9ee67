/** What people see of the breakers: log, events, metrics, lines of `/readyz`. */
import { hasBreakers } from '../options.ts';
import type { ReconcilerContext } from '../reconciler.ts';
import type { targetTransitions } from '../metrics.ts';
import type { Transition, Tripped } from './breaker.ts';
import { timeOf } from './breakers-text.ts';

const transitions = ['opened', 'half-opened', 'closed'] as const satisfies readonly (keyof typeof targetTransitions)[];

export class BreakerReport {
  readonly #context: ReconcilerContext;

  constructor(context: ReconcilerContext) {
    this.#context = context;
  }

  /** @param registries all that have a breaker */
  show(registries: readonly string[], tripped: ReadonlyMap<string, Tripped>): void {
    const { metrics } = this.#context;
    metrics.targetAvailable.reset();
    for (const registry of registries) {
      metrics.targetAvailable.set({ registry }, tripped.get(registry)?.state === 'open' ? 0 : 1);
      // Begins at 0, or `increase()` misses the first one.
      for (const transition of transitions) metrics.targetTransitions.inc({ registry, transition }, 0);
    }
  }

  clear(): void {
    this.#context.metrics.targetAvailable.reset();
  }

  /** @param state the present one; of a breaker that closed, the one before */
  tell(registry: string, transition: Transition, state: Tripped | null): void {
    const { log, metrics, hostsFile } = this.#context;
    metrics.targetTransitions.inc({ registry, transition });
    const { reason, failures } = state ?? {};
    log[transition === 'opened' ? 'warn' : 'info']({ registry, reason, failures }, this.#sentence(transition));
    if (transition === 'opened' && state !== null)
      hostsFile.record('TargetUnavailable', this.#unavailable(registry, state), { type: 'Warning', action: 'FallBack' });
    if (transition === 'closed')
      hostsFile.record('TargetAvailable', `A new pod could pull from registry ${registry}: new pods begin with it again.`, {
        type: 'Normal',
        action: 'FallBack',
      });
  }

  /** For `/readyz`; none while new pods try it. */
  problem(registry: string, state: Tripped): string[] {
    return state.state === 'open' ? [this.#unavailable(registry, state)] : [];
  }

  #sentence(transition: Transition): string {
    if (transition === 'half-opened') return 'new pods try an unavailable registry again';
    return transition === 'closed' ? 'nodes reach a registry again' : 'nodes do not reach a registry';
  }

  #unavailable(registry: string, { since, reason, failures, at }: Tripped): string {
    const { options } = this.#context;
    const consequence = hasBreakers(options)
      ? `new pods begin with the next target of their rule, and try it again at ${timeOf(at)}`
      : `without ${options.fallbackDryRun ? '--fallback-dry-run' : '--breaker=false'} new pods would begin with the next target of their rule`;
    return `registry ${registry} is unavailable since ${timeOf(since)}: ${failures} pods could not pull from it (${reason}); ${consequence}`;
  }
}
