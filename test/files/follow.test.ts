/** Following files: new content once, failures once, and nothing after the end. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { followFiles } from '../../src/files/follow.ts';
import { until } from '../server/until.ts';

test('content and failures are reported once each, and rejected content may come again', async (t) => {
  const path = join(t.testdir({ file: 'first' }), 'file');
  const told: string[] = [];
  const put = async (text: string): Promise<void> => {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  };
  let refused: string | null = null;
  const watch = followFiles({
    paths: [path],
    read: async () => await readFile(path, 'utf8'),
    keyOf: (text) => text,
    current: 'first',
    changed: (text) => {
      if (text === refused) throw new Error(`no ${text}`);
      told.push(text);
    },
    failed: (error) => told.push(error instanceof Error ? error.message.replace(/,.*/, '') : String(error)),
    restored: (text) => told.push(`${text} again`),
  });
  t.teardown(() => watch.close());
  const says = async (...lines: string[]): Promise<void> => {
    await until(`${lines.at(-1)} is told`, () => told.length >= lines.length);
    t.same(told, lines);
  };
  await put('second');
  await says('second');
  await rm(path);
  await says('second', 'ENOENT: no such file or directory');
  const before = ['second', 'ENOENT: no such file or directory', 'second again'];
  await put('second');
  await says(...before);
  refused = 'third';
  await put('third');
  await says(...before, 'no third');
  await put('fourth');
  await says(...before, 'no third', 'fourth');
  // Not before: a second look at the third would find it accepted.
  refused = null;
  await put('third');
  await says(...before, 'no third', 'fourth', 'third');
  await put('fifth');
  watch.close();
  const { length } = told;
  await new Promise((resolve) => setTimeout(resolve, 700));
  t.equal(told.length, length, 'nothing after the end');
});
