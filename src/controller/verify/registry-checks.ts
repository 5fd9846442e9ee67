/**
 * Asks one registry for the images that are in it: each for itself, in growing intervals, within a rate for the whole registry, and not at all
 * for a while when the registry does not answer or asks for fewer requests.
 */
import { Backoff } from '../../cluster/backoff.ts';
import { referenceOf, type Reference } from '../../image/reference.ts';
import type { DistributionClient, ManifestAnswer } from '../../registry/distribution/client.ts';
import type { Keyring } from '../../registry/keyring.ts';
import { done, requeueAfter, WorkQueue, type Requeue } from '../work-queue.ts';
import { ImageCheck } from './image-check.ts';
import type { PodImage } from './pod-images.ts';
import { RequestRate } from './request-rate.ts';

export interface RegistryChecksOptions {
  readonly client: DistributionClient;
  /** Of the API of the registry. */
  readonly origin: string;
  /** Null until the credentials are read: nothing is asked before. */
  readonly keyring: () => Keyring | null;
  /** When an earlier leader found the image missing, in milliseconds since 1970; null if it did not. */
  readonly missingSince: (image: string) => number | null;
  /** After each request. */
  readonly onAnswer: (result: ManifestAnswer['result']) => void;
  /** The result of an image is another one, or the registry answers again, or no longer. */
  readonly onChange: (check: ImageCheck | null) => void;
}

/** Why nothing is asked at present. */
export interface RegistryTrouble {
  readonly result: 'unreachable' | 'too-many-requests';
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

const rate = { perSecond: 2, burst: 10 };
const concurrency = 2;
/** Milliseconds, doubled with each request that got no answer. */
const pauseBounds = { minDelay: 5_000, maxDelay: 300_000 };
/** Longer than that, nobody would see that the registry is back. */
const maxRetryAfter = 3_600_000;

export class RegistryChecks {
  readonly #options: RegistryChecksOptions;
  readonly #checks = new Map<string, ImageCheck>();
  readonly #queue: WorkQueue;
  readonly #rate = new RequestRate(rate);
  readonly #stopping = new AbortController();
  readonly #pauses = new Backoff(pauseBounds);
  /** On the monotonic clock. */
  #pausedUntil = 0;
  #trouble: RegistryTrouble | null = null;

  constructor(options: RegistryChecksOptions) {
    this.#options = options;
    this.#queue = new WorkQueue({ reconcile: (image) => this.#check(image), concurrency });
  }

  get checks(): readonly ImageCheck[] {
    return [...this.#checks.values()];
  }

  /** Null while it answers. */
  get trouble(): RegistryTrouble | null {
    return this.#trouble;
  }

  add(image: PodImage): void {
    const reference = referenceOf(image.image);
    if (reference === null || this.#checks.has(image.image)) return;
    this.#checks.set(image.image, new ImageCheck(image, reference, this.#options.missingSince(image.image)));
    this.#queue.add(image.image);
  }

  remove(image: string): void {
    // Its turn in the queue comes to nothing.
    this.#checks.delete(image);
  }

  /** The credentials are others: what was not found to be there is asked for again, soon. */
  credentialsChanged(): void {
    for (const [image, check] of this.#checks) {
      if (check.result === 'present') continue;
      check.expectChange();
      this.#queue.add(image);
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#queue.stop();
  }

  async #check(image: string): Promise<Requeue> {
    const check = this.#checks.get(image);
    const keyring = this.#options.keyring();
    // Once the credentials are read, `credentialsChanged` adds it again.
    if (check === undefined || keyring === null) return done;
    const pause = this.#pausedUntil - performance.now();
    if (pause > 0) return { result: 'notBefore', delay: pause + Math.random() * 1000 };
    const answer = await this.#ask(check.reference, keyring).catch((error: unknown) => {
      if (this.#stopping.signal.aborted) return null;
      throw error;
    });
    if (answer === null || this.#checks.get(image) !== check) return done;
    if (check.take(answer, Date.now())) this.#options.onChange(check);
    if (this.#noteTrouble(answer)) return { result: 'notBefore', delay: Math.max(1, this.#pausedUntil - performance.now()) };
    return requeueAfter(check.nextDelay());
  }

  /** As a kubelet: with each entry of the pull secrets that fits, until one succeeds; without any, anonymously. */
  async #ask(reference: Reference, keyring: Keyring): Promise<ManifestAnswer> {
    const entries = keyring.lookup(reference.name);
    let last: ManifestAnswer | null = null;
    for (const credential of entries.length === 0 ? [null] : entries) {
      await this.#rate.turn(this.#stopping.signal);
      const { client, origin, onAnswer } = this.#options;
      const answer = await client.headManifest(reference, { credential, origin, signal: this.#stopping.signal });
      onAnswer(answer.result);
      if (answer.result !== 'missing' && answer.result !== 'unauthorized' && answer.result !== 'unknown') return answer;
      // Who may look says more than who may not.
      if (last === null || answer.result === 'missing') last = answer;
    }
    if (last === null) throw new TypeError('no request was made');
    return last;
  }

  /** @returns whether the registry is left alone for a while */
  #noteTrouble(answer: ManifestAnswer): boolean {
    const { result } = answer;
    if (result !== 'unreachable' && result !== 'too-many-requests') {
      this.#pauses.reset();
      this.#setTrouble(null);
      return false;
    }
    const now = performance.now();
    // Of requests at the same time, one makes the next pause longer.
    const pause = now < this.#pausedUntil ? 0 : this.#pauses.next();
    this.#pausedUntil = Math.max(this.#pausedUntil, now + Math.max(pause, Math.min(answer.retryAfter ?? 0, maxRetryAfter)));
    this.#setTrouble({ result, reason: answer.reason, since: Date.now() });
    return true;
  }

  #setTrouble(trouble: RegistryTrouble | null): void {
    if (trouble?.result === this.#trouble?.result) return;
    this.#trouble = trouble;
    this.#options.onChange(null);
  }
}
