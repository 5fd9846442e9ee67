/** What a policy would make of the pods of a cluster. Pure. */
import type { V1Pod } from '@kubernetes/client-node';
import { canonicalText, referenceOf } from '../../image/reference.ts';
import { decideDocument } from '../../manifests/decide.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import { isOfRelease } from '../pods.ts';
import { NeededSecrets, type NamespaceSecrets } from './needed-secrets.ts';
import type { MissingImage } from '../../registry/verify-status.ts';
import type { Plan, PlannedImage } from './report.ts';

type Planned = { -readonly [Key in keyof PlannedImage]: PlannedImage[Key] };

export class PlanCount {
  readonly #policy: CompiledPolicy;
  readonly #images = new Map<string, Planned>();
  readonly #secrets = new NeededSecrets();
  /** Namespaces by the images that nodes may pull for them. */
  readonly #targets = new Map<string, Set<string>>();
  /** Names of pull secrets that the controller copies. */
  readonly #copied: ReadonlySet<string>;

  constructor(policy: CompiledPolicy) {
    this.#policy = policy;
    const copied = Object.values(policy.policy.registries).filter(({ credentials }) => credentials !== undefined);
    this.#copied = new Set(copied.flatMap(({ pullSecrets }) => pullSecrets));
  }

  add(added: V1Pod): void {
    if (isOfRelease(added)) return;
    const { metadata, spec } = added;
    const namespace = metadata?.namespace ?? '';
    const own = (spec?.imagePullSecrets ?? []).map(({ name = '' }) => name);
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec };
    for (const { decision } of decideDocument(this.#policy, pod, { namespaceOf: () => namespace, originals: 'recorded' }).images) {
      const { image, outcome, rule, result, reason, site, pullSecrets, alternatives } = decision;
      const key = [namespace, image, outcome, result].join(' ');
      const planned = this.#images.get(key) ?? { namespace, image, outcome, rule, result, reason, pods: 0, waiting: 0 };
      planned.pods += 1;
      const isThere = site.image === result || alternatives.some((alternative) => alternative.image === site.image);
      if (result !== null && !isThere) planned.waiting += 1;
      this.#images.set(key, planned);
      this.#addTargets(namespace, [result ?? image, ...alternatives.map((alternative) => alternative.image)]);
      if (outcome === 'rewritten' && result !== null) {
        const secrets = pullSecrets.filter((name) => !this.#copied.has(name));
        // One that the controller copies may be the one that fits.
        this.#secrets.add({ namespace, secrets, own, image: secrets.length === pullSecrets.length ? result : null });
      }
    }
  }

  #addTargets(namespace: string, images: readonly (string | null)[]): void {
    for (const image of images) {
      if (image === null) continue;
      const namespaces = this.#targets.get(image) ?? new Set<string>();
      this.#targets.set(image, namespaces.add(namespace));
    }
  }

  get namespacesWithSecrets(): readonly string[] {
    return this.#secrets.namespaces;
  }

  /**
   * @param present Secrets of the namespaces that can be seen
   * @param missing images that registries lack
   */
  report(present: ReadonlyMap<string, NamespaceSecrets>, missing: readonly MissingImage[]): Plan {
    const images = [...this.#images.values()].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    return {
      images,
      collisions: collisionsOf(images),
      missingSecrets: this.#secrets.missing(present),
      missingImages: this.#missingImages(missing),
      unfitSecrets: this.#secrets.unfit(present),
    };
  }

  /** Of the pods that were added. */
  #missingImages(missing: readonly MissingImage[]): Plan['missingImages'] {
    return missing
      .flatMap(({ image, registry, source, since }) => {
        const namespaces = this.#targets.get(image);
        return namespaces === undefined ? [] : [{ image, registry, source, since, namespaces: [...namespaces].toSorted() }];
      })
      .toSorted((a, b) => (a.image < b.image ? -1 : 1));
  }
}

const keyOf = ({ namespace, image, outcome }: PlannedImage): string => `${namespace} ${image} ${outcome}`;

function collisionsOf(images: readonly PlannedImage[]): Plan['collisions'] {
  const sources = new Map<string, Set<string>>();
  for (const { image, result } of images) {
    const reference = referenceOf(image);
    if (result === null || reference === null) continue;
    sources.set(result, (sources.get(result) ?? new Set<string>()).add(canonicalText(reference)));
  }
  const found = [...sources].filter(([, names]) => names.size > 1);
  return found.map(([target, names]) => ({ target, sources: [...names].toSorted() })).toSorted((a, b) => (a.target < b.target ? -1 : 1));
}
