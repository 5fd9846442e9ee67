/**
 * The memory that requests may hold: bodies on their way in, answers on their way out. One budget for all of them, since a limit of each
 * request alone, times the number of requests, is more than a container has.
 */

/** A request that holds more than this is a large one. Most pods make reviews of 5 to 60 KiB. */
const maxSmall = 128 * 1024;
/** Of the budget, for large requests together: the rest is for small ones alone, so that a few large ones never keep them out. */
const largeShare = 3 / 4;

const mebibyte = 1024 * 1024;
/** Enough for a review of every pod that exists in practice, even where a container has little memory. */
const minBudget = 16 * mebibyte;
const maxBudget = 1024 * mebibyte;

/**
 * Bytes for requests where nothing is said: a quarter of the container's memory limit. The program itself, its caches and a thousand
 * idle connections take less than a half.
 *
 * @param memoryLimit bytes; above the machine's memory where there is no limit (`process.constrainedMemory()`)
 */
export function defaultBudget(memoryLimit: number): number {
  return Math.min(maxBudget, Math.max(minBudget, Math.floor(memoryLimit / 4)));
}

export class ByteBudget {
  readonly limit: number;
  /** Bytes that one request may hold at most. */
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

  /** Lets a request hold other bytes than before; false, and nothing changes, where there are none left for it. */
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
