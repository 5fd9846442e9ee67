/** Keys seen once. Most bare pods are created once, and caching their decisions would fill the heap with entries that are never used. */

/** Bytes of one generation. */
const maxBytes = 512 * 1024;

/** Two generations: when the younger one is full, the older one is dropped. */
export class SeenKeys {
  #young = new Set<string>();
  #old = new Set<string>();
  #youngBytes = 0;
  #oldBytes = 0;

  /** Estimated bytes on the heap. */
  get bytes(): number {
    return this.#youngBytes + this.#oldBytes;
  }

  /** Whether the key was seen before; marks it as seen. */
  isSeen(key: string): boolean {
    if (this.#young.has(key) || this.#old.has(key)) return true;
    if (this.#youngBytes > maxBytes) {
      this.#old = this.#young;
      this.#oldBytes = this.#youngBytes;
      this.#young = new Set();
      this.#youngBytes = 0;
    }
    this.#young.add(key);
    this.#youngBytes += key.length + 60;
    return false;
  }
}
