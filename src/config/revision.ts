/** The revision of a policy: the same files have the same one in every replica, in records on pods, in metrics and in logs. */
import { createHash } from 'node:crypto';

/** @returns the first 12 characters of the SHA-256 of both contents; that of a file which does not exist is empty */
export function revisionOf(policy: string, resolvedHosts: string): string {
  return createHash('sha256').update(`${policy}\0${resolvedHosts}`).digest('hex').slice(0, 12);
}
