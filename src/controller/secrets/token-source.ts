/** Credentials that are a cloud's token, renewed before it expires. */
import { describeError } from '../../cluster/api-error.ts';
import { Backoff } from '../../cluster/backoff.ts';
import { createCloudProvider } from '../../registry/clouds.ts';
import type { CloudCredentialsPolicy } from '../../registry/cloud.ts';
import type { CredentialProvider } from '../../registry/credentials.ts';
import { dockerConfigJson } from '../../registry/docker-config.ts';
import { keepFresh } from '../../registry/refresh.ts';
import { contentOf } from './copy.ts';
import { LatestContent, type CredentialSource } from './credential-source.ts';
import { recordLeaseEvent } from './lease-events.ts';
import type { ReconcilerContext } from '../reconciler.ts';

/** Back-off of failed requests, in milliseconds. */
const requestBackoff = { minDelay: 5_000, maxDelay: 5 * 60_000 };

export interface TokenSourceOptions {
  readonly registry: string;
  readonly settings: CloudCredentialsPolicy;
  /** Host of the registry in the policy, with or without a path; undefined where it has none. */
  readonly host: string | undefined;
}

/** @param changed called with each new token */
export function openTokenSource(
  context: ReconcilerContext,
  { registry, settings, host }: TokenSourceOptions,
  changed: () => void,
): CredentialSource {
  const latest = new LatestContent(registry, context.log, changed);
  let isReady = false;
  let problem: string | null = 'no token has been fetched yet';

  const failed = (error: unknown, details: object): void => {
    const effect =
      latest.get() === null
        ? `no token yet; pods get no credentials of registry ${registry}`
        : 'no new token; the last one stays in use until it expires';
    const reason = describeError(error);
    isReady = false;
    problem = `${effect}: ${reason}`;
    context.log.warn({ registry, reason, ...details }, effect);
    recordLeaseEvent(context, { reason: 'TokenUnavailable', message: problem, action: 'RequestToken' });
  };

  let provider: CredentialProvider;
  try {
    provider = createCloudProvider(settings, host);
  } catch (error) {
    failed(error, {});
    return { content: () => null, isReady: () => false, problem: () => problem, close: async () => {} };
  }
  const refresher = keepFresh(provider, {
    backoff: new Backoff(requestBackoff),
    onCredential: (entries) => {
      latest.set(contentOf(Buffer.from(dockerConfigJson(entries)).toString('base64')));
      isReady = true;
      problem = null;
    },
    onFailure: ({ error, failures, retryIn }) => failed(error, { failures, retryInSeconds: Math.round(retryIn / 1000) }),
  });
  return {
    content: () => latest.get(),
    isReady: () => isReady,
    problem: () => problem,
    status: refresher.status,
    close: refresher.stop,
  };
}
