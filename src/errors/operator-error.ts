/**
 * An error that an operator can fix. The command line prints it in one line and exits with 2; any other exception is a fault of transship.
 * Expected outcomes are values, not errors.
 */
import { errorCodes, type ErrorCode } from './codes.ts';
import type { Finding } from './finding.ts';

interface Details {
  /** Positions in files that must be corrected, printed one per line. */
  readonly findings?: readonly Finding[];
  readonly cause?: unknown;
}

export class OperatorError extends Error {
  override readonly name: string = 'OperatorError';
  readonly code: ErrorCode;
  /** The problem, naming the object. `message` is this and the remedy, so that a log that prints messages has both. */
  readonly problem: string;
  /** What to do. Empty if one can only wait. */
  readonly remedy: string;
  readonly findings: readonly Finding[];

  /** @param remedy default: that of the code */
  constructor(code: ErrorCode, problem: string, remedy: string = errorCodes[code].remedy, { findings = [], cause }: Details = {}) {
    super(remedy === '' ? problem : `${problem}; ${remedy}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.problem = problem;
    this.remedy = remedy;
    this.findings = findings;
  }
}
