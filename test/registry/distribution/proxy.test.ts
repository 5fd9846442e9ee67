/** Proxies of the environment: they count for registries, and not for loopback, as in Go. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { test } from 'tap';
import { DistributionClient } from '../../../src/registry/distribution/client.ts';
import { setEnvironment, startLoopback } from '../loopback.ts';

test('a proxy is asked for all but loopback and NO_PROXY', async (t) => {
  const asked: string[] = [];
  const proxy = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (data) => {
      asked.push(data.toString('latin1').split('\r\n', 1)[0] ?? '');
      socket.end('HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
    });
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  t.teardown(() => proxy.close());
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const none = { http_proxy: undefined, https_proxy: undefined, no_proxy: undefined };
  setEnvironment(t, { ...none, HTTP_PROXY: address, HTTPS_PROXY: address, NO_PROXY: 'near.invalid' });
  const registry = await startLoopback(t, () => ({ body: '{}' }));
  const client = new DistributionClient({ timeout: 60_000 });
  t.teardown(() => client.close());
  const ping = async (origin: string) => await client.ping(origin, new AbortController().signal);

  t.strictSame(await ping(registry.origin), { ok: true });
  t.strictSame(asked, [], 'loopback');
  t.match(await ping('https://near.invalid'), { ok: false, reason: /^near\.invalid: its name/ });
  t.strictSame(asked, [], 'NO_PROXY');
  t.match(await ping('https://far.invalid'), { ok: false });
  t.strictSame(asked, ['CONNECT far.invalid:443 HTTP/1.1']);
  t.match(await ping('http://far.invalid'), { ok: false });
  t.match(asked[1], /far\.invalid/);
});
