/**
 * The memory of requests: bodies being received, and responses being sent. One budget for all, since a limit per request times the number
 * of requests exceeds the memory of a container.
 */

/** A request that holds more than this is large. Most pods cause reviews of 5 to 60 KiB. */
const maxSmall = 128 * 1024;
/** Share of the budget for all large requests; the rest is reserved for small ones, so that a few large ones never lock them out. */
const largeShare = 3 / 4;

const mebibyte = 1024 * 1024;
/** Enough for the review of any realistic pod, even in a container with little memory. */
const minBudget = 16 * mebibyte;
const maxBudget = 1024 * mebibyte;

/**
 * Default budget in bytes: a fifth of the container's memory limit, since a body is in memory up to three times while it is decided, and
 * what OpenSSL gives back stays with the process. The program itself, its caches and a thousand idle connections take
 * less than half.
 *
 * @param memoryLimit bytes; above the machine's memory if there is no limit (`process.constrainedMemory()`)
 */
export function defaultBudget(memoryLimit: number): number {
  return Math.min(maxBudget, Math.max(minBudget, Math.floor(memoryLimit / 5)));
}

export class ByteBudget {
  readonly limit: number;
  /** Maximum number of bytes of one request. */
  readonly largest: number;
  #used = 0;
  #usedByLarge = 0;

  /** @param limit bytes */
  constructor(limit: number) {
    this.limit = limit;
    this.largest = Math.floor(limit * largeShare);
  }

  get used(): number {
    return this.#used;
  }

  /** Changes the reservation of a request; false, without a change, if the budget is exhausted. */
  change(before: number, after: number): boolean {
    const used = this.#used + after - before;
    const usedByLarge = this.#usedByLarge + large(after) - large(before);
    if (after > before && (used > this.limit || (after > maxSmall && usedByLarge > this.largest))) return false;
    this.#used = used;
    this.#usedByLarge = usedByLarge;
    return true;
  }
}

function large(bytes: number): number {
  return bytes > maxSmall ? bytes : 0;
}
