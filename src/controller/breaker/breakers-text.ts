/** The tripped breakers as text, for the next leader and for people: breakers.yaml of the ConfigMap of resolved hosts. */
import { parse, stringify } from 'yaml';

import { isObject } from '../../pod/json.ts';
import type { PullFailureCode } from '../../pod/pull-failure.ts';
import { isOfReach, type Tripped } from './breaker.ts';

/** By registry. Empty where all are closed. */
export function breakersText(breakers: ReadonlyMap<string, Tripped>): string {
  if (breakers.size === 0) return '';
  const sorted = [...breakers].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const told = sorted.map(([registry, { state, since, at, interval, reason, failures }]) => [
    registry,
    { state, since: timeOf(since), [timeKey[state]]: timeOf(at), intervalSeconds: interval / 1000, reason, failures },
  ]);
  return stringify(Object.fromEntries(told));
}

const timeKey = { open: 'nextTry', 'half-open': 'triedSince' } as const;
/** RFC 3339. */
export const timeOf = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** Entries of another form are left out: such a breaker is closed. */
export function parseBreakers(text: string): ReadonlyMap<string, Tripped> {
  try {
    const value: unknown = parse(text, { maxAliasCount: 0 });
    if (!isObject(value)) return new Map();
    return new Map(
      Object.entries(value).flatMap(([registry, entry]): [string, Tripped][] => {
        const tripped = trippedOf(entry);
        return tripped === null ? [] : [[registry, tripped]];
      }),
    );
  } catch {
    return new Map();
  }
}

function trippedOf(entry: unknown): Tripped | null {
  if (!isObject(entry)) return null;
  const { state, intervalSeconds, failures } = entry;
  const reason = codeOf(entry['reason']);
  if ((state !== 'open' && state !== 'half-open') || reason === null) return null;
  const [since, at, interval] = [millisecondsOf(entry['since']), millisecondsOf(entry[timeKey[state]]), Number(intervalSeconds) * 1000];
  if (![since, at, interval].every(Number.isFinite) || interval <= 0 || !Number.isInteger(failures)) return null;
  return { state, since, at, interval, reason, failures: Number(failures) };
}

function codeOf(value: unknown): PullFailureCode | null {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the set has codes only
  return typeof value === 'string' && isOfReach(value as PullFailureCode) ? (value as PullFailureCode) : null;
}

const millisecondsOf = (value: unknown): number => (typeof value === 'string' ? Date.parse(value) : Number.NaN);
