/** From the last released chart to this checkout's, and from a registry, with pods that are created all the time. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import tap, { test } from 'tap';

import { loadPolicy } from '../../../src/config/load.ts';
import { skipReason } from '../../cluster/binaries.ts';
import { command } from '../../cluster/commands.ts';
import { skipWithoutRegistry, startRegistry } from '../../cluster/registry.ts';
import { chartFolder } from '../chart.ts';
import { notRewritten } from './poller.ts';
import { startLife } from './start.ts';

// Much longer than it takes: some of these at once on a busy machine must end by themselves.
tap.setTimeout(600_000);

const released = fileURLToPath(new URL('../released/', import.meta.url));
const closed = { failurePolicy: 'Fail' };
const [lastChart = ''] = readdirSync(released)
  .filter((file) => /^transship-.*\.tgz$/.test(file))
  .toSorted((a, b) => b.localeCompare(a, 'en', { numeric: true }));

for (const program of ['helm', 'helm3'] as const) {
  test(`an upgrade from ${lastChart} under ${program}, and back`, { skip: skipReason({ level: 3 }) }, async (t) => {
    const { poller, apply, helm, use } = await startLife(t, program);
    use(join(released, lastChart));
    await apply('install', {});
    await poller.until('rewritten');
    t.same(notRewritten(await poller.during(() => apply('upgrade', closed))), [], 'Ignore to Fail');
    use(chartFolder);
    t.same(notRewritten(await poller.during(() => apply('upgrade', closed))), [], 'to the chart of this checkout');
    t.same(notRewritten(await poller.during(() => helm('rollback', '--wait'))), [], 'a rollback');
  });

  test(`an install from a registry under ${program}`, { skip: skipReason({ level: 3 }) || skipWithoutRegistry() }, async (t) => {
    const { plane, poller, apply, helm, use } = await startLife(t, program);
    const registry = await startRegistry(t);
    const run = command(program, plane.environment);
    await run(['package', chartFolder, '--destination', plane.folder]);
    const archive = readdirSync(plane.folder).find((file) => /^transship-.*\.tgz$/.test(file)) ?? '';
    await run(['push', join(plane.folder, archive), `oci://${registry}/charts`, '--plain-http']);
    use(`oci://${registry}/charts/transship`);
    const version = ['--plain-http', '--version', archive.replace(/^transship-|\.tgz$/g, '')];
    await apply('install', closed, ...version);
    await poller.until('rewritten');
    t.same(notRewritten(await poller.during(() => apply('upgrade', { ...closed, logLevel: 'debug' }, ...version))), [], 'an upgrade');
    await t.rejects(apply('upgrade', closed, '--plain-http', '--version', '99.0.0'), /99\.0\.0/, 'a version that is not there');
    await poller.until('rewritten');
    await apply('upgrade', {}, ...version);
    await helm('uninstall', '--wait');
  });
}

test('policy files of the last release load unchanged, and their tests pass', async (t) => {
  const folder = t.testdir();
  const archive = readdirSync(released).find((file) => file.startsWith('examples-')) ?? '';
  mkdirSync(join(folder, 'examples'));
  execFileSync('tar', ['-xzf', join(released, archive), '-C', join(folder, 'examples')]);
  const files = readdirSync(join(folder, 'examples')).filter((file) => file.endsWith('.yaml'));
  t.ok(files.length > 8, files.join(' '));
  for (const file of files) {
    const { compiled, findings } = loadPolicy(readFileSync(join(folder, 'examples', file), 'utf8'), file);
    t.not(compiled, null, file);
    t.strictSame(findings, [], `${file}: neither an error nor a failed test nor a warning that is new`);
  }
});
