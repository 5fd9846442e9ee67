/** The connection itself: protocols, versions, names, reuse and client certificates. */
import { Agent } from 'node:https';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { test } from 'tap';
import { pod, reviewOf } from '../builders/pod.ts';
import { clientPair } from '../tls/client-certificate.ts';
import { authority, otherAuthority, servingPair } from '../tls/pairs.ts';
import { call, dial, get, receive } from './call.ts';
import { running } from './running.ts';
import { until } from './until.ts';

const review = reviewOf({ object: pod({ containers: { web: 'nginx:1.27' } }) });

const handshakes: readonly (readonly [name: string, options: ConnectionOptions, error: string | null])[] = [
  ['TLS 1.3', { minVersion: 'TLSv1.3' }, null],
  ['TLS 1.2', { maxVersion: 'TLSv1.2' }, null],
  // Security level 0 lets the client offer it, so that it is the server that refuses.
  ['TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION'],
  ['HTTP/1.1 by ALPN', { ALPNProtocols: ['http/1.1'] }, null],
  ['HTTP/2 and HTTP/1.1 by ALPN', { ALPNProtocols: ['h2', 'http/1.1'] }, null],
  ['HTTP/2 alone by ALPN', { ALPNProtocols: ['h2'] }, 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL'],
  ['the name of the Service', { servername: 'transship.transship.svc' }, null],
  ['no name', { servername: '' }, null],
  ['a name that is not in the certificate, unverified', { servername: 'example.com', rejectUnauthorized: false }, null],
  ['a name that is not in the certificate', { servername: 'example.com' }, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['another authority', { ca: otherAuthority.cert }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
];

test('handshakes', async (t) => {
  const server = await running(t);
  for (const [name, options, error] of handshakes) {
    const outcome = await dial(server, options).then(
      (socket) => ({ error: null, socket }),
      (reason: unknown) => ({ error: reason instanceof Error && 'code' in reason ? reason.code : String(reason), socket: null }),
    );
    t.equal(outcome.error, error, name);
    if (options.ALPNProtocols !== undefined && error === null) t.equal(outcome.socket?.alpnProtocol, 'http/1.1', name);
    outcome.socket?.destroy();
  }
  t.equal((await get(server, '/readyz')).status, 200);
});

test('a connection is used again, and is kept longer than the API server keeps it', async (t) => {
  const server = await running(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  let handshakesSeen = 0;
  agent.on('keylog', (line: Buffer) => {
    if (line.toString().startsWith('CLIENT_HANDSHAKE_TRAFFIC_SECRET')) handshakesSeen += 1;
  });
  for (let n = 0; n < 20; n += 1) {
    const { status, headers } = await call(server, { body: review, agent });
    t.equal(status, 200);
    const kept = Number(/timeout=(\d+)/.exec(String(headers['keep-alive']))?.[1]);
    t.ok(kept > 90, `${kept} s, and Go's client closes after 90 s`);
  }
  t.equal(handshakesSeen, 1);
});

test('an error keeps its connection', async (t) => {
  const server = await running(t);
  const socket = await dial(server);
  const received = receive(socket);
  const request = 'POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n';
  socket.write(`${request}\r\n{}`);
  socket.write(`${request}Connection: close\r\n\r\n{}`);
  t.equal((await received.closed).match(/HTTP\/1\.1 400 /g)?.length, 2);
});

const hour = 60 * 60_000;
const callers = [
  { name: 'no certificate', pair: {}, status: 403 },
  { name: 'a certificate of the client CA', pair: await clientPair(otherAuthority, new Date(Date.now() + hour)), status: 200 },
  { name: 'a certificate of another CA', pair: await clientPair(authority, new Date(Date.now() + hour)), status: 403 },
  { name: 'an expired certificate', pair: await clientPair(otherAuthority, new Date(Date.now() - hour)), status: 403 },
  { name: 'a certificate for servers', pair: await servingPair(otherAuthority), status: 403 },
];

test('with a client CA, reviews need a client certificate; probes need none', async (t) => {
  const clientCaFile = join(t.testdir({}), 'client-ca.pem');
  await writeFile(clientCaFile, otherAuthority.cert);
  const server = await running(t, { clientCaFile });
  for (const { name, pair, status } of callers) {
    for (const path of ['/mutate', '/shadow']) {
      const answer = await call(server, { path, body: review, ...pair });
      t.equal(answer.status, status, `${name}: ${path}`);
      if (status === 403) t.match(JSON.parse(answer.text), { code: 'CLIENT_CERTIFICATE_REQUIRED', error: /present a certificate/ }, name);
    }
    for (const path of ['/healthz', '/readyz'])
      t.equal((await call(server, { method: 'GET', path, ...pair })).status, 200, `${name}: ${path}`);
  }
});

test('client certificates are still required after the certificate is renewed', async (t) => {
  const pair = await servingPair();
  const folder = t.testdir({ 'tls.crt': pair.cert, 'tls.key': pair.key, 'client-ca.pem': otherAuthority.cert });
  const server = await running(t, {
    clientCaFile: join(folder, 'client-ca.pem'),
    tls: { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key') },
  });
  const next = await servingPair();
  await writeFile(join(folder, 'tls.key'), next.key);
  await writeFile(join(folder, 'tls.crt'), next.cert);
  await until('the new certificate is used', () => server.lines.some(({ msg }) => msg === 'certificate reloaded'));
  for (const { name, pair: client, status } of callers) t.equal((await call(server, { body: review, ...client })).status, status, name);
});
