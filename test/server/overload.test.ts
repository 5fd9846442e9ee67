/** Too much at once: a quick 503 that the API server tries again, and an end of it. */
import { fileURLToPath } from 'node:url';
import { test, type Test } from 'tap';
import { lagOf } from '../../src/server/overload.ts';
import { pod, reviewOf } from '../builders/pod.ts';
import { serving } from '../cli/child.ts';
import { call, dial, get, receive, type Answer } from './call.ts';
import { metricsOf, running } from './running.ts';
import { until } from './until.ts';

const review = reviewOf({ object: pod({ containers: { web: 'nginx:1.27' } }) });
const lateLoop = fileURLToPath(new URL('./late-loop.ts', import.meta.url));

/** As kubernetes/client-go, rest/with_retry.go wants it: a 5xx with whole seconds. */
function isOverloaded(t: Test, { status, headers, text }: Answer, reason: RegExp): void {
  t.equal(status, 503);
  t.equal(headers['retry-after'], '1');
  t.match(JSON.parse(text), { code: 'OVERLOADED', error: reason });
}

test('more requests in flight than allowed', async (t) => {
  const maximumInFlight = 3;
  const server = await running(t, { overload: { maximumInFlight, maximumLag: 60_000 } });
  const waiting = await Promise.all(
    Array.from({ length: maximumInFlight }, async () => {
      const socket = await dial(server);
      socket.write('POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{');
      return { socket, received: receive(socket) };
    }),
  );
  await until('all are in flight', async () => (await call(server, { body: review })).status === 503);
  isOverloaded(t, await call(server, { body: review }), /3 requests are in flight/);
  isOverloaded(t, await call(server, { path: '/shadow', body: review }), /3 requests are in flight/);
  for (const path of ['/healthz', '/readyz']) t.equal((await get(server, path)).status, 200, path);
  t.equal((await call(server, { path: '/nowhere' })).status, 404);
  const metrics = await metricsOf(server);
  t.ok((metrics.get('transship_reviews_total{mode="enforce",result="overloaded"}') ?? 0) >= 2);
  t.equal(metrics.get('transship_reviews_total{mode="shadow",result="overloaded"}'), 1);
  for (const { socket, received } of waiting) {
    socket.write('}');
    t.match(await received.closed, /^HTTP\/1\.1 400 .*REVIEW_INVALID/s, 'those that were let in are answered');
  }
  await until('there is room again', async () => (await call(server, { body: review })).status === 200);
});

test('a refused request with a large body leaves its connection whole', async (t) => {
  const server = await running(t, { overload: { maximumInFlight: 0, maximumLag: 60_000 } });
  for (let n = 0; n < 10; n += 1) isOverloaded(t, await call(server, { body: Buffer.alloc(4 * 1024 * 1024, ' ') }), /in flight/);
});

test('an event loop that is late', async (t) => {
  const server = await serving(t, { args: ['--max-lag', '40'], preload: lateLoop });
  // A busy machine may be late by itself while the process starts.
  await until('it serves', async () => (await call(server, { body: review })).status === 200);
  server.process.kill('SIGUSR2');
  const answer = await until('it says so', async () => {
    const given = await call(server, { body: review });
    return given.status === 503 ? given : null;
  });
  isOverloaded(t, answer, /the event loop is \d+ ms late/);
  for (const path of ['/healthz', '/readyz']) t.equal((await get(server, path)).status, 200, path);
  server.process.kill('SIGUSR2');
  await until('it recovers', async () => (await call(server, { body: review })).status === 200);
});

/** Milliseconds that the iterations took, in a quarter of a second; then how long a request waits that comes at any moment of it. */
const loads: readonly (readonly [what: string, iterations: readonly number[], lag: number])[] = [
  ['none', [], 0],
  ['idle but for one short one', [1], 0.002],
  ['always busy, 125 ms each', [125, 125], 62.5],
  ['always busy, 5 ms each', Array.from({ length: 50 }, () => 5), 2.5],
  ['half of the time busy, 25 ms each', [25, 25, 25, 25, 25], 6.25],
  ['one long one among short ones', [200, 1, 1, 1, 1, 1], 80.01],
];

for (const [what, iterations, lag] of loads) {
  test(`lateness: ${what}`, (t) => {
    const mean = iterations.reduce((sum, each) => sum + each, 0) / iterations.length;
    const stddev = Math.sqrt(iterations.reduce((sum, each) => sum + (each - mean) ** 2, 0) / iterations.length);
    t.ok(Math.abs(lagOf({ count: iterations.length, mean: mean * 1e6, stddev: stddev * 1e6 }, 250) - lag) < 1e-6);
    t.end();
  });
}
