import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test, type Test } from 'tap';

import { runningStill } from './leftovers.ts';
import { supervise, waitUntil, type Supervised } from './process.ts';

/** Runs a small Node program under supervision; its log names the test's own folder, which is how a leftover would be found. */
function start(t: Test, program: string): Supervised & { folder: string } {
  const folder = t.testdir();
  const args = ['--input-type=module', '--eval', program, folder];
  const child = supervise({ command: process.execPath, args, name: 'program', logFile: join(folder, 'log') });
  t.teardown(() => child.stop());
  return { ...child, folder };
}

const running = "console.log('running'); setInterval(() => {}, 1000);";

const endings = [
  { name: 'its exit code', program: 'process.exit(3)', code: 3 },
  { name: '0 at a normal end', program: '', code: 0 },
  { name: '128 + 15 when it ends itself by SIGTERM', program: `${running} process.kill(process.pid, 'SIGTERM')`, code: 143 },
];
for (const { name, program, code } of endings) {
  test(`the supervisor passes on ${name}`, async (t) => {
    t.equal(await start(t, program).ended, code);
  });
}

test('the log has stdout and stderr', async (t) => {
  const child = start(t, "console.log('to stdout'); console.error('to stderr')");
  await child.ended;
  t.equal(child.log(), 'to stdout\nto stderr\n');
});

test('stop kills, also what ignores SIGTERM', async (t) => {
  const child = start(t, `process.on('SIGTERM', () => {}); ${running}`);
  await waitUntil(child, 'first line', async () => child.log() === 'running\n');
  t.equal(await child.stop(), 137);
});

test('a gentle stop is a SIGTERM that the program may finish its work on', async (t) => {
  const child = start(t, `process.on('SIGTERM', () => setTimeout(() => { console.log('drained'); process.exit(0) }, 50)); ${running}`);
  await waitUntil(child, 'first line', async () => child.log() === 'running\n');
  t.equal(await child.stop({ gently: true }), 0);
  t.match(child.log(), /drained/);
});

test('waiting for a program that ends says so, with its last words', async (t) => {
  const child = start(t, "console.error('no such flag: --colour'); process.exit(1)");
  const waiting = waitUntil(child, '/readyz', async () => false);
  await t.rejects(waiting, { message: /program ended with 1 while waiting for \/readyz:\n.*no such flag: --colour/s });
});

test('waiting has an end', async (t) => {
  const child = start(t, running);
  const waiting = waitUntil(child, '/readyz', () => Promise.reject(new Error('ECONNREFUSED')), 100);
  await t.rejects(waiting, { message: /no \/readyz after 0.1 s/ });
});

test('a killed owner takes the program with it', async (t) => {
  const folder = t.testdir();
  const owner = `
    import { supervise } from ${JSON.stringify(new URL('process.ts', import.meta.url).href)}
    const folder = ${JSON.stringify(folder)}
    supervise({ command: process.execPath, args: ['-e', 'setInterval(() => {}, 1000)', folder], logFile: folder + '/log' })
    console.log('started')`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', owner], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  t.same(await runningStill(folder), []);
});
