/** Keeps credentials fresh: one request at a time, long before the token expires. The last token stays in use while requests fail. */
import type { CredentialProvider, HostCredential } from './credentials.ts';
import { refreshDelay } from './refresh-schedule.ts';

/** Timeout of one request, in milliseconds. */
const requestTimeout = 30_000;

/** Runs a function once after a delay in milliseconds. @returns a function that cancels it */
export type Schedule = (run: () => void, delay: number) => () => void;

export interface RefreshFailure {
  readonly error: unknown;
  /** Consecutive failures, including this one. */
  readonly failures: number;
  /** Milliseconds until the next attempt. */
  readonly retryIn: number;
}

export interface RefreshOptions {
  /**
   * Receives new credentials, the first soon after start. If it rejects, the refresh has failed: that is reported, and retried with a new
   * token.
   */
  readonly onCredential: (entries: readonly HostCredential[]) => void | Promise<void>;
  /** Must not throw. */
  readonly onFailure: (failure: RefreshFailure) => void;
  /** Back-off between failed requests, in milliseconds. */
  readonly backoff: { readonly next: () => number; readonly reset: () => void };
  /** Milliseconds of Unix time. */
  readonly now?: () => number;
  readonly schedule?: Schedule;
  /** In [0, 1). */
  readonly random?: () => number;
}

/** For metrics and readiness. */
export interface RefreshStatus {
  /** When the current credentials were received; null before the first ones. */
  readonly fetchedAt: Date | null;
  readonly ageSeconds: number | null;
  /** The earliest expiry among them; null when unknown. */
  readonly expiresAt: Date | null;
  /** Consecutive failures; 0 after a success. */
  readonly failures: number;
}

export interface Refresher {
  readonly status: () => RefreshStatus;
  /** Aborts a request in flight. Once resolved, no callback runs or will run. */
  readonly stop: () => Promise<void>;
}

const timer: Schedule = (run, delay) => {
  const handle = setTimeout(run, delay);
  return () => clearTimeout(handle);
};

export function keepFresh(
  provider: CredentialProvider,
  { onCredential, onFailure, backoff, now = Date.now, schedule = timer, random = Math.random }: RefreshOptions,
): Refresher {
  const stopping = new AbortController();
  let fetchedAt: number | null = null;
  let expiresAt: Date | null = null;
  let failures = 0;
  let cancelNext: (() => void) | undefined;

  /** @returns milliseconds until the next request; null when it was stopped meanwhile */
  const refresh = async (): Promise<number | null> => {
    try {
      const entries = await fetchInTime(provider, schedule, stopping.signal);
      if (stopping.signal.aborted) return null;
      await onCredential(entries);
      fetchedAt = now();
      expiresAt = earliestEnd(entries);
      failures = 0;
      backoff.reset();
      return refreshDelay(expiresAt === null ? null : expiresAt.getTime() - fetchedAt, random());
    } catch (error) {
      if (stopping.signal.aborted) return null;
      failures += 1;
      const retryIn = backoff.next();
      onFailure({ error, failures, retryIn });
      return retryIn;
    }
  };
  const run = async (): Promise<void> => {
    const delay = await refresh();
    if (delay === null || stopping.signal.aborted) return;
    cancelNext = schedule(() => {
      running = run();
    }, delay);
  };
  let running = run();

  return {
    status: () => ({
      fetchedAt: fetchedAt === null ? null : new Date(fetchedAt),
      ageSeconds: fetchedAt === null ? null : (now() - fetchedAt) / 1000,
      expiresAt,
      failures,
    }),
    stop: async () => {
      stopping.abort();
      cancelNext?.();
      await running;
    },
  };
}

async function fetchInTime(provider: CredentialProvider, schedule: Schedule, stopping: AbortSignal): Promise<readonly HostCredential[]> {
  const late = new AbortController();
  const cancel = schedule(() => late.abort(), requestTimeout);
  try {
    return await provider.fetch(AbortSignal.any([late.signal, stopping]));
  } finally {
    cancel();
  }
}

function earliestEnd(entries: readonly HostCredential[]): Date | null {
  const ends = entries.flatMap(({ credential }) => credential.expiresAt ?? []);
  return ends.toSorted((a, b) => a.getTime() - b.getTime())[0] ?? null;
}
