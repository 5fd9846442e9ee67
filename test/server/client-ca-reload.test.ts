/** The client CA replaced while the webhook runs: who is accepted changes from the next handshake on, and a bad file changes nothing. */
import { Agent } from 'node:https';
import type { SecureVersion, TLSSocket } from 'node:tls';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { pod, reviewOf } from '../builders/pod.ts';
import { longestPause, writeInParts } from '../files/in-parts.ts';
import { mounted, type Content, type Mounted } from '../files/mounted.ts';
import { clientPair } from '../tls/client-certificate.ts';
import { authority, otherAuthority, servingPair } from '../tls/pairs.ts';
import { call, dial, receive } from './call.ts';
import { running, type Running } from './running.ts';
import { until } from './until.ts';

const review = reviewOf({ object: pod({ containers: { web: 'nginx:1.27' } }) });
const inAnHour = new Date(Date.now() + 60 * 60_000);
const [old, next] = [await clientPair(authority, inAnHour), await clientPair(otherAuthority, inAnHour)];
const serving = await servingPair();
const filesOf = (clientCa: string, { cert, key } = serving): Content => ({ 'ca.crt': clientCa, 'tls.crt': cert, 'tls.key': key });

async function started(t: Test): Promise<{ server: Running; files: Mounted }> {
  const files = await mounted(t.testdir({}), filesOf(authority.cert));
  const server = await running(t, {
    clientCaFile: files.path('ca.crt'),
    tls: { certFile: files.path('tls.crt'), keyFile: files.path('tls.key') },
  });
  return { server, files };
}

/** What the clients of the old and of the next authority get, and one without a certificate. */
async function statuses(server: Running): Promise<number[]> {
  const answers = await Promise.all([old, next, {}].map((pair) => call(server, { body: review, ...pair })));
  return answers.map(({ status }) => status);
}

const said = (server: Running, what: RegExp): string[] => server.lines.map(({ msg }) => msg).filter((msg) => what.test(msg));
const isAccepted = (server: Running, pair: typeof old) => async (): Promise<boolean> =>
  (await call(server, { body: review, ...pair })).status === 200;

const bad: readonly (readonly [name: string, content: Content, says: RegExp])[] = [
  ['an empty file', filesOf(''), /ca\.crt does not hold a PEM certificate/],
  ['half a certificate', filesOf(otherAuthority.cert.slice(0, 200)), /ca\.crt does not hold a PEM certificate/],
  ['a certificate and a half', filesOf(otherAuthority.cert + authority.cert.slice(0, 200)), /ca\.crt does not hold a PEM certificate/],
  ['no file', { 'tls.crt': serving.cert, 'tls.key': serving.key }, /ca\.crt cannot be read/],
  ['a key', filesOf(authority.key), /ca\.crt does not hold a PEM certificate/],
];

test('a new client CA counts from the next handshake on; a bad one is refused once, and the last good one stays', async (t) => {
  const { server, files } = await started(t);
  t.same(await statuses(server), [200, 403, 403]);
  await files.swap(filesOf(authority.cert + otherAuthority.cert));
  await until('both are accepted', isAccepted(server, next));
  t.same(await statuses(server), [200, 200, 403]);
  await files.swap(filesOf(otherAuthority.cert));
  await until('the old one is not any more', async () => !(await isAccepted(server, old)()));
  t.same(await statuses(server), [403, 200, 403]);
  t.equal(said(server, /^client CA reloaded$/).length, 2);

  for (const [n, [name, content, says]] of bad.entries()) {
    await files.swap(content);
    await until(`${name} is refused`, () => said(server, /client CA is refused/).length === n + 1);
    t.match(server.lines.at(-1), { level: 'error', msg: says }, name);
    t.match(server.lines.at(-1)?.msg, /the last good one stays in use/, name);
    t.same(await statuses(server), [403, 200, 403], name);
    await files.swap(filesOf(`${otherAuthority.cert}# ${n}\n`));
    await until('the next good one is used', () => said(server, /^client CA reloaded$/).length === n + 3);
  }
  t.notMatch(JSON.stringify(server.lines), authority.key.split('\n')[1] ?? '', 'no key in the log');

  await files.swap(filesOf(authority.cert, await servingPair()));
  await until('and back, with a new pair at the same time', isAccepted(server, old));
  t.same(await statuses(server), [200, 403, 403]);
});

test('a renewed pair keeps the client CA that was loaded last', async (t) => {
  const { server, files } = await started(t);
  await files.swap(filesOf(otherAuthority.cert));
  await until('the new client CA is used', isAccepted(server, next));
  await files.swap(filesOf(otherAuthority.cert, await servingPair()));
  await until('the new pair is used', () => said(server, /^certificate reloaded$/).length === 1);
  t.same(await statuses(server), [403, 200, 403]);
});

/** The status of a review over a TLS connection, and what a later one could be resumed from. */
async function reviewOver(socket: TLSSocket): Promise<string> {
  const body = JSON.stringify(review);
  const received = receive(socket);
  socket.write(
    `POST /mutate HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  return (await received.closed).slice(0, 12);
}

for (const version of ['TLSv1.2', 'TLSv1.3'] satisfies SecureVersion[]) {
  test(`a session of ${version} begun with a certificate of the old client CA cannot be resumed as accepted`, async (t) => {
    const { server, files } = await started(t);
    const connect = { ...old, minVersion: version, maxVersion: version };
    const first = await dial(server, connect);
    // TLS 1.2 has it with the handshake, TLS 1.3 sends it later.
    const sessions: (Buffer | undefined)[] = [first.getSession()];
    first.on('session', (session: Buffer) => sessions.push(session));
    t.equal(await reviewOver(first), 'HTTP/1.1 200');
    const session = sessions.at(-1);
    const again = await dial(server, { ...connect, ...(session === undefined ? {} : { session }) });
    t.ok(again.isSessionReused(), 'sessions are resumed at all');
    t.equal(await reviewOver(again), 'HTTP/1.1 200');

    await files.swap(filesOf(otherAuthority.cert));
    await until('the new client CA is used', isAccepted(server, next));
    const later = await dial(server, { ...connect, ...(session === undefined ? {} : { session }) });
    t.equal(await reviewOver(later), 'HTTP/1.1 403');
  });
}

test('a connection that is open stays accepted', async (t) => {
  const { server, files } = await started(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ...old });
  t.teardown(() => agent.destroy());
  let connections = 0;
  agent.on('keylog', (line: Buffer) => {
    if (line.toString().startsWith('CLIENT_HANDSHAKE_TRAFFIC_SECRET')) connections += 1;
  });
  t.equal((await call(server, { body: review, agent })).status, 200);
  await files.swap(filesOf(otherAuthority.cert));
  await until('the new client CA is used', isAccepted(server, next));
  t.equal((await call(server, { body: review, agent })).status, 200);
  t.equal(connections, 1);
});

test('a file written in place in two halves, the first of which is a client CA of its own, is used as a whole alone', async (t) => {
  const path = join(t.testdir({ 'ca.crt': authority.cert }), 'ca.crt');
  const server = await running(t, { clientCaFile: path });
  const pause = await writeInParts(path, [otherAuthority.cert, authority.cert]);
  await until('the new client CA is used', isAccepted(server, next));
  t.same(await statuses(server), [200, 200, 403]);
  if (pause < longestPause) t.equal(said(server, /^client CA reloaded$/).length, 1);
});
