/** A registry must not send the controller to what only its own machine reaches. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { test, type Test } from 'tap';

import { parseReference } from '../../../src/image/reference.ts';
import { DistributionClient } from '../../../src/registry/distribution/client.ts';
import { Connections } from '../../../src/registry/distribution/exchange.ts';
import { isLocalAddress, isLocalHost, LocalAddressError, lookupOthers } from '../../../src/registry/distribution/local-address.ts';
import { setEnvironment, startLoopback, type Answer, type Loopback } from '../loopback.ts';

const local = [
  '127.0.0.1',
  '127.8.9.1',
  'localhost',
  'LOCALHOST.',
  'a.localhost',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:169.254.169.254]',
  '0.0.0.0',
  '2130706433',
  '0x7f.1',
  '169.254.169.254',
  '[fd00:ec2::254]',
  '[fe80::1]',
];
const others = [
  'registry.example.com',
  'localhost.example.com',
  '10.0.0.1',
  '192.168.1.1',
  '172.17.0.1',
  '[fd00::1]',
  '[2001:db8::1]',
  '128.0.0.1',
];

test('addresses of the machine itself, however they are written', async (t) => {
  const connections = new Connections();
  t.teardown(() => connections.close());
  const registry = new URL('https://registry.example.com');
  for (const host of local) {
    const url = new URL(`https://${host}:5000/token`);
    t.ok(isLocalHost(url.hostname), host);
    t.throws(() => connections.for(url, registry), { message: /which a registry may not name/ }, host);
    t.doesNotThrow(() => connections.for(url, new URL('http://localhost:5000')), 'of a registry that is there itself');
    t.doesNotThrow(() => connections.for(url, url), 'nor of the registry that the policy has there');
  }
  for (const host of others) {
    const url = new URL(`https://${host}:5000/token`);
    t.notOk(isLocalHost(url.hostname), host);
    t.doesNotThrow(() => connections.for(url, registry), host);
  }
  t.notOk(isLocalAddress('registry.example.com'));
});

const looked = async (name: string, all: boolean): Promise<unknown> =>
  new Promise((resolve) => lookupOthers(name, { all, family: 4 }, (error, address, family) => resolve(error ?? { address, family })));

test('nor by a name that resolves to one', async (t) => {
  t.match(await looked('localhost', true), { message: 'localhost is an address of the machine itself, which a registry may not name' });
  t.ok((await looked('localhost', false)) instanceof LocalAddressError);
  t.match(await looked('10.1.2.3', false), { address: '10.1.2.3', family: 4 });
  t.match(await looked('10.1.2.3', true), { address: [{ address: '10.1.2.3', family: 4 }] });
  t.match(await looked('nothing.invalid', true), { code: /ENOTFOUND|EAI_AGAIN/ });
});

/** Everything is at this server, whatever its name. */
async function proxyTo(t: Test, server: Loopback): Promise<void> {
  const proxy = createServer().on('connect', (_request, socket) => {
    const there = connect(Number(new URL(server.origin).port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      there.pipe(socket).pipe(there);
    });
    for (const each of [there, socket]) each.on('error', () => {});
  });
  proxy.on('request', async (request, response) => {
    const url = new URL(request.url ?? '');
    const answer = await fetch(`${server.origin}${url.pathname}${url.search}`, { redirect: 'manual' });
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end();
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  setEnvironment(t, { http_proxy: undefined, https_proxy: undefined, no_proxy: undefined, NO_PROXY: undefined, HTTP_PROXY: address });
}

test('the password of a registry went to any port of the controller that it named', async (t) => {
  const own = await startLoopback(t, () => ({ body: '{"token":"good"}' }));
  const replies: readonly Answer[] = [
    { status: 401, headers: { 'www-authenticate': `Bearer realm="${own.origin}/token"` }, body: '' },
    { status: 307, headers: { location: `${own.origin}/v2/` }, body: '' },
  ];
  let reply: Answer = { body: '' };
  const registry = await startLoopback(t, () => reply);
  await proxyTo(t, registry);
  const client = new DistributionClient({ timeout: 60_000 });
  t.teardown(() => client.close());
  const parsed = parseReference('registry.example.com/team/app:1');
  if (!parsed.ok) throw new Error(parsed.problem);
  for (reply of replies)
    t.strictSame(
      await client.headManifest(parsed.reference, {
        credential: { username: 'robot', password: 'secret' },
        origin: 'http://registry.example.com',
        signal: new AbortController().signal,
      }),
      { result: 'unknown', reason: `${own.host} is an address of the machine itself, which a registry may not name`, retryAfter: null },
    );
  t.equal(registry.requests.length, 2);
  t.strictSame(own.requests, []);
});
