/** Starts that fail leave nothing behind. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { test, type Test } from 'tap';
import { startWebhook } from '../../src/server/webhook.ts';
import { capturingLog, defaults, running } from './running.ts';

async function listening(t: Test, port = 0): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  t.teardown(() => server.close());
  await once(server, 'listening');
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

test('a metrics port that is taken gives the HTTPS port back', async (t) => {
  const probe = await listening(t);
  const port = portOf(probe);
  probe.close();
  await once(probe, 'close');
  const taken = await listening(t);
  await t.rejects(startWebhook({ ...(await defaults()), port, metricsPort: portOf(taken) }, capturingLog([])), { code: 'EADDRINUSE' });
  t.equal(portOf(await listening(t, port)), port);
});

test('a certificate of its own must be a pair too', async (t) => {
  await t.rejects(startWebhook({ ...(await defaults()), tls: { cert: 'x', key: 'y' } }, capturingLog([])), {
    code: 'TLS_PAIR_INVALID',
    message: 'the certificate does not hold a PEM certificate',
  });
});

test('by the name localhost there is one listener, on the address that the name has', async (t) => {
  const { webhook } = await running(t, { host: 'localhost' });
  t.equal((await fetch(`http://localhost:${webhook.metricsPort}/metrics`, { headers: { connection: 'close' } })).status, 200);
});
