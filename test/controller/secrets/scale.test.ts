/** Many namespaces on a real API server: how long, how many requests, nothing in steady state, and how much memory. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { test } from 'tap';

import { skipReason } from '../../cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import { atRest, requestsOf } from '../requests.ts';
import {
  createNamespace,
  createSecret,
  dockerConfig,
  eventually,
  metric,
  mirrorPolicy,
  plainNode,
  releaseNamespace,
  runController,
  secretPath,
  setConfig,
  whenReady,
} from '../controllers.ts';

const present = 'transship_controller_copies{registry="mirror",state="present"}';
const updates = 'transship_controller_writes_total{kind="secret",verb="update",result="done"}';
/** Each look makes the text of all metrics anew, which would be most of the memory. */
const rarely = { interval: 500 };

test('many namespaces', { skip: skipReason({ level: 1, helm: false }) }, async (whole) => {
  const plane = await startControlPlane(whole);
  await createNamespace(plane, releaseNamespace);
  await createSecret(plane, { namespace: releaseNamespace, name: 'mirror-source', config: dockerConfig('one') });
  await createNamespaces(plane, 0, 200);

  await whole.test('200: within 20 s, with fewer than 3 requests each', async (t) => {
    const before = await requestsOf(plane);
    const begin = performance.now();
    const controller = await runController(plane, { policy: mirrorPolicy });
    await eventually('200 copies', async () => (await metric(controller, present)) === 200);
    t.comment(`200 namespaces from the start of the process: ${((performance.now() - begin) / 1000).toFixed(2)} s`);
    const after = await requestsOf(plane);
    const requests = (verb: string): number => (after.secrets[verb] ?? 0) - (before.secrets[verb] ?? 0);
    t.equal(requests('POST'), 200);
    t.equal(requests('APPLY') + requests('PATCH') + requests('DELETE') + requests('GET'), 0);
    t.ok(after.writes - before.writes <= 200, `${after.writes - before.writes} writes`);
    t.equal(await controller.stop(), 0);
  });

  const controller = await runController(plane, { policy: mirrorPolicy, program: await build(plane.folder) });
  await whenReady(controller);
  await whole.test('steady state writes nothing, also after a restart', async (t) => {
    await eventually('all seen', async () => (await metric(controller, present)) === 200, rarely);
    await t.resolves(atRest(plane));
    t.equal(await metric(controller, 'transship_controller_writes_total{kind="secret",verb="create",result="done"}'), undefined);
  });

  await whole.test('a source that changes is one request a namespace', async (t) => {
    const before = await requestsOf(plane);
    await setConfig(plane, secretPath(releaseNamespace, 'mirror-source'), dockerConfig('two'));
    const milliseconds = await eventually('200 updates', async () => (await metric(controller, updates)) === 200, { interval: 100 });
    t.comment(`200 copies follow an edited source: ${(milliseconds / 1000).toFixed(2)} s`);
    const after = await requestsOf(plane);
    t.equal((after.secrets['PATCH'] ?? 0) - (before.secrets['PATCH'] ?? 0), 1 + 200, 'and the one that edited the source');
  });

  await whole.test('1,000 within 150 MiB, as built for the image', async (t) => {
    await createNamespaces(plane, 200, 1_000);
    await eventually('1,000 copies', async () => (await metric(controller, present)) === 1_000, rarely);
    await setConfig(plane, secretPath(releaseNamespace, 'mirror-source'), dockerConfig('three'));
    await eventually('1,000 updates', async () => (await metric(controller, updates)) === 1_200, rarely);
    const mebibytes = ((await metric(controller, 'process_resident_memory_bytes')) ?? Number.NaN) / 2 ** 20;
    t.comment(`resident with 1,000 namespaces: ${mebibytes.toFixed(0)} MiB`);
    t.ok(mebibytes < 150, `${mebibytes.toFixed(0)} MiB`);
    t.equal(await controller.stop(), 0);
  });
});

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What the image runs. Resolves to its main file. */
async function build(folder: string): Promise<string> {
  const bundle = join(folder, 'dist/bundle');
  const [command = '', ...words] = plainNode;
  await promisify(execFile)(command, [...words, join(root, 'tools/bundle/bundle.ts'), bundle]);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  return join(bundle, 'main.js');
}

/** Some at once: one after the other would be most of the test's time. */
async function createNamespaces(plane: ControlPlane, from: number, to: number): Promise<void> {
  const numbers = Array.from({ length: to - from }, (_, index) => from + index);
  const next = async (): Promise<void> => {
    for (let number = numbers.pop(); number !== undefined; number = numbers.pop())
      await createNamespace(plane, `many-${number}`, { 'transship.dev/rewrite': 'enabled' });
  };
  await Promise.all(Array.from({ length: 8 }, next));
}
