/** Files that change in every way a mounted file can, and the noise beside them. */
import { writeFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type Test } from 'tap';
import { watchFiles } from '../../src/files/watch.ts';
import { until } from '../server/until.ts';
import { mounted } from './mounted.ts';

function counting(t: Test, paths: readonly string[]): { readonly looks: () => number } {
  let looks = 0;
  const watch = watchFiles(paths, async () => {
    looks += 1;
  });
  t.teardown(() => watch.close());
  return { looks: () => looks };
}

const changes: readonly (readonly [name: string, change: (path: string) => Promise<void>])[] = [
  ['written again', async (path) => await writeFile(path, 'new')],
  [
    'renamed over',
    async (path) => {
      await writeFile(`${path}.tmp`, 'new');
      await rename(`${path}.tmp`, path);
    },
  ],
  ['removed', async (path) => await rm(path)],
];

for (const [name, change] of changes) {
  test(`a file that is ${name}`, async (t) => {
    const path = join(t.testdir({ file: 'old' }), 'file');
    const { looks } = counting(t, [path]);
    await change(path);
    await until('it is looked at', () => looks() > 0);
  });
}

test('a volume swapped by the kubelet', async (t) => {
  const files = await mounted(t.testdir({}), { file: 'old' });
  const { looks } = counting(t, [files.path('file')]);
  for (const content of ['new', 'newer']) {
    const before = looks();
    await files.swap({ file: content });
    await until('it is looked at', () => looks() > before);
  }
});

test('files of two folders, and a folder that is not there', async (t) => {
  const folder = t.testdir({ one: { file: '' }, two: { file: '' } });
  const { looks } = counting(t, [join(folder, 'one/file'), join(folder, 'two/file'), join(folder, 'gone/file')]);
  await writeFile(join(folder, 'two/file'), 'new');
  await until('it is looked at', () => looks() > 0);
});

test('a burst is one look', async (t) => {
  const folder = t.testdir({ one: '', other: '' });
  const { looks } = counting(t, [join(folder, 'one')]);
  // Without a wait, or on a busy machine it is no burst; in turn, or the kernel makes one event of all.
  for (let n = 0; n < 20; n += 1) for (const name of ['one', 'other']) writeFileSync(join(folder, name), String(n));
  await until('it is looked at', () => looks() > 0);
  t.ok(looks() < 5, `${looks()} looks at 40 changes`);
});

test('a folder that never rests is looked at all the same: a busy neighbour once put the look off for ever', async (t) => {
  const folder = t.testdir({ file: '' });
  const { looks } = counting(t, [join(folder, 'file')]);
  const over = new AbortController();
  const noise = (async () => {
    for (let n = 0; !over.signal.aborted; n += 1) {
      await writeFile(join(folder, 'neighbour'), String(n));
      await sleep(20);
    }
  })();
  await until('it is looked at twice', () => looks() > 1);
  over.abort();
  await noise;
});

test('looks do not overlap', async (t) => {
  const path = join(t.testdir({ file: '' }), 'file');
  let running = 0;
  let most = 0;
  let looks = 0;
  const watch = watchFiles([path], async () => {
    running += 1;
    most = Math.max(most, running);
    await sleep(300);
    running -= 1;
    looks += 1;
  });
  t.teardown(() => watch.close());
  let written = 0;
  await until('it is looked at twice while it changes', async () => {
    await writeFile(path, String((written += 1)));
    return looks > 1;
  });
  t.equal(most, 1);
});

test('nothing is looked at after close', async (t) => {
  const path = join(t.testdir({ file: '' }), 'file');
  let looks = 0;
  const watch = watchFiles([path], async () => {
    looks += 1;
  });
  await writeFile(path, 'new');
  watch.close();
  const before = looks;
  const other = counting(t, [path]);
  await writeFile(path, 'newer');
  await until('somebody else has looked', () => other.looks() > 0);
  t.equal(looks, before);
});
