/** What becomes of log lines between pino and the file. */
import { mock } from 'node:test';
import { pino } from 'pino';
import { test, type Test } from 'tap';
import { BatchedLogStream } from '../../src/observe/batched-log-stream.ts';
import { hostileTexts, unsafeIn } from '../text/hostile.ts';

function gathering(): { readonly lines: BatchedLogStream; readonly calls: string[] } {
  const calls: string[] = [];
  const lines = new BatchedLogStream({
    async: { write: (text) => calls.push(`async: ${text}`), flushSync: () => calls.push('async flush') },
    sync: { write: (text) => calls.push(`sync: ${text}`) },
  });
  return { lines, calls };
}

/** A clock that moves only when it is told to: on a busy machine the time of waiting would be over between two lines. */
function clock(t: Test): (milliseconds: number) => void {
  mock.timers.enable({ apis: ['setTimeout'] });
  t.teardown(() => mock.timers.reset());
  return (milliseconds) => mock.timers.tick(milliseconds);
}

test('a lone line does not wait; those right behind it do, and not for ever', (t) => {
  const wait = clock(t);
  const { lines, calls } = gathering();
  for (const line of ['a\n', 'b\n', 'c\n']) lines.write(line);
  t.same(calls, ['async: a\n']);
  wait(100);
  lines.write('d\n');
  t.same(calls, ['async: a\n', 'async: b\nc\n'], 'each time of waiting is followed by another one');
  wait(100);
  t.same(calls.slice(2), ['async: d\n'], 'a later one too');
  wait(250);
  lines.write('e\n');
  t.same(calls.slice(2), ['async: d\n', 'async: e\n']);
  t.end();
});

test('many lines do not wait, and none is passed on twice', (t) => {
  const wait = clock(t);
  const { lines, calls } = gathering();
  const line = `${'x'.repeat(1023)}\n`;
  for (let n = 0; n < 34; n += 1) lines.write(line);
  t.same(calls, [`async: ${line}`, `async: ${line.repeat(32)}`]);
  lines.flushSync();
  t.same(calls.slice(2), ['async flush', `sync: ${line}`]);
  wait(150);
  t.equal(calls.length, 4);
  t.end();
});

test('nothing is written when nothing was logged: an idle server was once woken ten times a second for it', (t) => {
  const wait = clock(t);
  const { lines, calls } = gathering();
  wait(250);
  t.same(calls, []);
  lines.flushSync();
  t.same(calls, ['async flush']);
  t.end();
});

test('a name that a terminal would obey is escaped, and the line stays the same JSON', (t) => {
  for (const [name, text] of Object.entries(hostileTexts)) {
    const { lines, calls } = gathering();
    const logged = { image: text, [text]: 1, reason: 'é €' };
    pino({ base: null }, lines).warn(logged, text);
    const line = (calls[0] ?? '').replace('async: ', '');
    t.same(unsafeIn(line), [], name);
    t.match(JSON.parse(line), { image: text.toWellFormed() === text ? text : String, reason: 'é €' });
    t.ok(line.endsWith('}\n') && line.split('\n').length === 2, 'one line');
  }
  t.end();
});
