/** etcd is restored from a backup under a running release: everything is older than the processes know, and comes right by itself. */
import tap, { test } from 'tap';

import { skipReason } from '../../cluster/binaries.ts';
import { release } from '../chart.ts';
import { eventually } from '../installed.ts';
import { backUpEtcd, restoreEtcd } from './etcd.ts';
import { notRewritten } from './poller.ts';
import { startLife } from './start.ts';

// Much longer than it takes: a busy machine must end it by itself.
tap.setTimeout(600_000);

const { namespace } = release;
const closed = { failurePolicy: 'Fail' };

test('a restored etcd', { skip: skipReason({ level: 3 }) }, async (t) => {
  const { plane, poller, kubectl, helm, apply } = await startLife(t, 'helm');
  const certificate = () => kubectl('-n', namespace, 'get', 'secret', 'transship-tls', '-o', 'jsonpath={.data.tls\\.crt}');
  await apply('install', closed);
  await poller.until('rewritten');
  const first = await certificate();
  const backup = await backUpEtcd(plane);
  await poller.until('rewritten');

  // What the backup does not know: another CA, another revision of the release.
  await kubectl('-n', namespace, 'delete', 'secret', 'transship-tls-ca');
  await eventually('another CA has signed', async () => ![first, ''].includes(await certificate()), 60_000);
  await apply('upgrade', { ...closed, logLevel: 'debug' });
  t.match(await helm('history'), /^2\s/m);

  await restoreEtcd(plane, backup);
  t.notMatch(await helm('history'), /^2\s/m, 'the release is as it was');
  await poller.until('rewritten', 120_000);
  t.pass('pods are rewritten again, and nobody has touched transship');
  t.equal(await certificate(), first, 'by the certificate of the backup');
  t.same(notRewritten(await poller.during(() => apply('upgrade', { ...closed, logLevel: 'warn' }))), [], 'and an upgrade goes through');
});
