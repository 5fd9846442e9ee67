/** The token of a cloud, requested by the controller itself: there is no Secret to read. */
import { test } from 'tap';

import type { ReconcilerContext } from '../../../src/controller/reconciler.ts';
import { openCredentials } from '../../../src/controller/verify/registry-credentials.ts';
import { createLog } from '../../../src/observe/log.ts';
import { setEnvironment, startLoopback } from '../../registry/loopback.ts';
import { until } from '../../server/until.ts';

const host = '111122223333.dkr.ecr.eu-west-1.amazonaws.com';

test('the credentials of a cloud are its token', async (t) => {
  const { origin } = await startLoopback(t, () => ({
    body: JSON.stringify({
      authorizationData: [
        {
          authorizationToken: Buffer.from('AWS:token').toString('base64'),
          expiresAt: Math.floor(Date.now() / 1000) + 3600,
          proxyEndpoint: `https://${host}`,
        },
      ],
    }),
    headers: { 'content-type': 'application/x-amz-json-1.1' },
  }));
  setEnvironment(t, {
    AWS_ACCESS_KEY_ID: 'AKIATEST',
    AWS_SECRET_ACCESS_KEY: 'none',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL_ECR: origin,
  });
  // Without a failure nothing else of it is used.
  const context = { log: createLog('silent') } as ReconcilerContext;
  let changes = 0;
  const policy = { host, pullSecrets: ['ecr'], credentials: { provider: 'ecr', region: 'eu-west-1' }, verify: true } as const;
  const credentials = openCredentials(context, 'cloud', policy, () => (changes += 1));
  t.teardown(() => credentials.close());
  t.equal(credentials.keyring(), null, 'nothing is asked before');
  await until('a token', () => changes === 1);
  t.match(credentials.keyring()?.lookup(`${host}/team/app`), [{ username: 'AWS', password: 'token' }]);
  t.equal(credentials.problem(), null);
});
