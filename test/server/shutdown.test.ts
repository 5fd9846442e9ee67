/** Signals to real processes: what is in flight is finished, what comes late is answered, and the end comes. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { test } from 'tap';
import { closedBySignal, handleSignals } from '../../src/process/shutdown.ts';
import { pod, reviewOf } from '../builders/pod.ts';
import { serving, starting, type Child } from '../cli/child.ts';
import { authority } from '../tls/pairs.ts';
import { call, dial, get, receive, type Received, type Target } from './call.ts';
import { running } from './running.ts';
import { until } from './until.ts';

const review = reviewOf({ object: pod({ containers: { web: 'nginx:1.27' } }) });
const body = JSON.stringify(review);
const patched = /^HTTP\/1\.1 200 .*"patch":/s;

const says = async (child: Child, message: string): Promise<unknown> =>
  await until(message, () => child.log.some(({ msg }) => msg === message));

interface Unfinished {
  readonly socket: TLSSocket;
  readonly received: Received;
  readonly finish: () => void;
}

/** A request of which the last byte is missing; the server has its headers. */
async function unfinished(target: Target): Promise<Unfinished> {
  const socket = await dial(target);
  const received = receive(socket);
  socket.write(`POST /mutate HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`);
  await until('the server waits for the body', () => received.text().startsWith('HTTP/1.1 100 '));
  socket.write(body.slice(0, -1));
  return { socket, received, finish: () => socket.write(body.slice(-1)) };
}

const withoutContinue = (text: string): string => text.replace('HTTP/1.1 100 Continue\r\n\r\n', '');

test('SIGTERM and SIGINT while idle: drained, closed, exit code 0', async (t) => {
  await Promise.all(
    (['SIGTERM', 'SIGINT'] as const).map(async (signal) => {
      const server = await serving(t, { args: ['--drain-seconds', '0'] });
      server.process.kill(signal);
      t.same(await server.ended, { code: 0, signal: null }, signal);
      t.same(
        server.log.map(({ msg }) => msg),
        ['listening', 'draining', 'closing', 'closed'],
        signal,
      );
      t.match(server.log[1], { signal });
    }),
  );
});

test('during the drain: unready, alive, and Connection: close on every response', async (t) => {
  const server = await serving(t, { args: ['--drain-seconds', '3600'] });
  t.notMatch((await call(server, { body: review })).headers, { connection: 'close' }, 'not before');
  server.process.kill('SIGTERM');
  await says(server, 'draining');
  const unready = await get(server, '/readyz');
  t.equal(unready.status, 503);
  t.equal(unready.text, 'draining\n');
  t.equal((await get(server, '/healthz')).status, 200, 'a restart would lose what is in flight');
  for (let n = 0; n < 20; n += 1) t.match(await call(server, { body: review }), { status: 200, headers: { connection: 'close' } });
});

test('the drain ends by itself, and what is in flight then is answered', async (t) => {
  const server = await serving(t, { args: ['--drain-seconds', '1'] });
  const slow = await unfinished(server);
  server.process.kill('SIGTERM');
  await says(server, 'closing');
  t.same(
    server.log.map(({ msg }) => msg),
    ['listening', 'draining', 'closing'],
  );
  slow.finish();
  t.match(withoutContinue(await slow.received.closed), patched);
  t.same(await server.ended, { code: 0, signal: null });
});

test('100 requests in flight: none is lost', async (t) => {
  const server = await serving(t, { args: ['--drain-seconds', '0'] });
  const requests: Unfinished[] = [];
  for (let n = 0; n < 100; n += 1) requests.push(await unfinished(server));
  server.process.kill('SIGTERM');
  await says(server, 'closing');
  for (const { finish } of requests) finish();
  const answers = await Promise.all(requests.map(async ({ received }) => withoutContinue(await received.closed)));
  t.equal(answers.filter((text) => patched.test(text) && /^connection: close\r$/im.test(text)).length, 100);
  t.same(await server.ended, { code: 0, signal: null });
});

const seconds: readonly (readonly [first: NodeJS.Signals, second: NodeJS.Signals, code: number])[] = [
  ['SIGTERM', 'SIGTERM', 143],
  ['SIGINT', 'SIGINT', 130],
];

test('a second signal ends at once, whatever is in flight', async (t) => {
  await Promise.all(
    seconds.map(async ([first, second, code]) => {
      const server = await serving(t, { args: ['--drain-seconds', '3600'] });
      const slow = await unfinished(server);
      server.process.kill(first);
      await says(server, 'draining');
      server.process.kill(second);
      t.same(await server.ended, { code, signal: null }, `${first}, ${second}`);
      t.match(server.log.at(-1), { level: 'warn', msg: 'forced', signal: second });
      slow.socket.destroy();
    }),
  );
});

test('a signal during the start is not lost: as process 1 of a container nothing else would end it', async (t) => {
  const pipe = join(t.testdir({}), 'client-ca.pem');
  execFileSync('mkfifo', [pipe]);
  // serve reads the client CA before it listens, and a pipe keeps it there.
  const server = await starting(t, { args: ['--client-ca', pipe, '--drain-seconds', '0'] });
  const writer = await until('it reads', async () => await open(pipe, constants.O_WRONLY | constants.O_NONBLOCK).catch(() => null));
  server.process.kill('SIGTERM');
  await writer.write(authority.cert);
  await writer.close();
  t.same(await server.ended, { code: 0, signal: null });
});

test('connections that never became a request do not keep it alive', async (t) => {
  const server = await running(t);
  const half = connectTcp(server.port, '127.0.0.1');
  await once(half, 'connect');
  half.on('error', () => {});
  const scraper = connectTcp(server.webhook.metricsPort, '127.0.0.1');
  await once(scraper, 'connect');
  scraper.on('error', () => {});
  scraper.write('GET /metrics HTTP/1.1\r\n');
  const silent = await dial(server);
  const events: string[] = [];
  await closedBySignal(server.webhook, Promise.resolve('SIGTERM'), { drainTime: 0, graceTime: 50, onEvent: (event) => events.push(event) });
  t.same(events, ['draining', 'closing', 'closed']);
  await Promise.all(
    [half, scraper, silent].map(async (socket) => {
      if (!socket.destroyed) await once(socket, 'close');
    }),
  );
});

test('signals are left to their defaults again', (t) => {
  const before = process.listenerCount('SIGTERM');
  const handlers = handleSignals(() => {});
  t.equal(process.listenerCount('SIGTERM'), before + 1);
  handlers.close();
  t.equal(process.listenerCount('SIGTERM'), before);
  t.end();
});
