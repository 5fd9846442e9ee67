import { mock } from 'node:test';
import { test } from 'tap';

import { recordEvent, type EventDetails } from '../../src/cluster/events.ts';
import { misbehavingServer, sendJson, status } from './misbehaving-server.ts';

const event: EventDetails = {
  regarding: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'n', uid: 'u' } },
  reason: 'SecretNotOurs',
  message: 'it belongs to somebody else',
  type: 'Warning',
  action: 'CopySecret',
};

test('one that repeats is one object, counted, and written at most once a minute', async (t) => {
  let now = 0;
  mock.method(performance, 'now', () => now);
  t.teardown(() => mock.restoreAll());
  const server = await misbehavingServer(t);
  server.answer = (_request, response) => sendJson(response, 201, {});
  const cluster = server.cluster();
  await Promise.all([recordEvent(cluster, event), recordEvent(cluster, event)]);
  await recordEvent(cluster, event);
  t.same(
    server.arrivals.map(({ method, path }) => `${method} ${path}`),
    ['POST /apis/events.k8s.io/v1/namespaces/n/events'],
  );
  await recordEvent(cluster, { ...event, message: 'another' });
  t.equal(server.arrivals.length, 2, 'another message is another event');
  now += 61_000;
  await recordEvent(cluster, event);
  t.match(server.arrivals[2], { method: 'PATCH', path: /^\/apis\/events.k8s.io\/v1\/namespaces\/n\/events\/s\.[0-9a-f]{16}$/ });
  await recordEvent(cluster, event);
  t.equal(server.arrivals.length, 3);
});

test('never rejects, says why, and tries again the next time', async (t) => {
  const server = await misbehavingServer(t);
  const cluster = server.cluster();
  server.answer = (_request, response) => sendJson(response, 403, status(403, 'Forbidden', 'no rights'));
  t.equal(await recordEvent(cluster, event), 'POST /apis/events.k8s.io/v1/namespaces/n/events: 403 Forbidden: no rights');
  server.answer = (request) => request.socket.destroy();
  t.match(await recordEvent(cluster, event), /UND_ERR_SOCKET|other side closed/);
  server.answer = (_request, response) => sendJson(response, 201, {});
  t.equal(await recordEvent(cluster, event), null);
  t.equal(server.arrivals.length, 3);
});

test('clusters do not share their counts', async (t) => {
  const server = await misbehavingServer(t);
  server.answer = (_request, response) => sendJson(response, 201, {});
  await recordEvent(server.cluster(), event);
  await recordEvent(server.cluster(), event);
  t.equal(server.arrivals.length, 2);
});
