/** Keeps credentials fresh: one request at a time, long before the last token expires, which stays in use while requests fail. */
import type { CredentialProvider, HostCredential } from './credentials.ts';
import { refreshDelay } from './refresh-schedule.ts';

/** Milliseconds for one request, after which it is aborted. */
const requestTimeout = 30_000;

/** Runs a function once after a delay in milliseconds. @returns what cancels it */
export type Schedule = (run: () => void, delay: number) => () => void;

export interface RefreshFailure {
  readonly error: unknown;
  /** In a row, this one included. */
  readonly failures: number;
  /** Milliseconds until the next try. */
  readonly retryIn: number;
}

export interface RefreshOptions {
  /** New credentials, at once on start. If this fails, the refresh has failed: it is reported, and repeated with a new token. */
  readonly onCredential: (entries: readonly HostCredential[]) => void | Promise<void>;
  /** Must not throw. */
  readonly onFailure: (failure: RefreshFailure) => void;
  /** Times between requests that fail, in milliseconds. */
  readonly backoff: { readonly next: () => number; readonly reset: () => void };
  /** Milliseconds of Unix time. */
  readonly now?: () => number;
  readonly schedule?: Schedule;
  /** In [0, 1). */
  readonly random?: () => number;
}

/** For metrics and readiness. */
export interface RefreshStatus {
  /** When the credentials in use came; null before the first ones. */
  readonly fetchedAt: Date | null;
  readonly ageSeconds: number | null;
  /** The earliest end among them; null when none is known. */
  readonly expiresAt: Date | null;
  /** In a row; 0 after a success. */
  readonly failures: number;
}

export interface Refresher {
  readonly status: () => RefreshStatus;
  /** Aborts a request in flight. When it resolves, neither callback runs and none will be called again. */
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

  /** @returns milliseconds until the next one; null when it was stopped meanwhile */
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
