/** Starts and stops the reconcilers with the leadership, and reports readiness. */
import type { Readiness } from '../observe/metrics-server.ts';
import type { Part, Reconciler, ReconcilerContext } from './reconciler.ts';

export interface LeadershipOptions {
  readonly parts: readonly Part[];
  readonly context: ReconcilerContext;
  /** Milliseconds without an error of the lease after which a standby counts as ready. */
  readonly quiet: number;
  /** Whether what the part needs of the policy is loaded. Asked again after each change of the policy. */
  readonly mayStart: (part: Part) => boolean;
  /** What is wrong with the policy, for people. */
  readonly policyProblems: () => readonly string[];
}

export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #running = new Map<Part, Reconciler>();
  /** Reconcilers of the previous leadership that have not ended yet. */
  #ending: Promise<void> = Promise.resolve();
  #isLeader = false;
  #isDraining = false;
  #troubled = performance.now();

  constructor(options: LeadershipOptions) {
    this.#options = options;
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  won(): void {
    this.#options.context.log.info('leading');
    this.#isLeader = true;
    this.#ending = this.#ending.then(() => this.#startParts());
  }

  lost(reason: string): void {
    this.#options.context.log.warn({ reason }, 'no longer leading');
    this.#end();
  }

  failed(reason: string): void {
    this.#troubled = performance.now();
    this.#options.context.log.warn({ reason }, 'the lease could not be read or written; trying again');
  }

  policyChanged(): void {
    if (!this.#isLeader) return;
    for (const reconciler of this.#running.values()) reconciler.policyChanged?.();
    this.#ending = this.#ending.then(() => this.#startParts());
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
    const policy = this.#options.policyProblems().map((problem) => `policy: ${problem}`);
    if (!this.#isLeader) {
      const ready = performance.now() - this.#troubled > this.#options.quiet;
      return { ready, lines: [ready ? 'standing by' : 'standing by; the lease was not reachable, or not for long enough', ...policy] };
    }
    const { parts } = this.#options;
    const ready = parts.every((part) => this.#running.get(part)?.isReady() === true);
    return { ready, lines: ['leading', ...policy, ...parts.flatMap((part) => linesOf(part.name, this.#running.get(part)))] };
  }

  /** Starts reconcilers that are not running and need not wait for the policy. */
  #startParts(): void {
    // The leadership was lost again while the previous reconcilers were ending.
    if (!this.#isLeader) return;
    for (const part of this.#options.parts) {
      if (this.#running.has(part) || !this.#options.mayStart(part)) continue;
      const reconciler = part.create(this.#options.context);
      this.#running.set(part, reconciler);
      reconciler.start();
    }
  }

  #end(): void {
    this.#isLeader = false;
    // Starts are serialized, across leaderships.
    this.#ending = this.#ending.then(async () => {
      const reconcilers = [...this.#running.values()];
      this.#running.clear();
      await Promise.all(reconcilers.map((reconciler) => reconciler.stop()));
    });
  }
}

/** A cluster with a thousand namespaces can have a thousand problems; the metrics have the number. */
const maxProblems = 10;

function linesOf(name: string, reconciler: Reconciler | undefined): string[] {
  if (reconciler === undefined) return [`${name}: not ready`];
  const problems = reconciler.problems?.() ?? [];
  const more = problems.length > maxProblems ? [`${name}: and ${problems.length - maxProblems} more`] : [];
  return [
    `${name}: ${reconciler.isReady() ? 'ready' : 'not ready'}`,
    ...problems.slice(0, maxProblems).map((problem) => `${name}: ${problem}`),
    ...more,
  ];
}
