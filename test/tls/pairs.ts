/** Certificates for tests, made anew in each process. */
import { issueServing, createCa, type IssuedPair } from '../../src/tls/certificate.ts';

const hour = 60 * 60_000;
export const servingNames: readonly string[] = ['localhost', '127.0.0.1', '::1', 'transship.transship.svc'];

export const authority = await createCa('transship tests', { lifetime: hour });
export const otherAuthority = await createCa('somebody else', { lifetime: hour });

export async function servingPair(issuer: IssuedPair = authority, lifetime = hour): Promise<IssuedPair> {
  return await issueServing(issuer, servingNames, { lifetime });
}
