/**
 * What V8 takes for speed that a webhook does not need. Set when the start is over: a flag on the command line would make Node refuse its
 * own compiled code, and take a fifth longer to start (docs/design/performance.md).
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Milliseconds: a pod gets no request before its first probe, and a process that ends earlier need not tidy up. */
const delay = 1_000;

export function leanMemory(): void {
  // The middle one of three compilers: 13 MiB under load, and no request is cheaper for it.
  setFlagsFromString('--no-maglev');
  setTimeout(giveBackStart, delay).unref();
}

/** To the system, once: garbage, code that ran once, and the room that young objects took meanwhile. V8 by itself keeps it, since a server that waits makes no garbage. */
function giveBackStart(): void {
  setFlagsFromString('--expose-gc');
  // Only a context that is made now has it.
  const collect: NonNullable<typeof globalThis.gc> = runInNewContext('gc');
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
