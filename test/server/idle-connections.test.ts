/**
 * Many clients that connect and say nothing. `TRANSSHIP_IDLE_CONNECTIONS=9000` opens as many as fit under a limit of 10,000 open
 * files and more; the default keeps the test short.
 */
import type { TLSSocket } from 'node:tls';
import t from 'tap';
import { pod, reviewOf } from '../builders/pod.ts';
import { sampleOf, serving } from '../cli/child.ts';
import { call, dial } from './call.ts';
import { until } from './until.ts';

const count = Number(process.env['TRANSSHIP_IDLE_CONNECTIONS'] ?? 500);
const atOnce = 20;
const review = reviewOf({ object: pod({ containers: { web: 'nginx:1.27' } }) });

t.test(`${count} idle connections are opened, cost little, and are given back`, async (t) => {
  const server = await serving(t);
  await call(server, { body: review });
  const before = { files: await sampleOf(server, 'process_open_fds'), memory: await sampleOf(server, 'process_resident_memory_bytes') };
  const sockets: TLSSocket[] = [];
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
  });
  while (sockets.length < count) sockets.push(...(await Promise.all(Array.from({ length: Math.min(atOnce, count - sockets.length) }, async () => await dial(server)))));
  const during = { files: await sampleOf(server, 'process_open_fds'), memory: await sampleOf(server, 'process_resident_memory_bytes') };
  t.ok(during.files >= before.files + count, `${during.files} files`);
  const perConnection = (during.memory - before.memory) / count;
  t.ok(perConnection < 256 * 1024, `${Math.round(perConnection / 1024)} KiB a connection`);
  t.equal((await call(server, { body: review })).status, 200, 'and the server serves');
  for (const socket of sockets) socket.destroy();
  await until('all files are closed', async () => (await sampleOf(server, 'process_open_fds')) <= before.files + 5);
  const after = await sampleOf(server, 'process_resident_memory_bytes');
  t.comment(`${count} connections: ${Math.round(perConnection / 1024)} KiB each; RSS ${mebibytes(before.memory)} before, ${mebibytes(during.memory)} during, ${mebibytes(after)} MiB after`);
});

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
