/** A measured figure: always beside a reference that was measured in the same rounds, since no two machines or minutes are alike. */

/** One round: the reference and the measured thing, one right after the other. */
export interface Round {
  readonly value: number;
  readonly reference: number;
}

export interface Figure {
  readonly suite: string;
  readonly name: string;
  readonly unit: string;
  /** What the ratio is to. */
  readonly reference: string;
  readonly rounds: readonly Round[];
}

export interface Summary {
  readonly value: number;
  readonly reference: number;
  /** Median of the rounds' ratios: below 1 is cheaper than the reference (more, for a rate). */
  readonly ratio: number;
  /** Half of the range that holds the middle half of the ratios, as a part of the ratio. */
  readonly noise: number;
}

export function summarize({ rounds }: Figure): Summary {
  const ratios = rounds.map(ratioOf).toSorted((a, b) => a - b);
  const ratio = quantile(ratios, 0.5);
  return {
    value: median(rounds.map(({ value }) => value)),
    reference: median(rounds.map(({ reference }) => reference)),
    ratio,
    noise: (quantile(ratios, 0.75) - quantile(ratios, 0.25)) / 2 / ratio,
  };
}

export interface Movement {
  /** Median of (ratio after / ratio before). */
  readonly quotient: number;
  readonly moved: boolean;
}

/** Fewer rounds all fall on one side by chance too often. */
const fewestRounds = 6;
const leastMovement = 0.02;

/** Moved: in every round of at least six it was on the same side, and by 2 % in the middle. */
export function movement(before: Figure, after: Figure): Movement {
  const quotients = after.rounds.flatMap((round, index) => {
    const other = before.rounds[index];
    return other === undefined ? [] : [ratioOf(round) / ratioOf(other)];
  });
  const quotient = median(quotients);
  const isOneSided = quotients.every((each) => each > 1) || quotients.every((each) => each < 1);
  return { quotient, moved: quotients.length >= fewestRounds && isOneSided && Math.abs(quotient - 1) >= leastMovement };
}

function ratioOf({ value, reference }: Round): number {
  return value / reference;
}

export function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

/** @param sorted ascending @param part 0 to 1 */
export function quantile(sorted: readonly number[], part: number): number {
  const place = (sorted.length - 1) * part;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}
