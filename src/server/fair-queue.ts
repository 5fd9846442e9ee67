/**
 * Fair queuing. In one iteration of the event loop the reviews of an address are decided for a limited time; the rest waits for the next
 * iteration, and those of other addresses go first. A client that sends too much delays only itself.
 */
import type { Client } from './client.ts';

/** In milliseconds. Some hundreds of reviews; waiting reviews count as in flight, and beyond `maxInFlight` the response is 503. */
const turn = 50;

export class FairQueue {
  readonly #waiting = new Map<Client, (() => void)[]>();
  #isScheduled = false;

  /** Whether the client has used its time in this iteration, or has waiting reviews. */
  mustWait(client: Client): boolean {
    return client.busy > turn || this.#waiting.has(client);
  }

  add(client: Client, work: () => void): void {
    const queue = this.#waiting.get(client) ?? [];
    queue.push(work);
    this.#waiting.set(client, queue);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#run());
  }

  #run(): void {
    this.#isScheduled = false;
    for (const [client, queue] of this.#waiting) {
      let done = 0;
      while (done < queue.length && client.busy <= turn) {
        queue[done]?.();
        done += 1;
      }
      if (done === queue.length) this.#waiting.delete(client);
      else queue.splice(0, done);
    }
    if (this.#waiting.size > 0) this.#schedule();
  }
}
