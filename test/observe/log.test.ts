/** The log as a process writes it: JSON lines on stderr, nothing on stdout. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { test } from 'tap';
import { logLevels } from '../../src/observe/log-levels.ts';
import { createLog } from '../../src/observe/log.ts';

const module = new URL('../../src/observe/log.ts', import.meta.url).href;

async function written(level: string): Promise<{ readonly stdout: string; readonly lines: Record<string, unknown>[] }> {
  const script = `const { createLog } = await import(${JSON.stringify(module)});
const log = createLog(${JSON.stringify(level)});
for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal']) log[level]({ n: 1 }, level);`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return {
    stdout,
    lines: stderr
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line)),
  };
}

test('a line has level, time, message and fields, and nothing about the machine', async (t) => {
  const { stdout, lines } = await written('info');
  t.equal(stdout, '');
  // What a level `fatal` or an exit finds on its way may arrive after it.
  t.same(lines.map(({ level }) => String(level)).toSorted(), ['error', 'fatal', 'info', 'warn']);
  for (const { time, ...line } of lines) {
    t.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    t.same(line, { level: line['level'], msg: line['level'], n: 1 });
  }
});

test('every level exists', (t) => {
  for (const level of logLevels) t.equal(createLog(level).level, level);
  t.end();
});

const endings = ['', 'process.exit(0)', 'process.exitCode = 3; throw new Error("of its own")'];

for (const ending of endings) {
  test(`every line is there, once, when the process ends by ${ending || 'itself'}`, async (t) => {
    const script = `const { createLog } = await import(${JSON.stringify(module)});
const log = createLog('info');
for (let n = 0; n < 2000; n += 1) log.info({ n }, 'é'.repeat(100));
${ending}`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'ignore', 'pipe'] });
    const lines = (await text(child.stderr)).split('\n').filter((line) => line.startsWith('{'));
    // In their order but for what an exit finds on its way.
    t.same(
      lines.map((line) => Number(JSON.parse(line).n)).toSorted((a, b) => a - b),
      Array.from({ length: 2000 }, (_value, n) => n),
    );
  });
}

const full = '/dev/full';

test(
  'a log on a full disk ends nothing, and keeps nothing from ending: it waited for ever',
  { skip: !existsSync(full) && full },
  async (t) => {
    const file = openSync(full, 'w');
    t.teardown(() => closeSync(file));
    const script = `const { createLog } = await import(${JSON.stringify(module)});
const log = createLog('info');
for (let n = 0; n < 5; n += 1) { log.info('line'); await new Promise((resolve) => setTimeout(resolve, 60)); }
log.fatal('last');
process.stdout.write('survived');`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', file] });
    t.teardown(() => child.kill('SIGKILL'));
    t.equal(await text(child.stdout!), 'survived');
    const [code] = child.exitCode === null ? await once(child, 'close') : [child.exitCode];
    t.equal(code, 0);
  },
);
