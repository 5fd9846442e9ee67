/** Errors of the operating system that an operator can fix, in any command. */
import { messageOf } from './message.ts';
import { OperatorError } from './operator-error.ts';

interface Translation {
  readonly code: 'ADDRESS_UNAVAILABLE' | 'FILE_UNREADABLE' | 'OUTPUT_FAILED';
  readonly remedy: string;
}

/** By errno and system call. https://nodejs.org/api/errors.html#class-systemerror */
const translations: Readonly<Record<string, Translation>> = {
  'EADDRINUSE listen': { code: 'ADDRESS_UNAVAILABLE', remedy: 'another program has that port: stop it or choose another port' },
  'EACCES listen': { code: 'ADDRESS_UNAVAILABLE', remedy: 'ports below 1024 need a privilege: choose another port' },
  'EADDRNOTAVAIL listen': { code: 'ADDRESS_UNAVAILABLE', remedy: 'it is not an address of this machine: choose another with --host' },
  'ENOTFOUND getaddrinfo': { code: 'ADDRESS_UNAVAILABLE', remedy: 'no such host name: check --host' },
  'ENOSPC write': { code: 'OUTPUT_FAILED', remedy: 'free disk space for the output' },
  'EIO write': { code: 'OUTPUT_FAILED', remedy: 'check the device that the output goes to' },
  'EFBIG write': { code: 'OUTPUT_FAILED', remedy: 'raise the limit of file sizes' },
  'EDQUOT write': { code: 'OUTPUT_FAILED', remedy: 'free space in the quota of the output' },
};

/** `ENOENT` and others; empty for an error without a code. https://nodejs.org/api/errors.html#errorcode */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** @returns the error itself if it is one already, null for an unexpected error */
export function asOperatorError(error: unknown): OperatorError | null {
  if (error instanceof OperatorError) return error;
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return null;
  const translation = translations[`${String(error.code)} ${String(error.syscall)}`];
  return translation === undefined ? null : new OperatorError(translation.code, error.message, translation.remedy, { cause: error });
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  ELOOP: 'too many levels of symbolic links',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8 text',
};

/** Why a file cannot be read, as a clause. */
export function unreadableReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const known = reasons[errorCode(error)];
  // Node's message is `ENAMETOOLONG: name too long, open '…'`.
  return known ?? /^E[A-Z0-9]+: ([^,]+)/.exec(error.message)?.[1] ?? messageOf(error);
}
