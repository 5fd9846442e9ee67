/** Usage of the server by one address, so that a limit is enforced on the address that uses most. */

export class Client {
  connections = 0;
  /** Requests without a response. */
  inFlight = 0;
  /** Bytes held by them. */
  bytes = 0;
  #iteration = -1;
  #busy = 0;

  /** Milliseconds spent on its requests in this iteration of the event loop. */
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

/** Number of the current iteration of the event loop. Counted by libuv, so no timer has to wake an idle process. */
function loopIteration(): number {
  return nodeTiming.uvMetricsInfo.loopCount;
}
