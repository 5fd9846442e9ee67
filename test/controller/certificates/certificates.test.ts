import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';

import type { V1Secret } from '@kubernetes/client-node';

import { createCa, issueServing } from '../../../src/tls/certificate.ts';
import { caCertificatesIn } from '../../../src/tls/trust.ts';
import { skipReason } from '../../cluster/binaries.ts';
import { change, eventually, metric, releaseNamespace, remove, whenReady } from '../controllers.ts';
import {
  bundlesOf,
  caPath,
  configurationOf,
  configurations,
  contentOf,
  createConfiguration,
  day,
  emptyBundle,
  run,
  shortDelays,
  signersOf,
  started,
  stepsOf,
  tlsPath,
  versionsOf,
} from './cluster.ts';

test('certificates', { skip: skipReason({ level: 1 }) }, async (group) => {
  const plane = await started(group);
  let controller = await run(plane, ...shortDelays);

  group.test('nothing is written without a webhook configuration', async (t) => {
    await eventually('it says so', async () =>
      (await controller.get('/readyz')).text.includes('MutatingWebhookConfiguration transship does not exist'),
    );
    t.equal((await controller.get('/readyz')).status, 503);
    t.same([await contentOf(plane, tlsPath), await contentOf(plane, caPath)], [null, null]);
  });

  group.test('a pair, its CA apart, and the bundle in each entry of the one configuration', async (t) => {
    for (const name of ['transship', 'other']) await createConfiguration(plane, name);
    await whenReady(controller);
    const [pair, ca] = [await contentOf(plane, tlsPath), await contentOf(plane, caPath)];
    t.same(await bundlesOf(plane), [ca?.['ca.crt'], ca?.['ca.crt']]);
    t.same(await bundlesOf(plane, 'other'), ['', ''], 'another configuration');
    t.same(
      [Object.keys(pair ?? {}), Object.keys(ca ?? {})],
      [
        ['ca.crt', 'tls.crt', 'tls.key'],
        ['ca.crt', 'ca.key', 'previous.crt'],
      ],
    );
    t.equal(pair?.['ca.crt'], ca?.['ca.crt']);

    const leaf = new X509Certificate(pair?.['tls.crt'] ?? '');
    const names = ['.svc', '.svc.cluster.local', ''].map((end) => `transship.${releaseNamespace}${end}`);
    t.same(
      leaf.subjectAltName?.split(', '),
      [...names, 'transship'].map((name) => `DNS:${name}`),
    );
    t.equal(Math.round((leaf.validToDate.getTime() - Date.now()) / day), 90);
    t.equal(Math.round((new X509Certificate(ca?.['ca.crt'] ?? '').validToDate.getTime() - Date.now()) / day), 365);
    t.same(await signersOf(plane), [1, 1]);

    const { body } = await plane.api.send<V1Secret>('GET', tlsPath);
    t.match(body, { type: 'Opaque', metadata: { labels: undefined, ownerReferences: undefined } }, 'what the chart says of it is not ours');
    t.equal(
      await metric(controller, 'transship_controller_certificate_expiry_timestamp_seconds{certificate="serving"}'),
      leaf.validToDate.getTime() / 1000,
    );
  });

  group.test('of the configuration it owns the bundles alone', async (t) => {
    const fields = (await configurationOf(plane)).metadata?.managedFields?.find(({ manager }) => manager === 'transship-controller');
    const entry = { '.': {}, 'f:name': {}, 'f:clientConfig': { 'f:caBundle': {} } };
    const owned = { 'f:webhooks': { 'k:{"name":"one.transship.dev"}': entry, 'k:{"name":"two.transship.dev"}': entry } };
    t.same(fields?.fieldsV1, owned);
    t.equal((await configurationOf(plane)).webhooks?.[0]?.namespaceSelector?.matchLabels?.['nobody'], 'has-this');
  });

  group.test('nothing is written while nothing changes', async (t) => {
    const before = await versionsOf(plane);
    await sleep(1_500);
    t.same(await versionsOf(plane), before);
  });

  group.test('an emptied caBundle is set again, and not in a loop', async (t) => {
    const [before] = await bundlesOf(plane);
    await emptyBundle(plane);
    await eventually('it is there again', async () => (await bundlesOf(plane)).every((bundle) => bundle === before));
    const first = await stepsOf(controller, 'publish');
    const end = performance.now() + 4_000;
    while (performance.now() < end) {
      await emptyBundle(plane);
      await sleep(50);
    }
    // Two at once, the others after 1, 2 and 4 s, or later.
    const times = (await stepsOf(controller, 'publish')) - first;
    t.ok(times <= 5, `${times} times`);
    await eventually('it is there in the end', async () => (await bundlesOf(plane)).every((bundle) => bundle === before), {
      limit: 60_000,
    });
  });

  group.test('a lost pair is made anew by the same CA', async (t) => {
    const before = await bundlesOf(plane);
    await remove(plane, tlsPath);
    await eventually('it is there', async () => (await contentOf(plane, tlsPath)) !== null);
    t.same([await bundlesOf(plane), await signersOf(plane)], [before, [1, 1]]);
  });

  group.test('a lost CA stays trusted until the new one signs', async (t) => {
    const [before = ''] = await bundlesOf(plane);
    await remove(plane, caPath);
    await eventually('both are trusted', async () =>
      (await bundlesOf(plane)).every((bundle) => caCertificatesIn(bundle).length === 2 && bundle.endsWith(before)),
    );
    t.same(await signersOf(plane), [1, 1]);
    await eventually('the new one alone', async () =>
      (await bundlesOf(plane)).every((bundle) => caCertificatesIn(bundle).length === 1 && bundle !== before),
    );
    t.same(await signersOf(plane), [1, 1]);
    t.same([await stepsOf(controller, 'create-ca'), await stepsOf(controller, 'retire')], [2, 1], 'each step once');
  });

  group.test('a foreign pair is replaced, and its CA is trusted until then', async (t) => {
    const other = await createCa('another', { lifetime: day });
    const names = [`transship.${releaseNamespace}.svc`];
    const pair = await issueServing(other, names, { lifetime: day });
    const data = { 'tls.crt': pair.cert, 'tls.key': pair.key, 'ca.crt': other.cert };
    await change(plane, tlsPath, { stringData: data });
    const [adopted] = caCertificatesIn(other.cert);
    await eventually('it is trusted', async () =>
      (await bundlesOf(plane)).every((bundle) => caCertificatesIn(bundle).some(({ id }) => id === adopted?.id)),
    );
    t.same(await signersOf(plane), [1, 1]);
    await eventually('it is replaced', async () => (await bundlesOf(plane)).every((bundle) => caCertificatesIn(bundle).length === 1));
    t.not((await contentOf(plane, tlsPath))?.['tls.crt'], pair.cert);
    t.same(await signersOf(plane), [1, 1]);
  });

  group.test('a rotation goes on where a killed controller left it', async (t) => {
    const [before = ''] = await bundlesOf(plane);
    await controller.stop();
    // What is a third of this from its end, is due: everything there is.
    const longer = [...shortDelays, '--certificate-lifetime=1000d', '--ca-lifetime=4000d', '--bundle-delay=3s'];
    controller = await run(plane, ...longer);
    await eventually('both are trusted', async () => (await bundlesOf(plane)).every((bundle) => caCertificatesIn(bundle).length === 2));
    await controller.kill();
    const [during] = await bundlesOf(plane);
    controller = await run(plane, ...longer);
    const untrusted: number[][] = [];
    await eventually('the new one alone', async () => {
      const signers = await signersOf(plane);
      if (signers.some((count) => count !== 1)) untrusted.push(signers);
      return (await bundlesOf(plane)).every((bundle) => caCertificatesIn(bundle).length === 1);
    });
    t.same(untrusted, [], 'what was there to serve was trusted all the time');
    const [after = ''] = await bundlesOf(plane);
    t.equal(during, after + before, 'it is the CA of the first one');
  });

  group.test('what is taken away with the release is not made again', async (t) => {
    await remove(plane, `${configurations}/transship`);
    for (const secret of [caPath, tlsPath]) await remove(plane, secret);
    await eventually('it says what is missing', async () => (await controller.get('/readyz')).text.includes('does not exist'));
    await sleep(500);
    t.same([await contentOf(plane, tlsPath), await contentOf(plane, caPath)], [null, null]);
    t.equal(await controller.stop(), 0);
    t.notMatch(controller.log(), /PRIVATE KEY|LS0tLS1CRUdJTiB/, 'no key was logged');
  });
});
