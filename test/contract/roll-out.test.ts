import { setTimeout as sleep } from 'node:timers/promises';
import tap, { test } from 'tap';

import type { V1Pod } from '@kubernetes/client-node';

import { release } from '../charts/chart.ts';
import { createDryRun, eventually, install, podsPath, podWith, type Installation } from '../charts/installed.ts';
import { labelled } from '../charts/opt-in.ts';
import { skipReason } from '../cluster/binaries.ts';
import { serve, type Serving } from '../cluster/serve.ts';
import { hubPolicy, imagesOf } from './running.ts';
import { startServiceProxy, type Address } from './service-proxy.ts';

const replacements = 20;
const creators = 4;
/** Milliseconds between two pods of one creator: the machine is to be busy, not starved. */
const pause = 40;
/** Seconds; the chart gives 10. */
const drain = 3;
/** Milliseconds for which a Service still leads to a pod that has got its SIGTERM: what the drain is for. */
const routesLag = 500;

const rewritten = 'mirror.example.com/library/nginx:1.27';

interface Backend {
  readonly address: Address;
  readonly serving: Serving;
}

/** Starts process after process, each on an address of its own as pods have one. */
function backends({ plane, certificate, address, service }: Installation): () => Promise<Backend> {
  let count = 0;
  return async () => {
    const host = plane.serviceCidr.replace(/\.0\.0\/17$/, `.200.${++count}`);
    const name = { service, namespace: release.namespace };
    const args = ['--namespace', release.namespace, '--drain-seconds', String(drain)];
    const serving = await serve(plane, { ...name, clusterIP: host, port: address.port, policy: hubPolicy, certificate, args });
    return { address: { host, port: address.port }, serving };
  };
}

interface Load {
  /** Resolves to what was created, and what became of those that were not created as they should be. */
  stop(): Promise<{ created: number; failed: string[] }>;
}

/** Creates pods one after the other, several at once. */
function createPods({ plane }: Installation): Load {
  const stopped = new AbortController();
  let created = 0;
  const failed: string[] = [];
  const one = async (): Promise<void> => {
    const { status, body } = await plane.api.send<V1Pod & { message?: string }>('POST', podsPath('shop'), podWith('nginx:1.27'));
    const image = status === 201 ? imagesOf(body)['main'] : undefined;
    if (image === rewritten) created++;
    else failed.push(`${status} ${image ?? body.message}`);
  };
  const all = Promise.all(
    Array.from({ length: creators }, async () => {
      while (!stopped.signal.aborted) {
        await one();
        await sleep(pause);
      }
    }),
  );
  return {
    stop: async () => {
      stopped.abort();
      await all;
      return { created, failed };
    },
  };
}

// As .taprc has it, also for this file run alone.
tap.setTimeout(120_000);

test('webhook pods behind a Service', { skip: skipReason({ level: 1 }) }, async (group) => {
  // Fail: one call that goes wrong is one pod that is not created.
  const installation = await install(group, { failurePolicy: 'Fail' });
  const { plane, address } = installation;
  const proxy = await startServiceProxy(group, address);
  const next = backends(installation);
  let ready = await Promise.all([next(), next()]);
  const route = () => proxy.route(ready.map((backend) => backend.address));
  route();
  await plane.createNamespace('shop', labelled('enabled'));
  await eventually(
    'the webhook is called',
    async () => imagesOf((await createDryRun(plane, 'shop', podWith('nginx:1.27'))).body)['main'] === rewritten,
  );

  await group.test('connections are kept and used again', async (t) => {
    const before = proxy.connections();
    for (let count = 0; count < 200; count++) await createDryRun(plane, 'shop', podWith('nginx:1.27'));
    t.ok(proxy.connections() - before <= 2, `${proxy.connections() - before} new connections for 200 pods`);
  });

  await group.test('every pod of the webhook is replaced, many times over, and no pod creation fails', async (t) => {
    const load = createPods(installation);
    const replaced: { serving: Serving; exit: Promise<number> }[] = [];
    let upcoming = next();
    for (let count = 1; count <= replacements; count++) {
      const fresh = await upcoming;
      if (count < replacements) upcoming = next();
      const [oldest, ...others] = ready;
      ready = [...others, fresh];
      proxy.route([oldest, ...ready].flatMap((backend) => (backend === undefined ? [] : [backend.address])));
      if (oldest !== undefined) replaced.push({ serving: oldest.serving, exit: oldest.serving.stop() });
      await sleep(routesLag);
      route();
    }
    const { created, failed } = await load.stop();
    const codes = await Promise.all(replaced.map(({ exit }) => exit));
    t.same(failed, []);
    t.same(
      codes,
      Array.from({ length: replacements }, () => 0),
      'each ended well by itself',
    );
    const reviewed = replaced.map(({ serving }) => serving.log().split('"msg":"review"').length - 1);
    const busy = reviewed.filter((count) => count > 0).length;
    t.ok(busy > replacements / 2, `${busy} of them were called`);
    t.ok(created > replacements, `${created} pods`);
    t.comment(`${replacements} replacements, ${created} pods created, ${failed.length} failed, ${proxy.connections()} connections`);
  });
});
