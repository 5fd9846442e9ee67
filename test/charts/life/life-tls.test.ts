/** From each tls.mode to each other under Helm 4. With tls.previousMode no pod fails or stays as written; without it Helm goes through all the same. */
import tap, { test } from 'tap';

import { skipReason } from '../../cluster/binaries.ts';
import { release, secretService } from '../chart.ts';
import { playCertManager } from './cert-manager.ts';
import { notRewritten } from './poller.ts';
import type { TlsMode } from './release.ts';
import { startLife } from './start.ts';

// Much longer than it takes: three of these at once on a busy machine must end by themselves.
tap.setTimeout(600_000);

const { namespace } = release;
const closed = { failurePolicy: 'Fail' };

test('modes of TLS', { skip: skipReason({ level: 3 }) }, async (group) => {
  const { plane, poller, kubectl, helm, apply, tls } = await startLife(group, 'helm');
  await playCertManager(group, plane, namespace);
  await apply('install', closed);
  await poller.until('rewritten');

  await group.test('from each tls.mode to each other, with tls.previousMode', async (t) => {
    const modes: readonly TlsMode[] = ['controller', 'secret', 'certManager', 'controller', 'certManager', 'secret', 'controller'];
    for (const [index, mode] of modes.entries()) {
      const previousMode = modes[index - 1];
      const says = `${previousMode ?? 'Fail'} to ${mode}`;
      t.same(notRewritten(await poller.during(() => apply('upgrade', tls(mode, previousMode)))), [], says);
    }
    t.same(notRewritten(await poller.during(() => apply('upgrade', closed))), [], 'and the last one alone');
    t.same(
      (
        await kubectl(
          'get',
          'mutatingwebhookconfiguration,service',
          '-n',
          namespace,
          '-l',
          'app.kubernetes.io/component=webhook',
          '-o',
          'name',
        )
      )
        .trim()
        .split('\n'),
      ['mutatingwebhookconfiguration.admissionregistration.k8s.io/transship', 'service/transship'],
      'nothing of another mode is left',
    );
  });

  await group.test('from mode to mode at once: pods stay as written for a while, but Helm goes through, and back', async (t) => {
    await apply('upgrade', tls('secret'));
    await poller.until('rewritten');
    await apply('upgrade', tls('certManager'));
    await poller.until('rewritten');
    await helm('rollback', '--wait');
    await poller.until('rewritten');
    t.match(
      await kubectl('get', 'mutatingwebhookconfiguration', '-o', 'name'),
      secretService,
      'a rollback to secret: it once failed, half applied',
    );
    await apply('upgrade', closed);
    await poller.until('rewritten');
  });

  group.comment(`${poller.pods.length} pods polled`);
});
