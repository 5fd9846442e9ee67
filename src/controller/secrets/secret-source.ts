/** Credentials in a Secret of the release namespace, which is watched. */
import { describeError } from '../../cluster/api-error.ts';
import { recordEvent } from '../../cluster/events.ts';
import type { ResourceWatch } from '../../cluster/watch.ts';
import { readSourceSecret } from '../../registry/source-secret.ts';
import { contentOf } from './copy.ts';
import { secretsPath, withDockerConfig, type SecretObject } from './seen-secret.ts';
import { LatestContent, type CredentialSource } from './credential-source.ts';
import type { ReconcilerContext } from '../reconciler.ts';
import { observedWatch } from '../observed-watch.ts';

export interface SecretSourceOptions {
  readonly registry: string;
  /** Of the Secret. */
  readonly name: string;
  /** Host of the registry in the policy, with or without a path; undefined where it has none. */
  readonly host: string | undefined;
}

/** @param changed called with each new content */
export function openSecretSource(
  context: ReconcilerContext,
  { registry, name, host }: SecretSourceOptions,
  changed: () => void,
): CredentialSource {
  const { cluster, log, options } = context;
  const latest = new LatestContent(registry, log, changed);
  let isReady = false;
  // `kubectl describe` selects events by UID.
  let uid: string | undefined;
  let problem: string | null = 'the Secret has not been read yet';

  const warn = (reason: 'SourceUnreadable' | 'SourceMismatch', what: string, effect: string): void => {
    problem = `${what}; ${effect}`;
    log.warn({ registry, reason: what }, effect);
    const regarding = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { namespace: options.namespace, name, ...(uid !== undefined && { uid }) },
    };
    void recordEvent(cluster, { regarding, reason, message: `Registry ${registry}: ${problem}.`, type: 'Warning', action: 'ReadSource' });
  };
  const unreadable = (what: string): void => {
    isReady = false;
    warn(
      'SourceUnreadable',
      what,
      latest.get() === null ? 'pods get no credentials until it is corrected' : 'copies keep the last credentials',
    );
  };
  const read = (secret: SecretObject | undefined): void => {
    const key = `${options.namespace}/${name}`;
    uid = secret?.metadata?.uid;
    if (secret === undefined) return unreadable(`Secret ${key} does not exist; create it with \`kubectl create secret docker-registry\``);
    try {
      const { encoded, mismatch } = readSourceSecret(key, secret, host);
      isReady = true;
      problem = null;
      if (mismatch !== null) warn('SourceMismatch', mismatch, 'pods pull from this registry without credentials');
      latest.set(contentOf(encoded));
    } catch (error) {
      unreadable(describeError(error));
    }
  };

  const watch: ResourceWatch<SecretObject> = observedWatch<SecretObject>(context, `secret:${name}`, {
    path: secretsPath(options.namespace),
    fieldSelector: `metadata.name=${name}`,
    project: withDockerConfig,
    onEvent: (event) => {
      if (event.type === 'synced' && watch.list().length > 0) return;
      read(event.type === 'synced' || event.type === 'deleted' ? undefined : event.object);
    },
  });
  return { content: () => latest.get(), isReady: () => isReady, problem: () => problem, close: () => watch.close() };
}
