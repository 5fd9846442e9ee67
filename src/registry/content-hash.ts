/** Hashes that tell whether two pull secrets hold the same, without keeping what they hold. */
import { createHash } from 'node:crypto';

import { readPullSecret, type SecretContent } from './pull-secret.ts';

/** Null for a Secret from which a kubelet reads nothing. */
export function credentialsHashOf(secret: SecretContent): string | null {
  const reading = readPullSecret(secret);
  if (reading.result !== 'read' || reading.entries.length === 0) return null;
  const entries = reading.entries.map(({ address, username, password }) => JSON.stringify([address, username, password]));
  return hashOf(entries.toSorted().join('\n'));
}

/** 64 bits: enough to distinguish contents, and too few to reveal anything about a password. */
export const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
