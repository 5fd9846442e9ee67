/** A serving certificate in files, for every server of a run. */
import { writeFile } from 'node:fs/promises';
import { issueServing, createCa } from '../src/tls/certificate.ts';

export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** PEM of who signed it. */
  readonly authority: string;
}

const day = 24 * 60 * 60_000;

export async function makeCertificate(folder: string): Promise<Certificate> {
  const authority = await createCa('transship bench', { lifetime: day });
  const pair = await issueServing(authority, ['localhost', '127.0.0.1'], { lifetime: day });
  const [certFile, keyFile] = [`${folder}/tls.crt`, `${folder}/tls.key`];
  await Promise.all([writeFile(certFile, pair.cert), writeFile(keyFile, pair.key, { mode: 0o600 })]);
  return { certFile, keyFile, authority: authority.cert };
}
