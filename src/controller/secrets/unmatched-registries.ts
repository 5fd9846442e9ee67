/** Registries whose `namespaces` and `namespaceSelector` match no namespace: usually a mistake, so each is reported once. */
import type { RewritePolicy } from '../../policy/types.ts';
import type { ReconcilerContext } from '../reconciler.ts';
import type { DesiredCopy } from './copy.ts';
import { recordLeaseEvent } from './lease-events.ts';

export class UnmatchedRegistries {
  readonly #context: ReconcilerContext;
  #registries: readonly string[] = [];

  constructor(context: ReconcilerContext) {
    this.#context = context;
  }

  problems(): string[] {
    return this.#registries.map((registry) => `registry ${registry}: no namespace matches its namespaces`);
  }

  /** @param desired copies of all registries */
  update({ registries }: RewritePolicy, desired: Iterable<DesiredCopy>): void {
    const served = new Set([...desired].map(({ registry }) => registry));
    const unmatched = Object.entries(registries).flatMap(([registry, { credentials, namespaces, namespaceSelector }]) => {
      const isLimited = namespaces !== undefined || namespaceSelector !== undefined;
      return credentials !== undefined && isLimited && !served.has(registry) ? [registry] : [];
    });
    for (const registry of unmatched.filter((name) => !this.#registries.includes(name))) {
      this.#context.log.warn({ registry }, 'no namespace matches the namespaces of a registry');
      const message = `No namespace matches the namespaces of registry ${registry}, so its pull secrets are copied nowhere.`;
      recordLeaseEvent(this.#context, { reason: 'NoMatchingNamespace', message, action: 'CopySecret' });
    }
    this.#registries = unmatched;
  }
}
