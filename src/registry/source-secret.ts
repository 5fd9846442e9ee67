/** A source Secret of pull secrets: whether a kubelet can use it, and for which registry. */
import { CredentialError } from './errors.ts';
import { Keyring } from './keyring.ts';
import {
  dockerConfigKey,
  dockerConfigType,
  legacyDockerConfigKey,
  readPullSecret,
  type PullSecretEntry,
  type SecretContent,
} from './pull-secret.ts';

export interface SourceSecret {
  /** Docker config in base64, for a Secret of type kubernetes.io/dockerconfigjson. */
  readonly encoded: string;
  /** Why pods will pull from the registry without credentials; null when an entry matches. */
  readonly mismatch: string | null;
}

/** How many keys of a docker config a message lists. */
const maxKeys = 5;

/**
 * @param name `namespace/name` of the Secret, for messages
 * @param host of the registry in the policy, with or without a path; undefined where the policy has none
 * @throws CredentialError when no kubelet can use it; the message quotes no content
 */
export function readSourceSecret(name: string, secret: SecretContent, host: string | undefined): SourceSecret {
  const reading = readPullSecret(secret);
  if (reading.result !== 'read') {
    const code = reading.result === 'unreadable' || secret.type === dockerConfigType ? 'SECRET_UNREADABLE' : 'SECRET_TYPE';
    throw new CredentialError(code, `Secret ${name} ${reading.problem}`, 'create it with `kubectl create secret docker-registry`');
  }
  if (!reading.entries.some(hasPassword))
    throw new CredentialError(
      'SECRET_WITHOUT_AUTHS',
      `Secret ${name} has no password in its auths`,
      'a kubelet can use neither a credential store nor an identity token, so create it with `kubectl create secret docker-registry`',
    );
  return { encoded: encodedConfig(secret), mismatch: host === undefined ? null : mismatchOf(name, reading.entries, host) };
}

const hasPassword = ({ password }: PullSecretEntry): boolean => password !== '';

/** The text is kept as it is: keys may have paths. The older type holds only the map under `auths`. */
function encodedConfig({ type, data = {} }: SecretContent): string {
  if (type === dockerConfigType) return data[dockerConfigKey] ?? '';
  const auths = Buffer.from(data[legacyDockerConfigKey] ?? '', 'base64').toString('utf8');
  return Buffer.from(`{"auths":${auths}}`).toString('base64');
}

function mismatchOf(name: string, entries: readonly PullSecretEntry[], host: string): string | null {
  const found = new Keyring(entries).lookupUnder(host);
  if (found.some(hasPassword)) return null;
  if (found.length > 0) return `the entry of Secret ${name} for ${host} has no password, and a kubelet cannot use an identity token`;
  const keys = entries.map(({ address }) => JSON.stringify(address));
  const shown = [...keys.slice(0, maxKeys), ...(keys.length > maxKeys ? ['…'] : [])].join(', ');
  return `no entry of Secret ${name} is for ${host}: a kubelet compares hosts letter by letter, and the keys are ${shown}`;
}
