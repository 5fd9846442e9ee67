/** The credentials that nodes would use for a registry: of its Secrets in the release namespace, or the token of its cloud. */
import { Keyring } from '../../registry/keyring.ts';
import { dockerConfigKey, dockerConfigType, readPullSecret, type PullSecretEntry } from '../../registry/pull-secret.ts';
import type { RegistryPolicy } from '../../policy/types.ts';
import { observedWatch } from '../observed-watch.ts';
import type { ReconcilerContext } from '../reconciler.ts';
import { secretsPath, withDockerConfig, type SecretObject } from '../secrets/seen-secret.ts';
import { openTokenSource } from '../secrets/token-source.ts';

export interface RegistryCredentials {
  /** Null until they are read for the first time. */
  readonly keyring: () => Keyring | null;
  /** For people; null when nothing is wrong. A Secret that does not exist is no problem: the registry may be open. */
  readonly problem: () => string | null;
  readonly close: () => Promise<void>;
}

/** Names of the Secrets that hold them; none for the token of a cloud, which the controller requests itself. */
export function secretsOf({ credentials, pullSecrets }: Pick<RegistryPolicy, 'credentials' | 'pullSecrets'>): readonly string[] {
  if (credentials === undefined) return pullSecrets;
  return 'secret' in credentials ? [credentials.secret] : [];
}

/** @param changed called with each new content */
export function openCredentials(
  context: ReconcilerContext,
  registry: string,
  policy: RegistryPolicy,
  changed: () => void,
): RegistryCredentials {
  const { credentials, host } = policy;
  if (credentials !== undefined && 'provider' in credentials) return ofCloud(context, { registry, settings: credentials, host }, changed);
  return ofSecrets(context, secretsOf(policy), changed);
}

function ofCloud(context: ReconcilerContext, options: Parameters<typeof openTokenSource>[1], changed: () => void): RegistryCredentials {
  const source = openTokenSource(context, options, changed);
  return {
    keyring: () => {
      const content = source.content();
      return content === null ? null : new Keyring(read({ type: dockerConfigType, data: { [dockerConfigKey]: content.encoded } }).entries);
    },
    problem: source.problem,
    close: source.close,
  };
}

function ofSecrets(context: ReconcilerContext, names: readonly string[], changed: () => void): RegistryCredentials {
  const { namespace } = context.options;
  const watches = names.map((name) =>
    observedWatch<SecretObject>(context, `secret:${name}`, {
      path: secretsPath(namespace),
      fieldSelector: `metadata.name=${name}`,
      project: withDockerConfig,
      onEvent: changed,
    }),
  );
  const readings = (): Reading[] => watches.flatMap((watch) => watch.list().map(read));
  return {
    keyring: () => (watches.every(({ isSynced }) => isSynced) ? new Keyring(readings().flatMap(({ entries }) => entries)) : null),
    problem: () => {
      const unreadable = readings().find(({ problem }) => problem !== null);
      return unreadable === undefined ? null : `Secret ${namespace}/${unreadable.name} ${unreadable.problem}`;
    },
    close: async () => void (await Promise.all(watches.map((watch) => watch.close()))),
  };
}

interface Reading {
  /** Of the Secret. */
  readonly name: string;
  readonly entries: readonly PullSecretEntry[];
  readonly problem: string | null;
}

function read(secret: SecretObject): Reading {
  const reading = readPullSecret(secret);
  const name = secret.metadata?.name ?? '';
  return reading.result === 'read' ? { name, entries: reading.entries, problem: null } : { name, entries: [], problem: reading.problem };
}
