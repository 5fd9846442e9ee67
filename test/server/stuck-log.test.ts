/** Whoever collects the log may be stuck: reviews are answered all the same, and the memory does not fill. */
import { Agent } from 'node:https';
import { test } from 'tap';
import { pod, reviewOf } from '../builders/pod.ts';
import { sampleOf, serving } from '../cli/child.ts';
import { call } from './call.ts';

const containers = Object.fromEntries(
  Array.from({ length: 90 }, (_value, n) => [`container-${n}`, `quay.io/acme/${'a'.repeat(100)}/app-${n}:1.0`]),
);
const review = JSON.stringify(reviewOf({ object: pod({ containers }) }));
/** Some 50 KB of log each, so about 20 MB: far beyond what a pipe holds and beyond what may wait. */
const count = 400;

test('a log without a reader', async (t) => {
  const server = await serving(t, { args: ['--drain-seconds', '0'] });
  const agent = new Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  server.process.stderr?.pause();
  t.equal((await call(server, { body: review })).status, 200);
  const before = await sampleOf(server, 'process_resident_memory_bytes');
  let answered = 0;
  for (let n = 0; n < count; n += 1) answered += (await call(server, { body: review, agent })).status === 200 ? 1 : 0;
  t.equal(answered, count);
  const grown = (await sampleOf(server, 'process_resident_memory_bytes')) - before;
  t.ok(grown < 150 * 1024 * 1024, `${Math.round(grown / 1024 / 1024)} MiB more`);
  server.process.stderr?.resume();
  server.process.kill('SIGTERM');
  t.same(await server.ended, { code: 0, signal: null });
});
