/** What a start leaves behind: garbage, code that ran once, and the room that young objects took meanwhile (docs/design/performance.md). */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Milliseconds: a pod gets no request before its first probe, and a process that ends earlier need not tidy up. */
const delay = 1_000;

/** Gives it back to the system, once. V8 by itself keeps it, since a server that waits makes no garbage. */
export function giveBackStartMemory(): void {
  setTimeout(() => {
    // A flag on the command line would make Node refuse its own compiled code, and take a fifth longer to start.
    setFlagsFromString('--expose-gc');
    // Only a context that is made now has it.
    const collect: NonNullable<typeof globalThis.gc> = runInNewContext('gc');
    setFlagsFromString('--no-expose-gc');
    // V8 forgets the shape of objects when none of them lives, and a place that made them then makes every later one as if it had no
    // shape: for what Node makes at each `nextTick` that would cost every review a twentieth. So one of them lives meanwhile.
    process.nextTick(() => {});
    collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  }, delay).unref();
}
