/** When to ask for the next token. All times are milliseconds; `random` is in [0, 1). */

/** What is assumed of a token that does not say when it ends: the shortest life of the three clouds. */
const unknownLife = 60 * 60_000;
/** Two requests are never closer. A metadata server gives out the same token until minutes before its end, so lives can be short. */
const minDelay = 10_000;
/** Long enough for half of every token's life, far below the 24.8 days at which a timer of Node overflows. */
const maxDelay = 6 * 60 * 60_000;

/** Between 40 and 50 percent of what is left: several replicas and registries spread, and half of the life is there for failures. */
export function refreshDelay(life: number | null, random: number): number {
  const delay = (life ?? unknownLife) * (0.5 - 0.1 * random);
  return Math.min(Math.max(delay, minDelay), maxDelay);
}
