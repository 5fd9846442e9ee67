/**
 * Asks registries with `verify: true` whether they have the images of opted-in pods, and tells of those that are missing. It changes no pod,
 * and no pod waits for it.
 */
import type { KubernetesObject, V1Pod } from '@kubernetes/client-node';

import { keyOf } from '../../cluster/object-store.ts';
import type { ResourceWatch, WatchEvent } from '../../cluster/watch.ts';
import type { VerifyStatus } from '../../registry/verify-status.ts';
import { observedWatch } from '../observed-watch.ts';
import type { Reconciler, ReconcilerContext, ReconcilerFactory } from '../reconciler.ts';
import { AskedRegistries } from './asked-registries.ts';
import type { ImageCheck } from './image-check.ts';
import { MissingEvents } from './missing-events.ts';
import { imagesOfPod, keyOfImages, withImages, type PodImage } from './pod-images.ts';
import { SeenImages } from './seen-images.ts';
import { StatusConfigMap } from './status-config-map.ts';
import { verifiedRegistries, type VerifiedRegistry } from './verified-registries.ts';
import { problemTexts, statusOf } from './verify-status.ts';

/** Images that are asked for. */
const maxImages = 5_000;
/** Pods per page: a page is in memory as a whole. */
const podPageSize = 100;

export const verifyReconciler: ReconcilerFactory = (context) => new VerifyReconciler(context);

interface Watches {
  readonly namespaces: ResourceWatch<KubernetesObject>;
  readonly pods: ResourceWatch<V1Pod>;
}

class VerifyReconciler implements Reconciler {
  readonly name = 'verify';
  readonly #context: ReconcilerContext;
  readonly #asked: AskedRegistries;
  readonly #seen: SeenImages;
  readonly #status: StatusConfigMap;
  readonly #events: MissingEvents;
  #registries: readonly VerifiedRegistry[] = [];
  /** Of the pods that are there, by what decides about their images: most pods of a workload are alike. */
  readonly #decided = new Map<string, readonly PodImage[]>();
  #missingSince: ReadonlyMap<string, number> = new Map();
  #watches: Watches | null = null;
  #stopReading = (): void => {};

  constructor(context: ReconcilerContext) {
    this.#context = context;
    this.#status = new StatusConfigMap(
      context,
      () => (this.isReady() ? this.#current() : null),
      () => this.#decideAll(),
    );
    this.#events = new MissingEvents((message) => this.#status.record('ImageMissing', `${message}.`));
    this.#asked = new AskedRegistries(context, {
      missingSince: (image) => this.#missingSince.get(image) ?? null,
      onChange: (registry, check) => this.#changed(registry, check),
    });
    this.#seen = new SeenImages({
      max: maxImages,
      onAdd: (image) => this.#asked.add(image),
      onRemove: (image) => {
        this.#asked.remove(image);
        this.#status.changed();
      },
    });
  }

  start(): void {
    this.#followPolicy();
    const namespaces = observedWatch<KubernetesObject>(this.#context, 'namespaces', {
      path: '/api/v1/namespaces',
      project: ({ metadata }) => ({
        metadata: { ...(metadata?.name !== undefined && { name: metadata.name }), labels: metadata?.labels ?? {} },
      }),
      onEvent: ({ type, object }) => (type === 'synced' ? this.#decideAll() : this.#decideAll(object.metadata?.name)),
    });
    const pods = observedWatch<V1Pod>(this.#context, 'pods', {
      path: '/api/v1/pods',
      fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed',
      project: withImages,
      pageSize: podPageSize,
      onEvent: (event) => this.#podChanged(event),
    });
    this.#watches = { namespaces, pods };
    this.#status.start();
    const { metrics } = this.#context;
    this.#stopReading = metrics.onScrape(() => {
      this.#asked.measure();
      metrics.verifyLeftOut.set(this.#seen.leftOut);
    });
  }

  async stop(): Promise<void> {
    this.#stopReading();
    await Promise.all([
      this.#events.stop(),
      this.#asked.close(),
      this.#status.stop(),
      this.#watches?.namespaces.close(),
      this.#watches?.pods.close(),
    ]);
  }

  isReady(): boolean {
    return this.#watches !== null && this.#watches.namespaces.isSynced && this.#watches.pods.isSynced && this.#status.isSynced;
  }

  problems(): string[] {
    const unresolved = this.#registries.filter(({ origin }) => origin === null);
    return [
      ...unresolved.map(({ name }) => `registry ${name} is not asked: its host is not resolved`),
      ...this.#asked.problems(),
      ...problemTexts(this.#current()),
      ...this.#status.problems,
    ];
  }

  policyChanged(): void {
    this.#followPolicy();
    this.#decideAll();
  }

  #followPolicy(): void {
    this.#registries = verifiedRegistries(this.#context.policy());
    this.#decided.clear();
    // An image may be in another registry by now.
    if (this.#asked.follow(this.#registries)) this.#seen.clear();
  }

  #podChanged({ type, object }: WatchEvent<V1Pod>): void {
    if (type === 'synced') this.#decideAll();
    else if (this.isReady()) this.#decide(object, type === 'deleted');
  }

  /** @param namespace all of them by default */
  #decideAll(namespace?: string): void {
    // During the first lists, namespaces would look opted out, and images found present.
    if (this.#watches === null || !this.isReady()) return;
    const { pods } = this.#watches;
    if (namespace === undefined) {
      this.#missingSince = new Map(this.#status.written.missing.map(({ image, since }) => [image, Date.parse(since)]));
      this.#seen.retainPods((key) => pods.get(key) !== undefined);
    }
    this.#decided.clear();
    for (const pod of pods.list()) if (namespace === undefined || pod.metadata?.namespace === namespace) this.#decide(pod, false);
    this.#status.changed();
  }

  #decide(pod: V1Pod, isGone: boolean): void {
    this.#seen.setPod(keyOf(pod), isGone ? [] : this.#imagesOf(pod));
  }

  #imagesOf(pod: V1Pod): readonly PodImage[] {
    const key = keyOfImages(pod);
    const known = this.#decided.get(key);
    if (known !== undefined) return known;
    const namespace = this.#watches?.namespaces.get(pod.metadata?.namespace ?? '');
    const images = imagesOfPod(pod, {
      policy: this.#context.policy(),
      registries: this.#registries,
      scope: this.#context.options,
      namespaceLabels: namespace === undefined ? null : (namespace.metadata?.labels ?? {}),
    });
    if (this.#decided.size >= maxDecided) this.#decided.clear();
    this.#decided.set(key, images);
    return images;
  }

  #current(): VerifyStatus {
    return statusOf(this.#asked.states, this.#seen.leftOut);
  }

  #changed(registry: string, check: ImageCheck | null): void {
    if (check !== null) this.#tell(registry, check);
    else {
      const reason = this.#asked.states.get(registry)?.trouble?.reason;
      if (reason === undefined) this.#context.log.info({ registry }, 'a registry answers again');
      else this.#context.log.warn({ registry, reason }, 'a registry does not say which images it has; trying again');
    }
    this.#status.changed();
  }

  #tell(registry: string, { image: { image, source }, result, reason }: ImageCheck): void {
    const { log } = this.#context;
    if (result === 'missing') this.#events.missing(registry, image);
    else this.#events.found(registry, image);
    if (result === 'missing') log.warn({ registry, image, source }, 'an image that pods need is missing in its registry');
    else if (result === 'present') log.debug({ registry, image }, 'an image that pods need is in its registry');
    else log.warn({ registry, image, result, reason }, 'a registry does not say whether it has an image; trying again');
  }
}

/** What was decided once; more are decided again. */
const maxDecided = 10_000;
