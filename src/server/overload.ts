/**
 * Saying no while there is still time to say it. A 503 with Retry-After is the one answer that the API server tries again,
 * within the webhook's timeout (kubernetes/client-go, rest/with_retry.go); a slow answer is a failed call.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { loopResolution } from '../observe/metrics.ts';

export interface OverloadLimits {
  /** Requests that have begun and are not answered. */
  readonly maximumInFlight: number;
  /** Milliseconds by which timers are late. */
  readonly maximumLag: number;
}

/** Milliseconds over which lateness is measured: the guard opens again at most this long after the load is gone. */
const window = 250;

export class OverloadGuard {
  readonly #limits: OverloadLimits;
  readonly #delay = monitorEventLoopDelay({ resolution: loopResolution });
  readonly #timer: NodeJS.Timeout;
  #inFlight = 0;
  #lag = 0;

  constructor(limits: OverloadLimits) {
    this.#limits = limits;
    this.#delay.enable();
    this.#timer = setInterval(() => {
      // The mean and not the maximum: one long collection of garbage is no overload.
      this.#lag = this.#delay.count === 0 ? 0 : this.#delay.mean / 1e6 - loopResolution;
      this.#delay.reset();
    }, window);
    this.#timer.unref();
  }

  /** Why a new request is turned away, null when it may enter. */
  reason(): string | null {
    if (this.#inFlight >= this.#limits.maximumInFlight) return `${this.#inFlight} requests are in flight`;
    if (this.#lag > this.#limits.maximumLag) return `the event loop is ${Math.round(this.#lag)} ms late`;
    return null;
  }

  enter(): void {
    this.#inFlight += 1;
  }

  leave(): void {
    this.#inFlight -= 1;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#delay.disable();
  }
}
