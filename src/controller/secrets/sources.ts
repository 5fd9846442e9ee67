/** The credential sources of all registries of the policy. */
import type { RegistryPolicy, RewritePolicy } from '../../policy/types.ts';
import type { Content } from './copy.ts';
import type { CredentialSource } from './credential-source.ts';
import type { ReconcilerContext } from '../reconciler.ts';
import { openSecretSource } from './secret-source.ts';
import { openTokenSource } from './token-source.ts';

interface OpenSource {
  /** Settings it was opened with: with other settings it is another source. */
  readonly definition: string;
  readonly source: CredentialSource;
}

export class Sources {
  readonly #context: ReconcilerContext;
  readonly #changed: () => void;
  /** By registry. */
  readonly #open = new Map<string, OpenSource>();
  readonly #closing = new Set<Promise<void>>();
  readonly #stopReading: () => void;

  /** @param changed called when the content of a registry changes */
  constructor(context: ReconcilerContext, changed: () => void) {
    this.#context = context;
    this.#changed = changed;
    this.#stopReading = context.metrics.onScrape(() => this.#measure());
  }

  content(registry: string): Content | null {
    return this.#open.get(registry)?.source.content() ?? null;
  }

  /** What is wrong with the credentials of registries, for people. */
  problems(): string[] {
    return [...this.#open].flatMap(([registry, { source }]) => {
      const problem = source.problem();
      return problem === null ? [] : [`registry ${registry}: ${problem}`];
    });
  }

  /** Opens the sources of the policy, and closes those that it no longer has. */
  follow(policy: RewritePolicy): void {
    const wanted = new Map(Object.entries(policy.registries).filter(([, { credentials }]) => credentials !== undefined));
    for (const [registry, open] of this.#open) {
      const settings = wanted.get(registry);
      if (settings === undefined || definitionOf(settings) !== open.definition) this.#close(registry, open);
    }
    for (const [registry, settings] of wanted) {
      if (this.#open.has(registry)) continue;
      this.#open.set(registry, { definition: definitionOf(settings), source: this.#openSource(registry, settings) });
    }
  }

  async close(): Promise<void> {
    this.#stopReading();
    for (const [registry, open] of this.#open) this.#close(registry, open);
    await Promise.all(this.#closing);
  }

  #openSource(registry: string, { credentials, host }: RegistryPolicy): CredentialSource {
    if (credentials === undefined) throw new TypeError(`registry ${registry} has no credentials`);
    return 'secret' in credentials
      ? openSecretSource(this.#context, { registry, name: credentials.secret, host }, this.#changed)
      : openTokenSource(this.#context, { registry, settings: credentials, host }, this.#changed);
  }

  #close(registry: string, { source }: OpenSource): void {
    const { sourceReady, tokenAge, tokenExpiry } = this.#context.metrics;
    this.#open.delete(registry);
    for (const gauge of [sourceReady, tokenAge, tokenExpiry]) gauge.remove({ registry });
    const closed = source.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  #measure(): void {
    const { metrics } = this.#context;
    for (const [registry, { source }] of this.#open) {
      metrics.sourceReady.set({ registry }, source.isReady() ? 1 : 0);
      const { ageSeconds, expiresAt } = source.status?.() ?? { ageSeconds: null, expiresAt: null };
      if (ageSeconds !== null) metrics.tokenAge.set({ registry }, ageSeconds);
      if (expiresAt !== null) metrics.tokenExpiry.set({ registry }, expiresAt.getTime() / 1000);
    }
  }
}

/** Includes the host, which a token is written for and a Secret is checked against. */
const definitionOf = ({ credentials, host }: RegistryPolicy): string => JSON.stringify([credentials, host]);
