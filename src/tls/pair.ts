/** A certificate and its private key, validated before use. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { OperatorError } from '../errors/operator-error.ts';
import { unreadableReason } from '../errors/system-error.ts';

export interface KeyPair {
  /** PEM, the leaf first. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
  readonly notAfter: Date;
}

/** Paths of a pair. */
export interface KeyPairFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** A certificate, key or CA that is not usable. */
export class KeyPairError extends OperatorError {
  override readonly name = 'KeyPairError';

  constructor(problem: string, remedy?: string, cause?: unknown) {
    super('TLS_PAIR_INVALID', problem, remedy, { cause });
  }
}

/** @throws KeyPairError that names the file and the remedy */
export async function readKeyPair(files: KeyPairFiles): Promise<KeyPair> {
  const [cert, key] = await Promise.all([readPem(files.certFile), readPem(files.keyFile)]);
  return checkKeyPair({ cert, key }, files);
}

/** @throws KeyPairError */
export function checkKeyPair({ cert, key }: { cert: string; key: string }, { certFile, keyFile }: KeyPairFiles): KeyPair {
  const certificate = parse(certFile, 'a PEM certificate', () => new X509Certificate(cert));
  const privateKey = parse(keyFile, 'a PEM private key without a passphrase', () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey))
    throw new KeyPairError(`${keyFile} is not the key of ${certFile}`, 'write both files of one pair');
  if (certificate.validToDate.getTime() <= Date.now())
    throw new KeyPairError(`${certFile} expired at ${certificate.validToDate.toISOString()}`, 'renew it');
  parse(certFile, 'a certificate chain that TLS accepts', () => createSecureContext({ cert, key }));
  return { cert, key, notAfter: certificate.validToDate };
}

/**
 * PEM of one or more CA certificates. Node accepts text without any certificate, and then rejects every client.
 * @throws KeyPairError
 */
export async function readClientCa(file: string): Promise<string> {
  const text = await readPem(file);
  // One by one: Node also ignores a truncated certificate that follows a complete one.
  const blocks = text.split(/(?=-----BEGIN )/).filter((part) => /^-----BEGIN [A-Z0-9 ]*CERTIFICATE/.test(part));
  parse(file, 'a PEM certificate', () => (blocks.length === 0 ? [text] : blocks).map((block) => new X509Certificate(block)));
  return text;
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new KeyPairError(
      `${file} cannot be read: ${unreadableReason(cause)}`,
      'name a file that exists and that this process may read',
      cause,
    );
  }
}

function parse<T>(file: string, what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new KeyPairError(`${file} does not hold ${what}${reasonOf(cause)}`, undefined, cause);
  }
}

/** OpenSSL's reason, such as `no start line`, without its number. */
function reasonOf(cause: unknown): string {
  return cause instanceof Error && 'reason' in cause ? ` (${String(cause.reason)})` : '';
}
