/** What becomes of log lines between pino and the file. */
import { test } from 'tap';
import { GatheredLines } from '../../src/observe/gathered-lines.ts';
import { until } from '../server/until.ts';

function gathering(): { readonly lines: GatheredLines; readonly calls: string[] } {
  const calls: string[] = [];
  const lines = new GatheredLines({
    inBackground: { write: (text) => calls.push(`in the background: ${text}`), flushSync: () => calls.push('all from the background') },
    atOnce: { write: (text) => calls.push(`at once: ${text}`) },
  });
  return { lines, calls };
}

test('few lines wait for each other, and not for ever', async (t) => {
  const { lines, calls } = gathering();
  for (const line of ['a\n', 'b\n', 'c\n']) lines.write(line);
  t.same(calls, []);
  await until('they are passed on', async () => calls.length > 0);
  t.same(calls, ['in the background: a\nb\nc\n']);
  lines.write('d\n');
  await until('a later one too', async () => calls.length > 1);
  t.equal(calls[1], 'in the background: d\n');
});

test('many lines do not wait, and none is passed on twice', async (t) => {
  const { lines, calls } = gathering();
  const line = `${'x'.repeat(1023)}\n`;
  for (let n = 0; n < 33; n += 1) lines.write(line);
  t.same(calls, [`in the background: ${line.repeat(32)}`]);
  lines.flushSync();
  t.same(calls.slice(1), ['all from the background', `at once: ${line}`]);
  await new Promise((resolve) => setTimeout(resolve, 150));
  t.equal(calls.length, 3, 'the timer of what was written by then is gone');
});

test('nothing is written when nothing was logged: an idle server was once woken ten times a second for it', async (t) => {
  const { lines, calls } = gathering();
  await new Promise((resolve) => setTimeout(resolve, 250));
  t.same(calls, []);
  lines.flushSync();
  t.same(calls, ['all from the background']);
});
