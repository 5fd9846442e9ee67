/** What is known of one image in its registry, and when it is asked for again. Pure, but for the chance in the intervals. */
import { Backoff } from '../../cluster/backoff.ts';
import type { Reference } from '../../image/reference.ts';
import type { ManifestAnswer } from '../../registry/distribution/client.ts';
import type { PodImage } from './pod-images.ts';

export type CheckResult = 'unchecked' | Exclude<ManifestAnswer['result'], 'too-many-requests'>;

/** Milliseconds. The content of a digest does not change, so only its deletion can be found. */
const presentInterval = { tag: 3_600_000, digest: 12 * 3_600_000 };
const failedInterval = { minDelay: 10_000, maxDelay: 600_000 };

export class ImageCheck {
  readonly image: PodImage;
  readonly reference: Reference;
  readonly #backoff = new Backoff(failedInterval);
  #result: CheckResult;
  #since: number;
  #reason = '';

  /** @param missingSince when an earlier leader found it missing; null if it did not */
  constructor(image: PodImage, reference: Reference, missingSince: number | null) {
    this.image = image;
    this.reference = reference;
    this.#result = missingSince === null ? 'unchecked' : 'missing';
    this.#since = missingSince ?? 0;
  }

  get result(): CheckResult {
    return this.#result;
  }

  /** When it was first found to be so, in milliseconds since 1970. */
  get since(): number {
    return this.#since;
  }

  /** For people; empty for present and missing. */
  get reason(): string {
    return this.#reason;
  }

  /** @returns whether the result is another one */
  take(answer: ManifestAnswer, now: number): boolean {
    if (!this.#isNews(answer)) return false;
    const isOther = answer.result !== this.#result;
    if (answer.result !== 'too-many-requests') this.#result = answer.result;
    if (isOther) {
      this.#since = now;
      this.#reason = 'reason' in answer ? answer.reason : '';
    }
    if (answer.result === 'present') this.#backoff.reset();
    return isOther;
  }

  /** A registry that does not answer says nothing about an image that was there, or was not. */
  #isNews({ result }: ManifestAnswer): boolean {
    if (result === 'too-many-requests') return false;
    return result !== 'unreachable' || this.#result === 'unchecked' || this.#result === 'unreachable';
  }

  /** Milliseconds until it is asked for again. */
  nextDelay(): number {
    if (this.#result !== 'present') return this.#backoff.next();
    const interval = presentInterval[this.reference.digest === null ? 'tag' : 'digest'];
    // Images that pods named at the same time are spread.
    return interval * (0.9 + 0.2 * Math.random());
  }

  /** What stood in the way may be gone: the next intervals are short again. */
  expectChange(): void {
    this.#backoff.reset();
  }
}
