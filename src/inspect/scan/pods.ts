/** Adds pods up, one by one, so that what is kept grows with the number of images and not of pods. Pure. */
import type { V1Pod } from '@kubernetes/client-node';
import { dockerHub } from '../../image/host.ts';
import { referenceOf } from '../../image/reference.ts';
import { unexaminedImages } from '../../manifests/unexamined.ts';
import { parseFallback, stepsOf } from '../../pod/fallback-record.ts';
import { imagePointer, siteKey, type ImageSite } from '../../pod/images.ts';
import { podFields, readPod } from '../../pod/pod.ts';
import { shippedImageManagers } from '../../policy/image-managers.ts';
import { meets, requirementsOf } from '../../policy/label-selector.ts';
import { movedRepository } from './moved-repositories.ts';
import type { Fallback, ScanReport, ScannedImage } from './report.ts';

interface Counted {
  pods: number;
  anonymous: number;
  readonly namespaces: Set<string>;
}

/** More are cut off: a pod may have thousands. */
const maxUnexamined = 1_000;

export class PodCount {
  #pods = 0;
  readonly #images = new Map<string, Counted>();
  readonly #namespaces = new Map<string, number>();
  readonly #managers = new Map<string, number>();
  readonly #fallbacks = new Map<string, Fallback>();
  readonly #unexamined = new Map<string, { object: string; image: string }>();

  add(pod: V1Pod): void {
    const namespace = pod.metadata?.namespace ?? '';
    this.#pods += 1;
    increase(this.#namespaces, namespace);
    const { images, annotations } = readPod(pod, podFields([]));
    this.#addFallbacks(namespace, images, annotations.fallback);
    const isAnonymous = (pod.spec?.imagePullSecrets ?? []).length === 0;
    for (const image of new Set(images.map((site) => site.image))) this.#addImage(image, namespace, isAnonymous);
    const labels = pod.metadata?.labels ?? {};
    for (const { name, podSelector } of shippedImageManagers)
      if (meets(requirementsOf(podSelector), labels)) increase(this.#managers, name);
    const examined = new Set(images.map(imagePointer));
    for (const { image } of unexaminedImages({ kind: 'Pod', metadata: { name: pod.metadata?.name }, spec: pod.spec }, examined)) {
      const key = `${namespace} ${image}`;
      // The first pod of a namespace stands for the others.
      if (this.#unexamined.has(key) || this.#unexamined.size >= maxUnexamined) continue;
      this.#unexamined.set(key, { object: `${namespace}/${pod.metadata?.name}`, image });
    }
  }

  #addFallbacks(namespace: string, images: readonly ImageSite[], record: string | null): void {
    const last = parseFallback(record);
    // A pod counts once, however many of its containers were moved alike.
    const found = new Map<string, Fallback>();
    for (const site of images) {
      const step = last.get(siteKey(site));
      if (step?.to !== site.image) continue;
      const times = stepsOf(step).map(({ at }) => at);
      const { from } = stepsOf(step)[0] ?? step;
      const { to, at: latest, reason = null } = step;
      found.set([namespace, from, to, reason].join(' '), { namespace, from, to, reason, pods: 1, since: times[0] ?? latest, latest });
    }
    for (const [key, one] of found) this.#fallbacks.set(key, sumOf(one, this.#fallbacks.get(key)));
  }

  #addImage(image: string, namespace: string, isAnonymous: boolean): void {
    const counted = this.#images.get(image) ?? { pods: 0, anonymous: 0, namespaces: new Set() };
    counted.pods += 1;
    counted.anonymous += isAnonymous ? 1 : 0;
    counted.namespaces.add(namespace);
    this.#images.set(image, counted);
  }

  /** @param labels opt-in labels of the namespaces that can be seen, with or without pods */
  report(labels: ReadonlyMap<string, string | null>): Omit<ScanReport, 'plan' | 'notSeen' | 'customResources'> {
    const names = [...new Set([...labels.keys(), ...this.#namespaces.keys()])].toSorted();
    return {
      pods: this.#pods,
      images: [...this.#images].map(([image, counted]) => scannedImage(image, counted)).toSorted(byPods),
      namespaces: names.map((name) => ({ name, label: labels.get(name) ?? null, pods: this.#namespaces.get(name) ?? 0 })),
      imageManagers: [...this.#managers].map(([name, pods]) => ({ name, pods })).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      fallbacks: [...this.#fallbacks].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, fallback]) => fallback),
      unexamined: [...this.#unexamined.values()].toSorted((a, b) => (`${a.object} ${a.image}` < `${b.object} ${b.image}` ? -1 : 1)),
    };
  }
}

function scannedImage(image: string, { pods, anonymous, namespaces }: Counted): ScannedImage {
  const reference = referenceOf(image);
  const moved = reference === null ? null : movedRepository(reference.name);
  return {
    image,
    registry: reference?.comparableHost ?? '',
    pods,
    namespaces: [...namespaces].toSorted(),
    hasDigest: (reference?.digest ?? null) !== null,
    isAnonymousHub: reference?.comparableHost === dockerHub && anonymous > 0,
    moved: moved === null ? null : { sentence: moved.sentence, source: moved.source },
  };
}

function sumOf(one: Fallback, others: Fallback = one): Fallback {
  if (others === one) return one;
  return {
    ...one,
    pods: one.pods + others.pods,
    since: one.since < others.since ? one.since : others.since,
    latest: one.latest > others.latest ? one.latest : others.latest,
  };
}

function byPods(a: ScannedImage, b: ScannedImage): number {
  return b.pods - a.pods || (a.image < b.image ? -1 : 1);
}

function increase(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
