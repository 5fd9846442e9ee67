/** What runs while this process leads, what is told while it does not, and the order between two leaderships. */
import type { Reconciler, ReconcilerContext, ReconcilerFactory } from './reconciler.ts';
import type { Readiness } from '../observe/metrics-server.ts';

export class Leadership {
  readonly #makers: readonly ReconcilerFactory[];
  readonly #context: ReconcilerContext;
  /** Milliseconds without an error of the lease after which a process that stands by counts as ready. */
  readonly #quiet: number;
  #running: readonly Reconciler[] = [];
  /** Loops of the last leadership that are still ending. */
  #ending: Promise<void> = Promise.resolve();
  #isLeader = false;
  #isDraining = false;
  #troubled = performance.now();

  constructor(makers: readonly ReconcilerFactory[], context: ReconcilerContext, quiet: number) {
    this.#makers = makers;
    this.#context = context;
    this.#quiet = quiet;
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  won(): void {
    this.#context.log.info('leading');
    this.#isLeader = true;
    this.#ending = this.#ending.then(() => {
      // Lost again while the loops of the time before were ending.
      if (!this.#isLeader) return;
      this.#running = this.#makers.map((make) => make(this.#context));
      for (const loop of this.#running) loop.start();
    });
  }

  lost(reason: string): void {
    this.#context.log.warn({ reason }, 'no longer leading');
    this.#end();
  }

  failed(reason: string): void {
    this.#troubled = performance.now();
    this.#context.log.warn({ reason }, 'the lease could not be read or written; trying again');
  }

  policyChanged(): void {
    for (const loop of this.#running) loop.policyChanged?.();
  }

  startDraining(): void {
    this.#isDraining = true;
  }

  async stop(): Promise<void> {
    this.#end();
    await this.#ending;
  }

  readiness(): Readiness {
    if (this.#isDraining) return { ready: false, lines: ['shutting down'] };
    if (!this.#isLeader) {
      const ready = performance.now() - this.#troubled > this.#quiet;
      return { ready, lines: [ready ? 'standing by' : 'standing by; the lease was not reachable, or not for long enough'] };
    }
    const parts = this.#running.map((loop) => ({ loop, ready: loop.isReady() }));
    const ready = parts.length === this.#makers.length && parts.every((part) => part.ready);
    return { ready, lines: ['leading', ...parts.flatMap((part) => linesOf(part.loop, part.ready))] };
  }

  #end(): void {
    this.#isLeader = false;
    // Started loops are taken over in order, whichever leadership they are of.
    this.#ending = this.#ending.then(async () => {
      const loops = this.#running;
      this.#running = [];
      await Promise.all(loops.map((loop) => loop.stop()));
    });
  }
}

/** A cluster with a thousand namespaces can have a thousand problems; metrics have their number. */
const shownProblems = 10;

function linesOf(loop: Reconciler, ready: boolean): string[] {
  const problems = loop.problems?.() ?? [];
  const more = problems.length > shownProblems ? [`${loop.name}: and ${problems.length - shownProblems} more`] : [];
  return [
    `${loop.name}: ${ready ? 'ready' : 'not ready'}`,
    ...problems.slice(0, shownProblems).map((problem) => `${loop.name}: ${problem}`),
    ...more,
  ];
}
