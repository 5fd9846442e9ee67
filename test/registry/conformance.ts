/** What every provider of credentials must do, whatever the cloud: run against a server that behaves well and badly. */
import { inspect } from 'node:util';
import { test, type Test } from 'tap';
import type { CredentialProvider } from '../../src/registry/credentials.ts';
import { CredentialError } from '../../src/registry/errors.ts';
import type { CloudName } from '../../src/registry/cloud.ts';

/** How the server answers a request for a token. Bodies of errors hold `marker`, as do the tokens. */
export type Behaviour = 'good' | 'expired' | 'forbidden' | 'broken' | 'garbage' | 'empty' | 'reset' | 'hang';

export interface CloudUnderTest {
  readonly provider: CredentialProvider;
  readonly host: string;
  readonly username: string;
  /** Of a good token. */
  readonly lifeSeconds: number;
  readonly behave: (behaviour: Behaviour) => void;
  /** The newest token that was given out. */
  readonly password: () => string;
  /** Requests for a token so far. */
  readonly asked: () => number;
}

/** In whatever must not be seen. */
export const marker = 's3cr3t';

const failures: readonly { readonly behaviour: Behaviour; readonly codes: readonly string[] }[] = [
  { behaviour: 'expired', codes: ['TOKEN_EXPIRED'] },
  { behaviour: 'forbidden', codes: ['TOKEN_REFUSED'] },
  { behaviour: 'broken', codes: ['TOKEN_REFUSED'] },
  // An SDK may call an answer that it cannot use a failure of its own.
  { behaviour: 'garbage', codes: ['TOKEN_UNREADABLE', 'TOKEN_REFUSED'] },
  { behaviour: 'empty', codes: ['TOKEN_UNREADABLE', 'TOKEN_REFUSED'] },
  { behaviour: 'reset', codes: ['TOKEN_REFUSED'] },
];

export async function conforms(cloud: CloudName, start: (t: Test) => Promise<CloudUnderTest>): Promise<void> {
  await test(`${cloud}: a good token, and a new one each time`, async (t) => {
    const { provider, host, username, lifeSeconds, password, asked } = await start(t);
    t.equal(provider.name, cloud);
    for (const round of [1, 2]) {
      const entries = await provider.fetch(new AbortController().signal);
      const entry = entries.find((candidate) => candidate.host === host);
      t.match(entry?.credential, { username, password: password() }, `round ${round}`);
      const left = ((entry?.credential.expiresAt?.getTime() ?? 0) - Date.now()) / 1000;
      t.ok(left > lifeSeconds / 2 && left <= lifeSeconds, `the end is ${left} of ${lifeSeconds} seconds away`);
      t.equal(asked(), round);
    }
  });

  for (const { behaviour, codes } of failures) {
    await test(`${cloud}: ${behaviour}, then good again`, async (t) => {
      const { provider, host, behave, password } = await start(t);
      behave(behaviour);
      const error = await failureOf(provider, new AbortController().signal);
      t.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
      t.notMatch(inspect(error, { depth: 9, showHidden: true }), marker, 'no secret, however deep a log looks');
      t.ok(error.message.startsWith(`${cloud} `), 'the message names the cloud');
      behave('good');
      const entries = await provider.fetch(new AbortController().signal);
      t.equal(entries.find((entry) => entry.host === host)?.credential.password, password(), 'a failure is not remembered');
    });
  }

  await test(`${cloud}: ends when told to, though the server never answers`, async (t) => {
    const { provider, behave, asked } = await start(t);
    behave('hang');
    const stop = new AbortController();
    const failed = failureOf(provider, stop.signal);
    while (asked() === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    t.equal((await failed).code, 'TOKEN_TIMEOUT');
  });

  await test(`${cloud}: asks nobody when it is told to end before it began`, async (t) => {
    const { provider, asked } = await start(t);
    t.equal((await failureOf(provider, AbortSignal.abort())).code, 'TOKEN_TIMEOUT');
    t.equal(asked(), 0);
  });
}

export async function failureOf(provider: CredentialProvider, signal: AbortSignal): Promise<CredentialError> {
  try {
    await provider.fetch(signal);
  } catch (error) {
    if (error instanceof CredentialError) return error;
    throw new Error('not a CredentialError', { cause: error });
  }
  throw new Error('it did not fail');
}
