/** When to ask for the next token. All times are milliseconds; `random` is in [0, 1). */

/** Assumed lifetime of a token without an expiry: the shortest of the three clouds. */
const unknownLife = 60 * 60_000;
/**
 * Minimum time between two requests. A metadata server returns the same token until minutes before its expiry, so lifetimes can be short.
 */
const minDelay = 10_000;
/** Longer than half the lifetime of any token, far below the 24.8 days at which a Node timer overflows. */
const maxDelay = 6 * 60 * 60_000;

/** Between 40 and 50 percent of the remaining lifetime: spreads replicas and registries, and leaves half of it for failures. */
export function refreshDelay(life: number | null, random: number): number {
  const delay = (life ?? unknownLife) * (0.5 - 0.1 * random);
  return Math.min(Math.max(delay, minDelay), maxDelay);
}
