/** What can go wrong with credentials: one error with a code, whose text never holds a password or a token. */

export type CredentialErrorCode =
  | 'SECRET_TYPE'
  | 'SECRET_UNREADABLE'
  | 'SECRET_WITHOUT_AUTHS'
  | 'CREDENTIAL_INVALID'
  | 'TOKEN_REFUSED'
  | 'TOKEN_UNREADABLE'
  | 'TOKEN_EXPIRED'
  | 'TOKEN_TIMEOUT';

/**
 * Has no `cause` on purpose: errors of the SDKs and of JSON.parse quote what they could not use, and a log prints causes.
 */
export class CredentialError extends Error {
  readonly code: CredentialErrorCode;

  constructor(code: CredentialErrorCode, message: string) {
    super(message);
    this.name = 'CredentialError';
    this.code = code;
  }
}
