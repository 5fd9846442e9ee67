/** The clock by which a server of this process tells how old requests and connections are. It stands still but for `advance`. */
import { mock } from 'node:test';
import type { Test } from 'tap';

export interface HeldClock {
  readonly advance: (milliseconds: number) => void;
}

/** On a busy machine a second passes between two steps of a test, and what was to be young is old. */
export function heldClock(t: Pick<Test, 'teardown'>): HeldClock {
  // Whole, so that differences are exact.
  let now = Math.ceil(performance.now());
  const held = mock.method(performance, 'now', () => now);
  t.teardown(() => held.mock.restore());
  return {
    advance: (milliseconds) => {
      now += milliseconds;
    },
  };
}
