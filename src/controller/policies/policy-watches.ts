/** The MutatingAdmissionPolicy and the binding that owns it, as the watches see them. */
import type { KubernetesObject, V1MutatingAdmissionPolicy } from '@kubernetes/client-node';

import { describeError } from '../../cluster/api-error.ts';
import type { ResourceWatch } from '../../cluster/watch.ts';
import { hasReached, observedWatch } from '../observed-watch.ts';
import type { ReconcilerContext } from '../reconciler.ts';
import { apiVersion, bindingName } from './policies-plan.ts';

/** Null for objects that do not exist. */
export interface ObservedPolicy {
  readonly policy: V1MutatingAdmissionPolicy | null;
  readonly binding: KubernetesObject | null;
}

export class PolicyWatches {
  readonly #policy: ResourceWatch<V1MutatingAdmissionPolicy>;
  readonly #binding: ResourceWatch<KubernetesObject>;
  /** By resource: why it could not be read last. */
  readonly #failures = new Map<string, string>();

  constructor(context: ReconcilerContext, onEvent: () => void) {
    const watch = <T extends KubernetesObject>(name: string, resource: string, object: string): ResourceWatch<T> =>
      observedWatch<T>(context, name, {
        path: `/apis/${apiVersion}/${resource}`,
        fieldSelector: `metadata.name=${object}`,
        onEvent: ({ type }) => {
          if (type === 'synced') this.#failures.delete(resource);
          onEvent();
        },
        onError: (error) => this.#failures.set(resource, describeError(error)),
      });
    this.#policy = watch('admission-policy', 'mutatingadmissionpolicies', context.options.admissionPolicy.name);
    this.#binding = watch('admission-policy-binding', 'mutatingadmissionpolicybindings', bindingName(context.options));
  }

  /** Null until both have their first list. */
  observed(): ObservedPolicy | null {
    if (!this.#policy.isSynced || !this.#binding.isSynced) return null;
    return { policy: this.#policy.list()[0] ?? null, binding: this.#binding.list()[0] ?? null };
  }

  /** Why there is no first list, as far as it is known. */
  problems(): string[] {
    return this.observed() === null ? [...this.#failures.values()] : [];
  }

  /** Whether the watch has delivered this version of the policy, or a later one. */
  hasObserved(version: string): boolean {
    return hasReached(this.#policy.list()[0], version);
  }

  async close(): Promise<void> {
    await Promise.all([this.#policy.close(), this.#binding.close()]);
  }
}
