/** Keys that came once. Most lone pods come but once, and to remember their decisions would fill the heap with what is never used. */

/** Bytes of one generation. */
const maxBytes = 512 * 1024;

/** Two generations: when the younger one is full, the older one is forgotten. */
export class SeenKeys {
  #young = new Set<string>();
  #old = new Set<string>();
  #youngBytes = 0;
  #oldBytes = 0;

  /** Of the heap, estimated. */
  get bytes(): number {
    return this.#youngBytes + this.#oldBytes;
  }

  /** Whether the key came before; from now on it did. */
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
