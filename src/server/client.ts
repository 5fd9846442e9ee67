/** What one address uses of the server, so that where something runs out it is taken from who has most of it. */

export class Client {
  connections = 0;
  /** Requests that have begun and are not answered. */
  inFlight = 0;
  /** Bytes that these hold. */
  bytes = 0;
  #iteration = -1;
  #busy = 0;

  /** Milliseconds that its requests took so far in this iteration of the event loop. */
  get busy(): number {
    return this.#iteration === loopIteration() ? this.#busy : 0;
  }

  addBusy(milliseconds: number): void {
    const iteration = loopIteration();
    this.#busy = (this.#iteration === iteration ? this.#busy : 0) + milliseconds;
    this.#iteration = iteration;
  }
}

const { nodeTiming } = performance;

/** A number for each iteration of the event loop. Counted by libuv: no timer has to wake an idle process for it. */
function loopIteration(): number {
  return nodeTiming.uvMetricsInfo.loopCount;
}
