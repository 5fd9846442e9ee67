/**
 * Many clients that connect and say nothing. `TRANSSHIP_IDLE_CONNECTIONS=9000` opens as many as fit under a limit of 10,000 open
 * files and more; the default keeps the test short.
 */
import type { TLSSocket } from 'node:tls';
import { test } from 'tap';
import { pod, reviewOf } from '../builders/pod.ts';
import { sampleOf, serving } from '../cli/child.ts';
import { call, dial } from './call.ts';
import { until } from './until.ts';

const count = Number(process.env['TRANSSHIP_IDLE_CONNECTIONS'] ?? 200);
const atOnce = 20;
const review = reviewOf({ object: pod({ containers: { web: 'nginx:1.27' } }) });

test(`${count} idle connections are opened, cost little, and are given back`, { timeout: 600_000 }, async (t) => {
  const server = await serving(t, { args: ['--max-connections', String(count + 100)] });
  await call(server, { body: review });
  const before = { files: await sampleOf(server, 'process_open_fds'), memory: await sampleOf(server, 'process_resident_memory_bytes') };
  const open: TLSSocket[] = [];
  t.teardown(() => {
    for (const socket of open) socket.destroy();
  });
  const memory: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    while (open.length < count)
      open.push(...(await Promise.all(Array.from({ length: Math.min(atOnce, count - open.length) }, async () => await dial(server)))));
    const files = await sampleOf(server, 'process_open_fds');
    t.ok(files >= before.files + count, `${files} files`);
    memory.push(await sampleOf(server, 'process_resident_memory_bytes'));
    t.equal((await call(server, { body: review })).status, 200, 'and the server serves');
    for (const socket of open.splice(0)) socket.destroy();
    await until('all files are closed', async () => (await sampleOf(server, 'process_open_fds')) <= before.files + 5);
  }
  const [first = 0, , third = 0] = memory;
  const perConnection = (first - before.memory) / count;
  t.ok(perConnection < 256 * 1024, `${Math.round(perConnection / 1024)} KiB a connection`);
  // What V8 gives back and when is its own affair; what is used again and again must not grow.
  t.ok(third < 1.5 * first, `${mebibytes(first)} MiB in the first round, ${mebibytes(third)} MiB in the third`);
  t.comment(
    `${count} connections, three times: ${Math.round(perConnection / 1024)} KiB each; RSS ${mebibytes(before.memory)} MiB before, then ${memory.map(mebibytes).join(', ')} MiB`,
  );
});

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
