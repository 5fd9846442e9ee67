/**
 * Signatures of files: ECDSA P-256 over SHA-256, DER in base64. `cosign verify-blob --key KEY --signature FILE.sig FILE` takes them, and so does
 * `openssl dgst -sha256 -verify KEY -signature`, after base64.
 */
import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

export interface Signer {
  /** PEM of the public key. */
  readonly publicKey: string;
  /** Writes FILE.sig beside the file. */
  readonly signFile: (file: string) => void;
}

/** @throws Error that says what is wrong with the key; never with its content */
export function signerFrom(keyFile: string): Signer {
  const key = privateKey(keyFile);
  return {
    publicKey: createPublicKey(key).export({ type: 'spki', format: 'pem' }),
    signFile: (file) => writeFileSync(`${file}.sig`, `${sign('sha256', readFileSync(file), key).toString('base64')}\n`),
  };
}

function privateKey(keyFile: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(readFileSync(keyFile));
  } catch (error) {
    const reason =
      error instanceof Error && 'code' in error && error.code === 'ENOENT'
        ? 'no such file'
        : 'it is no private key in PEM without a passphrase';
    throw new Error(`--key ${keyFile}: ${reason}; openssl ecparam -genkey -name prime256v1 -noout -out ${keyFile} makes one`, {
      cause: error,
    });
  }
  if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  throw new Error(`--key ${keyFile}: a key on the curve P-256 (prime256v1) is wanted, for cosign takes no other for files`);
}

export function isSigned(file: string, publicKey: string): boolean {
  return verify('sha256', readFileSync(file), publicKey, Buffer.from(readFileSync(`${file}.sig`, 'utf8'), 'base64'));
}
