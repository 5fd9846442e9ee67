/** What people, restores and GitOps do to the objects of a certificate, with the garbage collector on: nothing is lost, nothing waits in silence, and Helm can go on. */
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type Test } from 'tap';

import type { EventsV1Event, V1Secret } from '@kubernetes/client-node';

import { createCa } from '../../../src/tls/certificate.ts';
import { caCertificatesIn } from '../../../src/tls/trust.ts';
import { skipReason } from '../../cluster/binaries.ts';
import type { ControlPlane } from '../../cluster/control-plane.ts';
import {
  change,
  createNamespace,
  eventually,
  linesOf,
  releaseNamespace,
  remove,
  succeed,
  whenReady,
  type Running,
} from '../controllers.ts';
import {
  bundlesOf,
  caPath,
  configurations,
  contentOf,
  createConfiguration,
  day,
  emptyBundle,
  run,
  signersOf,
  started,
  tlsPath,
  versionsOf,
} from './cluster.ts';

/** As the chart renders them. */
const rendered = ['transship-tls', 'transship-tls-ca'].map((name) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: releaseNamespace, labels: { 'app.kubernetes.io/managed-by': 'Helm' } },
  type: 'Opaque',
}));

/** As Helm 4 does: server-side apply, and a conflict is an error. Resolves to what was wrong. */
async function upgrade(plane: ControlPlane): Promise<string[]> {
  const answers = await Promise.all(
    rendered.map((secret) =>
      plane.api.send<{ message?: string }>(
        'PATCH',
        `/api/v1/namespaces/${releaseNamespace}/secrets/${secret.metadata.name}?fieldManager=helm`,
        secret,
        'application/apply-patch+yaml',
      ),
    ),
  );
  return answers.filter(({ status }) => status >= 300).map(({ body }) => String(body.message));
}

async function reasonsOf(plane: ControlPlane): Promise<string[]> {
  const { items } = await succeed<{ items: EventsV1Event[] }>(plane, 'GET', `/apis/events.k8s.io/v1/namespaces/${releaseNamespace}/events`);
  return items.map(({ reason }) => reason ?? '');
}

const fetchCert = async (plane: ControlPlane): Promise<string> => (await contentOf(plane, tlsPath))?.['tls.crt'] ?? '';

/** What a poll of the certificate and its trust found wrong until it was stopped. */
function poll(plane: ControlPlane): () => Promise<string[]> {
  const faults = new Set<string>();
  const ending = new AbortController();
  const work = (async () => {
    while (!ending.signal.aborted) {
      if ((await fetchCert(plane)) === '') faults.add('no certificate');
      else if ((await signersOf(plane).catch(() => [0])).some((count) => count !== 1)) faults.add('not trusted');
      await sleep(10);
    }
  })();
  return async () => {
    ending.abort();
    await work;
    return [...faults];
  };
}

/** Anything that waits for these is not done in the time of a test. */
const longDelays = ['--bundle-delay=600s', '--reload-delay=600s'];

async function restarted(plane: ControlPlane, controller: Running, ...args: string[]): Promise<Running> {
  await controller.stop();
  return run(plane, ...args);
}

test('certificates that are lost', { skip: skipReason({ level: 2 }) }, async (group) => {
  const plane = await started(group, { level: 2 });
  await createConfiguration(plane, 'transship');
  let controller = await run(plane, '--bundle-delay=2s', '--reload-delay=2s');

  await group.test('the first installation is no loss: Secrets that the chart rendered empty are filled in', async (t) => {
    t.same(await upgrade(plane), []);
    await whenReady(controller);
    t.same(await upgrade(plane), [], 'and the next upgrade meets no conflict');
    t.same(
      (await reasonsOf(plane)).filter((reason) => reason === 'CertificateMissing'),
      [],
    );
  });

  await group.test(
    'manual rotation, by deleting the CA, once took the certificate away and waited without one; the next upgrade failed',
    async (t) => {
      const before = await fetchCert(plane);
      const ended = poll(plane);
      await remove(plane, caPath);
      await eventually('there is a new certificate, and the old CA is gone', async () => {
        const [first = ''] = await bundlesOf(plane);
        return (await fetchCert(plane)) !== before && caCertificatesIn(first).length === 1;
      });
      // The garbage collector looks at what it has queued within a second.
      await sleep(2_000);
      t.same(await ended(), [], 'a certificate was there all the time, and trusted');
      t.same(await upgrade(plane), [], 'an upgrade meets no conflict');
      t.same(
        (await succeed<V1Secret>(plane, 'GET', caPath)).metadata?.labels,
        { 'app.kubernetes.io/managed-by': 'Helm' },
        'the labels are the chart’s again',
      );
      await whenReady(controller);
      t.match(
        linesOf(controller.log())
          .map(({ step }) => step)
          .filter(Boolean),
        ['create-ca', 'issue'],
      );
    },
  );

  await group.test(
    'a certificate that is lost in the middle of a rotation is made at once, also after a restart, and there is an event',
    async (t) => {
      controller = await restarted(plane, controller, ...longDelays, '--certificate-lifetime=2d');
      await whenReady(controller);
      await remove(plane, caPath);
      await eventually('the rotation waits', async () => (await controller.get('/readyz')).text.includes('a CA is being replaced'));
      t.match(await controller.get('/readyz'), { status: 200 }, 'everything is there while it waits');
      await remove(plane, tlsPath);
      await eventually('it is there', async () => (await fetchCert(plane)) !== '', { limit: 10_000 });
      t.same(await signersOf(plane), [1, 1]);
      await eventually('an event', async () => (await reasonsOf(plane)).includes('CertificateMissing'));

      await controller.kill();
      await remove(plane, tlsPath);
      await remove(plane, caPath);
      controller = await run(plane, ...longDelays, '--certificate-lifetime=2d');
      await whenReady(controller);
      t.same(await signersOf(plane), [1, 1]);
      t.same(
        (await bundlesOf(plane)).map((bundle) => caCertificatesIn(bundle).length > 1),
        [true, true],
        'what pods may still serve is trusted',
      );
    },
  );

  await group.test('while there is no certificate it is not ready, and says so', async (t) => {
    await plane.kubectl(['create', 'quota', 'none', '-n', releaseNamespace, '--hard=count/secrets=0']);
    await eventually('the quota counts', async () => {
      const { status } = await plane.api.send('POST', `/api/v1/namespaces/${releaseNamespace}/secrets?dryRun=All`, {
        metadata: { name: 'other' },
      });
      return status === 403;
    });
    await remove(plane, tlsPath);
    await eventually('it says so', async () => {
      const { status, text } = await controller.get('/readyz');
      return status === 503 && text.includes('Secret transship-tls contains no certificate') && text.includes('exceeded quota');
    });
    await plane.kubectl(['delete', 'quota', 'none', '-n', releaseNamespace]);
    await whenReady(controller);
    t.same(await signersOf(plane), [1, 1]);
  });

  await group.test('replaced as `kubectl replace --force` or a restore does it: both Secrets anew, and empty', async (t) => {
    const file = join(plane.folder, 'rendered.yaml');
    writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: rendered }));
    // It fails where the controller is faster than the second half of it.
    await plane.kubectl(['replace', '--force', '-f', file]).catch((error: unknown) => t.match(error, { stderr: /AlreadyExists/ }));
    await eventually('a certificate', async () => (await fetchCert(plane)) !== '');
    await whenReady(controller);
    t.same(await signersOf(plane), [1, 1]);
    t.same(await upgrade(plane), []);
  });

  await group.test(
    'everything emptied at once, as `helm upgrade --force-replace` does it: the pods’ certificate stays trusted',
    async (t) => {
      const old = new X509Certificate(await fetchCert(plane));
      for (const path of [tlsPath, caPath]) await change(plane, path, { data: null });
      for (const index of [0, 1])
        await plane.api.send(
          'PATCH',
          `${configurations}/transship`,
          [{ op: 'remove', path: `/webhooks/${index}/clientConfig/caBundle` }],
          'application/json-patch+json',
        );
      await eventually('a certificate', async () => (await fetchCert(plane)) !== '');
      await whenReady(controller);
      t.same(await signersOf(plane), [1, 1]);
      for (const bundle of await bundlesOf(plane)) {
        const cas = caCertificatesIn(bundle).map(({ pem }) => new X509Certificate(pem));
        t.ok(
          cas.some((ca) => old.verify(ca.publicKey)),
          'the CA of what the pods have',
        );
      }
    },
  );

  await group.test('shorter lifetimes take effect: once they waited for the old, longer ones to run out', async (t) => {
    controller = await restarted(
      plane,
      controller,
      '--bundle-delay=1s',
      '--reload-delay=1s',
      '--certificate-lifetime=1d',
      '--ca-lifetime=3d',
    );
    const daysLeft = async (path: string, key: string) =>
      Math.round((new X509Certificate((await contentOf(plane, path))?.[key] ?? '').validToDate.getTime() - Date.now()) / day);
    const ended = poll(plane);
    await eventually('both are short', async () => (await daysLeft(tlsPath, 'tls.crt')) === 1 && (await daysLeft(caPath, 'ca.crt')) === 3);
    await eventually('at rest', async () => {
      const ca = (await contentOf(plane, caPath))?.['ca.crt'];
      return [...(await bundlesOf(plane)), (await contentOf(plane, tlsPath))?.['ca.crt']].every((bundle) => bundle === ca);
    });
    t.same(await ended(), [], 'trusted all the time');
    const before = await versionsOf(plane);
    await sleep(2_000);
    t.same(await versionsOf(plane), before, 'and then there is nothing to do');
  });

  await group.test('a dispute is one event and a line in /readyz, and the writes become fewer', async (t) => {
    await eventually('it is told', async () => {
      await emptyBundle(plane);
      return (await controller.get('/readyz')).text.includes(
        'caBundle of MutatingWebhookConfiguration transship is repeatedly changed or deleted by another client',
      );
    });
    await eventually('an event', async () => (await reasonsOf(plane)).includes('WriteDisputed'));
    await emptyBundle(plane);
    await sleep(1_000);
    t.equal((await reasonsOf(plane)).filter((reason) => reason === 'WriteDisputed').length, 1);
    t.equal(await controller.stop(), 0);
  });

  await reinstalls(group, plane);
});

async function reinstalls(group: Test, plane: ControlPlane): Promise<void> {
  await group.test(
    'a namespace that was deleted and is there again: the bundle of the lost CA is still published, and nothing waits for it',
    async (t) => {
      await remove(plane, `/api/v1/namespaces/${releaseNamespace}`);
      await eventually('it is gone', async () => (await plane.api.send('GET', `/api/v1/namespaces/${releaseNamespace}`)).status === 404, {
        limit: 60_000,
      });
      await createNamespace(plane, releaseNamespace);
      const lost = await createCa('lost', { lifetime: day });
      const caBundle = Buffer.from(lost.cert).toString('base64');
      for (const index of [0, 1])
        await plane.api.send(
          'PATCH',
          `${configurations}/transship`,
          [{ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: caBundle }],
          'application/json-patch+json',
        );
      t.same(await upgrade(plane), []);
      const controller = await run(plane, ...longDelays, '--certificate-lifetime=2d');
      await whenReady(controller);
      t.same(await signersOf(plane), [1, 1]);
      await eventually('an event', async () => (await reasonsOf(plane)).includes('CertificateMissing'));
      t.equal(await controller.stop(), 0);
    },
  );
}
