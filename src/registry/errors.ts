/** Errors about credentials: their text never contains a password or a token. */
import type { CredentialErrorCode } from '../errors/codes.ts';
import { OperatorError } from '../errors/operator-error.ts';

/** Has no `cause` on purpose: errors of the SDKs and of JSON.parse quote their input, and a log prints causes. */
export class CredentialError extends OperatorError {
  override readonly name = 'CredentialError';

  // oxlint-disable-next-line no-useless-constructor -- it takes less than its base: no cause, and only these codes
  constructor(code: CredentialErrorCode, problem: string, remedy?: string) {
    super(code, problem, remedy);
  }
}
