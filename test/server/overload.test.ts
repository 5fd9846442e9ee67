/** Too much at once: a quick 503 that the API server tries again, an end of it, and no place for those who only hold one. */
import type { TLSSocket } from 'node:tls';
import { test, type Test } from 'tap';
import { ByteBudget, defaultBudget } from '../../src/server/byte-budget.ts';
import { pod, reviewOf } from '../builders/pod.ts';
import { call, dial, get, receive, type Answer, type Received, type Target } from './call.ts';
import { heldClock } from './held-clock.ts';
import { limitsWith, metricsOf, running } from './running.ts';
import { until } from './until.ts';

const review = reviewOf({ object: pod({ containers: { web: 'nginx:1.27' } }) });
const mebibyte = 1024 * 1024;
/** Of somebody else than the calls of these tests, which come from 127.0.0.1. */
const elsewhere: object = { localAddress: '127.0.0.2' };

/** As kubernetes/client-go, rest/with_retry.go wants it: a 5xx with whole seconds. */
function isOverloaded(t: Test, { status, headers, text }: Answer, reason: RegExp): void {
  t.equal(status, 503);
  t.equal(headers['retry-after'], '1');
  t.match(JSON.parse(text), { code: 'OVERLOADED', error: reason });
}

interface Held {
  readonly socket: TLSSocket;
  readonly received: Received;
}

/** A request of which the last byte is missing. */
async function hold(server: Target, options = {}, bytes = 1): Promise<Held> {
  const socket = await dial(server, options);
  const received = receive(socket);
  socket.write(`POST /mutate HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${bytes + 1}\r\nConnection: close\r\n\r\n`);
  await until('it has begun', () => received.text().includes('HTTP/1.1 100') || socket.destroyed);
  socket.write('{'.padEnd(bytes));
  return { socket, received };
}

test('more requests in flight than allowed', async (t) => {
  heldClock(t);
  const server = await running(t, { overload: limitsWith({ maxInFlight: 3 }) });
  const waiting = await Promise.all(Array.from({ length: 3 }, async () => await hold(server)));
  isOverloaded(t, await call(server, { body: review }), /3 requests are in flight/);
  isOverloaded(t, await call(server, { path: '/shadow', body: review }), /3 requests are in flight/);
  for (const path of ['/healthz', '/readyz']) t.equal((await get(server, path)).status, 200, path);
  t.equal((await call(server, { path: '/nowhere' })).status, 404);
  const metrics = await metricsOf(server);
  t.equal(metrics.get('transship_reviews_total{mode="enforce",result="overloaded"}'), 1);
  t.equal(metrics.get('transship_reviews_total{mode="shadow",result="overloaded"}'), 1);
  t.equal(metrics.get('transship_rejected_requests_total{code="OVERLOADED"}'), 2);
  t.equal(server.lines.filter(({ msg }) => /in flight/.test(msg)).length, 1, 'one line for all of them');
  for (const { socket, received } of waiting) {
    socket.write('}');
    t.match(await received.closed, /HTTP\/1\.1 400 .*REVIEW_INVALID/s, 'those that were let in are answered');
  }
  t.equal((await call(server, { body: review })).status, 200, 'there is room again');
});

test('slow requests once kept all places for two minutes: they lose them to new ones', async (t) => {
  const clock = heldClock(t);
  const server = await running(t, { overload: limitsWith({ maxInFlight: 3 }) });
  const others = await Promise.all(Array.from({ length: 3 }, async () => await hold(server, elsewhere)));
  t.equal((await call(server, { body: review })).status, 200, 'at once to those of an address that has fewer');
  const answers = others.map(({ received }) => received.text()).filter((text) => text.includes('503'));
  t.match(answers, [/OVERLOADED.*in favour of others/s], 'and only one is ended for it');
  await hold(server, elsewhere);
  isOverloaded(t, await call(server, { body: review, localAddress: '127.0.0.2' }), /3 requests are in flight/);
  clock.advance(1_000);
  t.equal((await call(server, { body: review, localAddress: '127.0.0.2' })).status, 200, 'and after a second to those of the same address');
});

test('clients that never read their answer once kept their places for ever', async (t) => {
  const clock = heldClock(t);
  const timeouts = { keepAlive: 60_000, headers: 60_000, request: 60_000, handshake: 60_000, check: 50 };
  const server = await running(t, { timeouts });
  const images = Object.fromEntries(Array.from({ length: 3_000 }, (_value, n) => [`c${n}`, `nginx:${n}`]));
  const body = JSON.stringify(reviewOf({ object: pod({ containers: images }) }));
  const socket = await dial(server);
  socket.pause();
  for (let n = 0; n < 20; n += 1) socket.write(`POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  const held = async (): Promise<number> => (await metricsOf(server)).get('transship_request_memory_bytes') ?? 0;
  await until('its answers wait', async () => (await held()) > 0);
  clock.advance(120_001);
  await until('it is given up', async () => (await held()) === 0);
  await until('and its connection closed', async () => (await metricsOf(server)).get('transship_connections') === 0);
  socket.destroy();
});

test('bodies hold no more memory than there is for them', async (t) => {
  const clock = heldClock(t);
  const server = await running(t, { overload: limitsWith({ maxRequestMemory: 8 * mebibyte }) });
  const held: Held[] = [];
  for (let n = 0; n < 4; n += 1) held.push(await hold(server, elsewhere, 2.5 * mebibyte));
  await until('the memory is in use', async () => ((await metricsOf(server)).get('transship_request_memory_bytes') ?? 0) > 4 * mebibyte);
  t.ok(((await metricsOf(server)).get('transship_request_memory_bytes') ?? 0) <= 6 * mebibyte, 'and a quarter is left');
  t.match(
    held.map(({ received }) => received.text()).filter((text) => text.includes('503')),
    [/OVERLOADED/],
  );
  t.equal((await call(server, { body: review })).status, 200, 'small ones go on');
  const large = JSON.stringify(review).padEnd(5 * mebibyte);
  isOverloaded(t, await call(server, { body: large }), /memory/);
  clock.advance(1_000);
  t.equal((await call(server, { body: large })).status, 200, 'and asked again a large one takes the place of old ones');
  t.equal((await call(server, { body: large.padEnd(7 * mebibyte) })).status, 413, 'what never has room is not asked for again');
  for (const { socket } of held) socket.destroy();
  await until('all is given back', async () => (await metricsOf(server)).get('transship_request_memory_bytes') === 0);
});

test('a refused request with a large body leaves its connection whole', async (t) => {
  const server = await running(t, { overload: limitsWith({ maxInFlight: 0 }) });
  for (let n = 0; n < 10; n += 1) isOverloaded(t, await call(server, { body: Buffer.alloc(4 * mebibyte, ' ') }), /in flight/);
});

test('fair queuing: decisions for one address once delayed those for all other addresses', async (t) => {
  const server = await running(t);
  const images = Object.fromEntries(Array.from({ length: 3_000 }, (_value, n) => [`c${n}`, `nginx:${n}`]));
  const heavy = JSON.stringify(reviewOf({ object: pod({ containers: images }) }));
  const count = 60;
  const socket = await dial(server, elsewhere);
  const received = receive(socket);
  for (let n = 0; n < count; n += 1) {
    // Other images each time, so that none of them is answered from memory.
    const body = heavy.replaceAll('nginx:', `nginx-${n}:`);
    const last = n === count - 1 ? 'Connection: close\r\n' : '';
    socket.write(`POST /mutate HTTP/1.1\r\nHost: a\r\n${last}Content-Length: ${body.length}\r\n\r\n${body}`);
  }
  const answered = (): number => received.text().match(/HTTP\/1\.1 200/g)?.length ?? 0;
  await until('the first one is answered', () => answered() > 0);
  t.equal((await call(server, { body: review })).status, 200);
  t.ok(answered() < count, `${answered()} of ${count} were answered before`);
  await received.closed;
  t.equal(answered(), count, 'and none of them is lost');
});

test('connection limit: connections without a request are closed first, and a new one is served', async (t) => {
  const clock = heldClock(t);
  const maxConnections = 20;
  const server = await running(t, { overload: limitsWith({ maxConnections }) });
  const speaking = await dial(server);
  const answers = receive(speaking);
  const ask = async (): Promise<void> => {
    const before = answers.text().length;
    speaking.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('it is answered', () => answers.text().length > before);
  };
  await ask();
  const silent: TLSSocket[] = [];
  for (let n = 0; n < maxConnections - 1; n += 1) silent.push(await dial(server, elsewhere));
  clock.advance(1_000);
  const fresh: TLSSocket[] = [];
  for (let n = 0; n < 10; n += 1) fresh.push(await dial(server));
  await until('ten have lost their place', () => silent.filter(({ destroyed }) => destroyed).length === 10);
  await ask();
  t.equal((await call(server, { body: review })).status, 200);
  t.same(
    silent.slice(0, 10).map(({ destroyed }) => destroyed),
    Array.from({ length: 10 }, () => true),
    'the oldest first',
  );
  const metrics = await metricsOf(server);
  t.ok((metrics.get('transship_connections') ?? 0) <= maxConnections);
  t.ok((metrics.get('transship_evicted_connections_total') ?? 0) >= 10);
  for (const socket of [...silent, ...fresh]) socket.destroy();
  speaking.destroy();
});

test('the budget', (t) => {
  t.equal(defaultBudget(320 * mebibyte), 64 * mebibyte);
  t.ok(new ByteBudget(defaultBudget(256 * mebibyte)).largest > 37 * mebibyte, 'the largest review of an API server fits into 256 MiB');
  t.equal(defaultBudget(2 ** 64), 1024 * mebibyte, 'no limit');
  t.equal(defaultBudget(16 * mebibyte), 16 * mebibyte);
  const budget = new ByteBudget(4 * mebibyte);
  t.ok(budget.change(0, 3 * mebibyte));
  t.notOk(budget.change(0, 200 * 1024), 'large ones have three quarters');
  t.ok(budget.change(0, 100 * 1024));
  t.notOk(budget.change(100 * 1024, 200 * 1024), 'and one that grows large is one of them');
  t.ok(budget.change(3 * mebibyte, 0));
  t.ok(budget.change(100 * 1024, 0));
  t.equal(budget.used, 0);
  t.end();
});
