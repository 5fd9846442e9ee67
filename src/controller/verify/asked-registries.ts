/** The registries with `verify: true`, each with its credentials and its checks. */
import { DistributionClient } from '../../registry/distribution/client.ts';
import type { ReconcilerContext } from '../reconciler.ts';
import type { CheckResult, ImageCheck } from './image-check.ts';
import type { PodImage } from './pod-images.ts';
import { RegistryChecks } from './registry-checks.ts';
import { openCredentials, type RegistryCredentials } from './registry-credentials.ts';
import type { VerifiedRegistry } from './verified-registries.ts';
import { countResults, type RegistryState } from './verify-status.ts';

interface Asked {
  /** Settings it was opened with: with other settings it is another registry. */
  readonly definition: string;
  readonly checks: RegistryChecks;
  readonly credentials: RegistryCredentials;
}

export interface AskedRegistriesOptions {
  /** When an earlier leader found the image missing, in milliseconds since 1970; null if it did not. */
  readonly missingSince: (image: string) => number | null;
  /** @param check whose result is another one; null when the registry answers again, or no longer */
  readonly onChange: (registry: string, check: ImageCheck | null) => void;
}

export class AskedRegistries {
  readonly #context: ReconcilerContext;
  readonly #options: AskedRegistriesOptions;
  readonly #client = new DistributionClient();
  /** By name. */
  readonly #asked = new Map<string, Asked>();
  readonly #closing = new Set<Promise<void>>();

  constructor(context: ReconcilerContext, options: AskedRegistriesOptions) {
    this.#context = context;
    this.#options = options;
  }

  get states(): ReadonlyMap<string, RegistryState> {
    return new Map([...this.#asked].map(([name, { checks }]) => [name, checks]));
  }

  problems(): string[] {
    return [...this.#asked].flatMap(([name, { credentials }]) => {
      const problem = credentials.problem();
      return problem === null ? [] : [`registry ${name}: ${problem}`];
    });
  }

  /** Opens the registries of the policy, and closes those that it no longer has. @returns whether one was closed or opened */
  follow(registries: readonly VerifiedRegistry[]): boolean {
    const wanted = new Map(registries.flatMap((registry) => (registry.origin === null ? [] : [[registry.name, registry] as const])));
    let isChanged = false;
    for (const [name, asked] of this.#asked) {
      const registry = wanted.get(name);
      if (registry !== undefined && definitionOf(registry) === asked.definition) continue;
      this.#close(name, asked);
      isChanged = true;
    }
    for (const [name, registry] of wanted) {
      if (this.#asked.has(name)) continue;
      this.#open(registry);
      isChanged = true;
    }
    return isChanged;
  }

  add(image: PodImage): void {
    this.#asked.get(image.registry)?.checks.add(image);
  }

  remove(image: PodImage): void {
    this.#asked.get(image.registry)?.checks.remove(image.image);
  }

  /** Sets the metrics. */
  measure(): void {
    const { verifyImages } = this.#context.metrics;
    for (const [registry, { checks }] of this.#asked) {
      const counts = countResults(checks.checks);
      for (const result of imageResults) verifyImages.set({ registry, result }, counts.get(result) ?? 0);
    }
  }

  async close(): Promise<void> {
    for (const [name, asked] of this.#asked) this.#close(name, asked);
    await Promise.all(this.#closing);
    await this.#client.close();
  }

  #open(registry: VerifiedRegistry): void {
    const { name, policy, origin } = registry;
    if (origin === null) return;
    const { metrics } = this.#context;
    const credentials = openCredentials(this.#context, name, policy, () => this.#asked.get(name)?.checks.credentialsChanged());
    const checks = new RegistryChecks({
      client: this.#client,
      origin,
      keyring: credentials.keyring,
      missingSince: this.#options.missingSince,
      onAnswer: (result) => {
        metrics.verifyRequests.inc({ registry: name, result });
        metrics.lastReconcile.set({ feature: 'verify' }, Date.now() / 1000);
      },
      onChange: (check) => this.#options.onChange(name, check),
    });
    this.#asked.set(name, { definition: definitionOf(registry), checks, credentials });
  }

  #close(name: string, { checks, credentials }: Asked): void {
    this.#asked.delete(name);
    for (const result of imageResults) this.#context.metrics.verifyImages.remove({ registry: name, result });
    const closed = Promise.all([checks.stop(), credentials.close()]).then(() => {
      this.#closing.delete(closed);
    });
    this.#closing.add(closed);
  }
}

/** All of them, so that a gauge goes back to 0. */
const imageResults: readonly CheckResult[] = ['present', 'missing', 'unauthorized', 'unreachable', 'unknown', 'unchecked'];

const definitionOf = ({ policy: { credentials, pullSecrets, host }, prefix, origin }: VerifiedRegistry): string =>
  JSON.stringify([credentials, pullSecrets, host, prefix, origin]);
