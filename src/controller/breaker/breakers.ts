/** The breakers of the registries: fed with pods, restored from and written to the ConfigMap of resolved hosts, told in events and metrics. */
import type { V1Pod } from '@kubernetes/client-node';
import { LRUCache } from 'lru-cache';

import { pingRegistry } from '../../registry/distribution/client.ts';
import type { SeenPod } from '../fallback/seen-pod.ts';
import { breakersKey } from '../hosts/hosts-text.ts';
import { hasBreakers } from '../options.ts';
import type { ReconcilerContext } from '../reconciler.ts';
import { maxTimerDelay } from '../work-queue.ts';
import { Breaker, isOfReach, type Transition, type Tripped } from './breaker.ts';
import { breakersText, parseBreakers } from './breakers-text.ts';
import { pulledImages } from './pulled-images.ts';
import { BreakerReport } from './breaker-report.ts';
import { registriesOf, watchedRegistries, type WatchedRegistry } from './watched-registries.ts';

/** Failures that were counted: the status of a pod that waits is written again without another attempt. */
const maxCounted = 10_000;
/** Milliseconds. */
const probeTimeout = 10_000;

export class Breakers {
  readonly #context: ReconcilerContext;
  readonly #report: BreakerReport;
  readonly #stopping = new AbortController();
  readonly #counted = new LRUCache<string, string>({ max: maxCounted });
  readonly #breakers = new Map<string, Breaker>();
  readonly #probing = new Set<Promise<void>>();
  readonly #restored: () => void;
  #registries: readonly WatchedRegistry[] = [];
  /** Whether the state of an earlier leader is known. */
  #isRestored = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param restored called once the state of an earlier leader is known: failures count from then on */
  constructor(context: ReconcilerContext, restored: () => void) {
    this.#context = context;
    this.#report = new BreakerReport(context);
    this.#restored = restored;
  }

  start(): void {
    const { hostsFile, options } = this.#context;
    this.#registries = watchedRegistries(this.#context.policy());
    const writer = (): { unavailable: ReadonlySet<string>; text: string } | null => (this.#isRestored ? this.#written() : null);
    hostsFile.join('breakers', hasBreakers(options) ? writer : undefined, () => this.#restore());
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    this.#report.clear();
    await Promise.all([this.#context.hostsFile.leave('breakers'), ...this.#probing]);
  }

  isReady(): boolean {
    return this.#isRestored && (!hasBreakers(this.#context.options) || this.#context.hostsFile.isWritten);
  }

  problems(): string[] {
    return [...this.#tripped()].flatMap(([registry, tripped]) => this.#report.problem(registry, tripped));
  }

  policyChanged(): void {
    this.#registries = watchedRegistries(this.#context.policy());
    const names = new Set(this.#registries.map(({ name }) => name));
    const gone = [...this.#breakers.keys()].filter((name) => !names.has(name));
    for (const name of gone) this.#breakers.delete(name);
    this.#changed();
  }

  /** A pod in scope. */
  failed({ metadata, createdAt, failing }: SeenPod): void {
    if (!this.#isRestored || !this.#context.options.breaker.isEnabled) return;
    for (const { name, image, reason, failure } of failing) {
      const registries = isOfReach(failure.code) ? registriesOf(this.#registries, image) : [];
      const key = `${metadata.uid} ${name}`;
      const signature = `${reason} ${image}`;
      if (registries.length === 0 || this.#counted.get(key) === signature) continue;
      this.#counted.set(key, signature);
      for (const registry of registries)
        this.#follow(registry, (breaker, now) => breaker.fail({ uid: metadata.uid ?? '', createdAt, reason: failure.code }, now));
    }
  }

  /** Any pod: where a registry is tried again, one that runs decides. */
  seen(pod: V1Pod): void {
    const created = pod.metadata?.creationTimestamp;
    if (created === undefined || ![...this.#tripped().values()].some(({ state }) => state === 'half-open')) return;
    const createdAt = new Date(created).getTime();
    for (const registry of new Set(pulledImages(pod).flatMap((image) => registriesOf(this.#registries, image))))
      this.#follow(registry, (breaker, now) => breaker.succeed(createdAt, now));
  }

  #restore(): void {
    const { present } = this.#context.hostsFile;
    if (this.#isRestored || present === null) return;
    const { options } = this.#context;
    const known = hasBreakers(options) ? parseBreakers(present?.data?.[breakersKey] ?? '') : new Map<string, Tripped>();
    const names = new Set(this.#registries.map(({ name }) => name));
    for (const [registry, tripped] of known) if (names.has(registry)) this.#breakers.set(registry, new Breaker(options.breaker, tripped));
    this.#isRestored = true;
    this.#changed();
    this.#restored();
  }

  #follow(registry: string, step: (breaker: Breaker, now: number) => Transition | null): void {
    const breaker = this.#breakers.get(registry) ?? new Breaker(this.#context.options.breaker);
    this.#breakers.set(registry, breaker);
    const before = breaker.tripped;
    const transition = step(breaker, Date.now());
    if (transition === null) return;
    this.#report.tell(registry, transition, breaker.tripped ?? before);
    this.#changed();
  }

  #tripped(): Map<string, Tripped> {
    return new Map([...this.#breakers].flatMap(([name, { tripped }]): [string, Tripped][] => (tripped === null ? [] : [[name, tripped]])));
  }

  #written(): { unavailable: ReadonlySet<string>; text: string } {
    const tripped = this.#tripped();
    const open = [...tripped].filter(([, { state }]) => state === 'open').map(([name]) => name);
    return { unavailable: new Set(open), text: breakersText(tripped) };
  }

  #changed(): void {
    for (const breaker of this.#breakers.values()) breaker.keepTo(Date.now());
    const tripped = this.#tripped();
    this.#report.show(
      this.#registries.map(({ name }) => name),
      tripped,
    );
    this.#context.hostsFile.changed();
    clearTimeout(this.#timer);
    const next = Math.min(...[...this.#breakers.values()].map(({ dueAt }) => dueAt ?? Number.POSITIVE_INFINITY));
    if (this.#stopping.signal.aborted || !Number.isFinite(next)) return;
    this.#timer = setTimeout(() => this.#tick(), Math.min(Math.max(0, next - Date.now()), maxTimerDelay));
  }

  #tick(): void {
    for (const [registry, { dueAt }] of this.#breakers) {
      if (dueAt === null || dueAt > Date.now()) continue;
      const watched = this.#registries.find(({ name }) => name === registry);
      if (watched?.probe === true) this.#probe(watched);
      else this.#follow(registry, (breaker, now) => breaker.tryAgain(now));
    }
    this.#changed();
  }

  /** The next time is not written: a leader that does not know it asks at once. */
  #probe({ name, address }: WatchedRegistry): void {
    this.#breakers.get(name)?.postpone(Date.now());
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(probeTimeout)]);
    const probing = pingRegistry(address, { signal })
      // It rejects with the reason of the signal only.
      .catch(() => ({ ok: false, reason: `it did not answer within ${probeTimeout / 1000} s` }) as const)
      .then((answer) => {
        if (this.#stopping.signal.aborted) return;
        if (answer.ok) this.#follow(name, (breaker, now) => breaker.tryAgain(now));
        else
          this.#context.log.info(
            { registry: name, reason: answer.reason },
            'an unavailable registry does not answer the controller either',
          );
      })
      .finally(() => this.#probing.delete(probing));
    this.#probing.add(probing);
  }
}
