/** The pull secrets that rewritten pods need, and what their namespaces have of them. Pure. */
import type { V1Secret } from '@kubernetes/client-node';
import { referenceOf } from '../../image/reference.ts';
import { Keyring } from '../../registry/keyring.ts';
import { readPullSecret, type PullSecretEntry } from '../../registry/pull-secret.ts';
import type { Plan } from './report.ts';

/** What the Secrets of a namespace hold for a kubelet, by name; nothing where it cannot read one. */
export type NamespaceSecrets = ReadonlyMap<string, readonly PullSecretEntry[]>;

/** Without passwords: only the addresses decide which image a kubelet takes an entry for. */
export function secretEntries({ type, data }: V1Secret): readonly PullSecretEntry[] {
  const reading = readPullSecret({ type, data });
  return reading.result === 'read' ? reading.entries.map(({ address }) => ({ address, username: '', password: '' })) : [];
}

interface Need {
  readonly namespace: string;
  /** That the policy gives the pod. */
  readonly secrets: readonly string[];
  /** That the pod names itself. */
  readonly own: readonly string[];
  /** As the node pulls it; null where another secret, which is not looked at, may fit. */
  readonly image: string | null;
}

export class NeededSecrets {
  /** One for each namespace, list of secrets and repository. */
  readonly #needs = new Map<string, Need>();

  add(need: Need): void {
    const { namespace, secrets, own, image } = need;
    if (secrets.length === 0) return;
    const key = [namespace, repositoryOf(image) ?? '', ...secrets, '', ...own].join(' ');
    if (!this.#needs.has(key)) this.#needs.set(key, need);
  }

  get namespaces(): readonly string[] {
    return [...new Set([...this.#needs.values()].map(({ namespace }) => namespace))];
  }

  /** @param present by namespace, as far as they can be seen */
  missing(present: ReadonlyMap<string, NamespaceSecrets>): Plan['missingSecrets'] {
    const byNamespace = Map.groupBy(this.#needs.values(), ({ namespace }) => namespace);
    return [...byNamespace]
      .map(([namespace, needs]) => ({
        namespace,
        secrets: absent(
          needs.flatMap(({ secrets }) => secrets),
          present.get(namespace),
        ),
      }))
      .filter(({ secrets }) => secrets.length > 0)
      .toSorted((a, b) => (a.namespace < b.namespace ? -1 : 1));
  }

  /** Images for which none of the secrets has an entry, as a kubelet matches them, though all are there. */
  unfit(present: ReadonlyMap<string, NamespaceSecrets>): Plan['unfitSecrets'] {
    return [...this.#needs.values()]
      .flatMap(({ namespace, secrets, own, image }) => {
        const found = present.get(namespace);
        const repository = repositoryOf(image);
        if (image === null || repository === null || found === undefined || absent(secrets, found).length > 0) return [];
        const keyring = new Keyring([...secrets, ...own].flatMap((name) => found.get(name) ?? []));
        return keyring.lookup(repository).length === 0 ? [{ namespace, secrets: secrets.toSorted(), image }] : [];
      })
      .toSorted((a, b) => (`${a.namespace} ${a.image}` < `${b.namespace} ${b.image}` ? -1 : 1));
  }
}

function repositoryOf(image: string | null): string | null {
  return image === null ? null : (referenceOf(image)?.name ?? null);
}

function absent(names: readonly string[], present: NamespaceSecrets | undefined): string[] {
  return [...new Set(names)].filter((name) => present?.has(name) === false).toSorted();
}
