/**
 * The error of everything that an operator can fix. The command line prints it in one line and ends with exit code 2; anything else that
 * is thrown is a fault of transship. Expected outcomes are values and no errors.
 */
import { errorCodes, type ErrorCode } from './codes.ts';
import type { Finding } from './finding.ts';

interface Details {
  /** Places in files that have to be corrected, printed one a line. */
  readonly findings?: readonly Finding[];
  readonly cause?: unknown;
}

export class OperatorError extends Error {
  override readonly name: string = 'OperatorError';
  readonly code: ErrorCode;
  /** What is wrong, naming the thing. `message` is this and the remedy, so that a log that prints messages says both. */
  readonly problem: string;
  /** What to do. Empty where waiting is all that can be done. */
  readonly remedy: string;
  readonly findings: readonly Finding[];

  /** @param remedy that of the code when not given */
  constructor(code: ErrorCode, problem: string, remedy: string = errorCodes[code].remedy, { findings = [], cause }: Details = {}) {
    super(remedy === '' ? problem : `${problem}; ${remedy}`, cause === undefined ? {} : { cause });
    this.code = code;
    this.problem = problem;
    this.remedy = remedy;
    this.findings = findings;
  }
}
