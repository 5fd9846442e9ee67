/** What is measured: a source tree of transship, the working one or that of another revision. */

export interface Subject {
  readonly name: string;
  /** Folder that holds `src`. */
  readonly root: string;
}

export interface Built extends Subject {
  /** The program. */
  readonly main: string;
  /** Flags of Node that the image runs it with, and its environment. */
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface Settings {
  /** Few and short rounds: whether it works, and the order of magnitude. */
  readonly quick: boolean;
  /** Reviews that the memory suite sends. */
  readonly reviews: number;
  /** The reference server, as JavaScript. */
  readonly reference: string;
}

/** Every other round runs the other way around, so that a machine that grows slower does not favour anyone. */
export function inTurn<T>(items: readonly T[], round: number): readonly T[] {
  return round % 2 === 0 ? items : items.toReversed();
}
