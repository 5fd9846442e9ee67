/** The same life under Helm 3, whose upgrades are merge patches of the client and no server-side apply. */
import tap, { test } from 'tap';

import { binary, skipReason } from '../../cluster/binaries.ts';
import { release } from '../chart.ts';
import { eventually } from '../installed.ts';
import { notRewritten } from './poller.ts';
import { startLife } from './start.ts';

// Much longer than it takes: three of these at once on a busy machine must end by themselves.
tap.setTimeout(600_000);

const { namespace } = release;
const closed = { failurePolicy: 'Fail' };

test('the life of a release under Helm 3', { skip: skipReason({ level: 3 }) }, async (t) => {
  t.match(binary('helm3'), 'helm3');
  const { poller, kubectl, helm, apply, tls } = await startLife(t, 'helm3');
  await apply('install', closed);
  await poller.until('rewritten');
  const steps: readonly (readonly [says: string, step: () => Promise<unknown>])[] = [
    ['upgrade', () => apply('upgrade', { ...closed, logLevel: 'debug' })],
    ['rollback', () => helm('rollback', '--wait')],
    ['controller to secret', () => apply('upgrade', tls('secret', 'controller'))],
    ['and back', () => apply('upgrade', tls('controller', 'secret'))],
    ['the controller alone', () => apply('upgrade', closed)],
    [
      'rotation by hand',
      async () => {
        const certificate = () => kubectl('-n', namespace, 'get', 'secret', 'transship-tls', '-o', 'jsonpath={.data.tls\\.crt}');
        const before = await certificate();
        await kubectl('-n', namespace, 'delete', 'secret', 'transship-tls-ca');
        await eventually('another CA has signed', async () => ![before, ''].includes(await certificate()), 60_000);
      },
    ],
    ['an upgrade after it', () => apply('upgrade', { ...closed, logLevel: 'warn' })],
    ['a rollback after it', () => helm('rollback', '--wait')],
  ];
  for (const [says, step] of steps) t.same(notRewritten(await poller.during(step)), [], says);

  await apply('upgrade', {});
  await helm('uninstall', '--wait');
  await poller.until('as written');
  t.comment(
    `${poller.pods.length} pods polled, ${notRewritten(poller.pods).length} of them not rewritten: before the install and after the uninstall`,
  );
});
