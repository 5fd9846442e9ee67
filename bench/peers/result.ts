/** The result of a run with neighbours, as JSON. */

/** Median of the rounds, with the least and the most. */
export type Spread = readonly [median: number, least: number, most: number];

export interface Measured {
  /** Milliseconds from exec to the first right answer. */
  readonly start: Spread;
  /** Bytes: of its processes after the first answer, and at most after all reviews. */
  readonly idle: Spread;
  readonly peak: Spread;
  /** CPU microseconds a review, by case. */
  readonly review: Readonly<Record<string, Spread>>;
  /** CPU microseconds a pod at the API server: of the webhook, and of the API server itself; null where it does not accept the responses. */
  readonly pod: { readonly webhook: Spread; readonly apiServer: Spread; readonly rate: Spread } | string;
}

export interface Subject {
  readonly name: string;
  readonly repository: string | null;
  readonly version: string;
  /** Bytes of the program, without what a base image has; null if it is not one file. */
  readonly program: number | null;
  readonly differences: readonly string[];
  /** A sentence where it could not be measured. */
  readonly measured: Measured | string;
}

export interface PeersResult {
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  readonly rounds: number;
  readonly command: string;
  readonly subjects: readonly Subject[];
  /** Pods without any webhook. */
  readonly without: { readonly apiServer: Spread; readonly rate: Spread };
}
