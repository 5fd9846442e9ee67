/** Chance that can be had again: a seed and the number of an execution give the same choices on every machine. */

export class Random {
  #state: number;

  constructor(seed: number, execution: number) {
    this.#state = mixed(Math.imul(seed, 0x85ebca6b) ^ mixed(execution));
  }

  /** A whole number from 0 up to and without `bound`. */
  below(bound: number): number {
    this.#state = (this.#state + 0x9e3779b9) | 0;
    return mixed(this.#state) % bound;
  }

  /** True once in `times`. */
  once(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(list: readonly [T, ...T[]]): T;
  pick<T>(list: readonly T[]): T | undefined;
  pick<T>(list: readonly T[]): T | undefined {
    return list[this.below(list.length)];
  }
}

/** Multiplications and shifts that spread every bit over all others, as hash functions end; 32 bits, unsigned. */
function mixed(value: number): number {
  let bits = value;
  bits = Math.imul(bits ^ (bits >>> 16), 0x21f0aaad);
  bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
  return (bits ^ (bits >>> 15)) >>> 0;
}
