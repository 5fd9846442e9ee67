import type { IncomingMessage, ServerResponse } from 'node:http';
import { test, type Test } from 'tap';

import type { KubernetesObject } from '@kubernetes/client-node';

import { type WatchEvent, watchResource, type WatchOptions } from '../../src/cluster/watch.ts';
import { eventually } from './eventually.ts';
import {
  type Answer,
  isWatch,
  item,
  type Item,
  listOf,
  type MisbehavingServer,
  misbehavingServer,
  sendJson,
  status,
  stream,
} from './misbehaving-server.ts';

const path = '/api/v1/namespaces';
const minimum = 20;

/** `added a 1`: kind of change, name, version. */
const said = ({ type, object }: WatchEvent<KubernetesObject>): string =>
  [type, object?.metadata?.name, object?.metadata?.resourceVersion].filter((part) => part !== undefined).join(' ');

async function watching(t: Test, server: MisbehavingServer, options: Partial<WatchOptions<KubernetesObject>> = {}) {
  const changes: string[] = [];
  const errors: unknown[] = [];
  const watch = watchResource<KubernetesObject>(server.cluster(), {
    path,
    backoff: { minDelay: minimum, maxDelay: 100 },
    onError: (error) => errors.push(error),
    onEvent: (change) => changes.push(said(change)),
    ...options,
  });
  t.teardown(() => watch.close());
  return { watch, changes, errors, names: () => watch.list().map(({ metadata }) => metadata?.name) };
}

const lists = (server: MisbehavingServer) => server.arrivals.filter(({ query }) => !query.has('watch'));
const watches = (server: MisbehavingServer) => server.arrivals.filter(({ query }) => query.has('watch'));

/** Lists this, and keeps the watch open. */
const calm =
  (version: number, ...items: Item[]): Answer =>
  (request, response) =>
    isWatch(request) ? stream(response) : sendJson(response, 200, listOf(version, items));

test('lists in pages, watches from there, and reports each change once', async (t) => {
  const server = await misbehavingServer(t);
  server.answer = (request, response) => {
    if (!isWatch(request)) {
      if (request.url?.includes('continue=two') === true) return sendJson(response, 200, listOf(5, [item('b', 2)]));
      return sendJson(response, 200, listOf(5, [item('a', 1)], 'two'));
    }
    stream(
      response,
      ['ADDED', item('c', 6)],
      ['ADDED', item('c', 6)],
      ['MODIFIED', item('a', 7)],
      ['BOOKMARK', { metadata: { resourceVersion: '8' } }],
      ['DELETED', item('b', 9)],
      ['DELETED', item('b', 9)],
      ['ADDED', item('c', 6)],
    );
  };
  const { watch, changes, errors, names } = await watching(t, server, { labelSelector: 'x=y', pageSize: 1 });
  await watch.synced;
  t.ok(watch.isSynced);
  await eventually('the deletion has come', () => changes.includes('deleted b 9'));
  t.same(changes, ['added a 1', 'added b 2', 'synced', 'added c 6', 'modified a 7', 'deleted b 9']);
  t.same(names(), ['a', 'c']);
  t.match(watch.get('a'), { metadata: { resourceVersion: '7' } });
  t.equal(watch.get('b'), undefined);
  t.match(
    server.arrivals.map(({ query }) => Object.fromEntries(query)),
    [
      { labelSelector: 'x=y', limit: '1' },
      { labelSelector: 'x=y', limit: '1', continue: 'two' },
      { labelSelector: 'x=y', watch: 'true', resourceVersion: '5', allowWatchBookmarks: 'true', timeoutSeconds: /^[3-6]\d\d$/ },
    ],
  );
  t.same(errors, []);
});

test('objects of a namespace have its name in their key, and only what is projected is kept', async (t) => {
  const server = await misbehavingServer(t);
  const secret = { metadata: { name: 's', namespace: 'n', resourceVersion: '1' }, data: { token: 'x' } };
  server.answer = (request, response) =>
    isWatch(request)
      ? stream(response, ['MODIFIED', { ...secret, metadata: { ...secret.metadata, resourceVersion: '3' } }])
      : sendJson(response, 200, listOf(2, [secret]));
  const { watch, changes } = await watching(t, server, {
    project: ({ metadata }) => ({ metadata: { name: metadata?.name ?? '', namespace: metadata?.namespace ?? '' } }),
  });
  await eventually('modified', () => changes.length === 3);
  t.same(watch.get('n/s'), { metadata: { name: 's', namespace: 'n' } });
});

/** The first watch (or list) goes wrong in this way; what comes after is in order. Each ends with a and b known, and the watch alive. */
type Fault = (request: IncomingMessage, response: ServerResponse, server: MisbehavingServer) => void;
const faults: [name: string, wrong: Fault, error: object | null, listsAgain: boolean][] = [
  [
    'reset in the middle',
    (_request, response, server) => (stream(response, ['ADDED', item('b', 6)]), setTimeout(() => server.reset(), 20)),
    { code: /UND_ERR_SOCKET|ECONNRESET/ },
    false,
  ],
  ['ended by the server', (_request, response) => (stream(response, ['ADDED', item('b', 6)]), response.end()), null, false],
  [
    'half a line',
    (_request, response) => (stream(response), response.end('{"type":"ADDED","object":{"meta')),
    { code: 'WATCH_LINE_INVALID' },
    true,
  ],
  [
    'half a line and a reset',
    (request, response) => (stream(response), response.write('{"type":"ADDED","obj'), setTimeout(() => request.socket.destroy(), 20)),
    { code: /UND_ERR_SOCKET|ECONNRESET/ },
    false,
  ],
  ['garbage', (_request, response) => (stream(response), response.write('<html>planted-secret\n')), { code: 'WATCH_LINE_INVALID' }, true],
  ['null', (_request, response) => (stream(response), response.write('null\n')), { code: 'WATCH_LINE_INVALID' }, true],
  ['an unknown type', (_request, response) => stream(response, ['RENAMED', item('b', 6)]), { code: 'WATCH_LINE_INVALID' }, true],
  [
    'an object without a version',
    (_request, response) => stream(response, ['ADDED', { metadata: { name: 'b' } }]),
    { code: 'WATCH_LINE_INVALID' },
    true,
  ],
  ['410 as an ERROR event', (_request, response) => stream(response, ['ERROR', status(410, 'Expired')]), { status: 410 }, true],
  ['an ERROR event without a status', (_request, response) => stream(response, ['ERROR', {}]), { status: 500 }, true],
  ['410', (_request, response) => sendJson(response, 410, status(410, 'Gone')), { status: 410 }, true],
  ['403', (_request, response) => sendJson(response, 403, status(403, 'Forbidden')), { status: 403 }, true],
  ['401', (_request, response) => sendJson(response, 401, status(401, 'Unauthorized')), { status: 401 }, true],
  ['429', (_request, response) => sendJson(response, 429, status(429, 'TooManyRequests'), { 'retry-after': '1' }), { status: 429 }, false],
  ['500', (_request, response) => sendJson(response, 500, status(500, 'InternalError')), { status: 500 }, true],
  ['503 with HTML', (_request, response) => response.writeHead(503).end('<html>'), { status: 503 }, true],
  ['no headers', () => {}, { code: 'WATCH_IDLE_TIMEOUT' }, true],
  ['silent after the headers', (_request, response) => stream(response), { code: 'WATCH_IDLE_TIMEOUT' }, true],
  ['closed without an answer', (request) => request.socket.destroy(), { code: /UND_ERR_SOCKET|ECONNRESET/ }, true],
  [
    'a bookmark of the past',
    (_request, response) => stream(response, ['BOOKMARK', { metadata: { resourceVersion: '3' } }]),
    { code: 'WATCH_HISTORY_CHANGED' },
    true,
  ],
  ['an event of the past', (_request, response) => stream(response, ['ADDED', item('b', 3)]), { code: 'WATCH_HISTORY_CHANGED' }, true],
];

for (const [name, wrong, error, listsAgain] of faults) {
  test(`watch: ${name}`, async (t) => {
    const server = await misbehavingServer(t);
    let watchesSeen = 0;
    server.answer = (request, response, number) => {
      if (!isWatch(request))
        return sendJson(response, 200, number === 0 ? listOf(5, [item('a', 1)]) : listOf(6, [item('a', 1), item('b', 6)]));
      if (watchesSeen++ === 0) return wrong(request, response, server);
      const alive = setInterval(
        () => response.write(`${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '7' } } })}\n`),
        50,
      );
      response.once('close', () => clearInterval(alive));
      stream(response, ['ADDED', item('b', 6)], ['ADDED', item('z', 7)]);
    };
    const { changes, errors } = await watching(t, server, { idleTimeoutMs: 400 });
    await eventually('the watch after the fault delivers', () => changes.includes('added z 7'));
    t.same(
      changes.filter((change) => change !== 'synced'),
      ['added a 1', 'added b 6', 'added z 7'],
      'nothing is lost and nothing comes twice',
    );
    t.equal(lists(server).length, listsAgain ? 2 : 1, listsAgain ? 'it listed again' : 'it continued where it was');
    if (error === null) t.same(errors, []);
    else t.match(errors, [error]);
    t.notMatch(String(errors[0]), /planted-secret/);
    const [first, second] = watches(server);
    t.ok((second?.at ?? 0) - (first?.at ?? 0) >= minimum, 'not before the back-off');
  });
}

const listFaults: [name: string, wrong: Answer, error: object][] = [
  [
    '403',
    (_request, response) => sendJson(response, 403, status(403, 'Forbidden', 'namespaces is forbidden')),
    { status: 403, message: /namespaces is forbidden/ },
  ],
  ['410', (_request, response) => sendJson(response, 410, status(410, 'Expired')), { status: 410 }],
  ['429', (_request, response) => sendJson(response, 429, status(429, 'TooManyRequests')), { status: 429 }],
  ['500', (_request, response) => sendJson(response, 500, null), { status: 500 }],
  [
    'a body that breaks off',
    (request, response) => (response.writeHead(200), response.write('{"items":['), setTimeout(() => request.socket.destroy(), 20)),
    { code: /UND_ERR_SOCKET|ECONNRESET/ },
  ],
  ['HTML', (_request, response) => response.end('<html>'), { code: 'API_RESPONSE_INVALID', message: /is not JSON/ }],
  ['null', (_request, response) => response.end('null'), { code: 'API_RESPONSE_INVALID', message: /not a JSON object/ }],
  ['no headers', () => {}, { code: 'WATCH_IDLE_TIMEOUT' }],
  ['a body that never comes', (_request, response) => (response.writeHead(200), response.flushHeaders()), { code: 'WATCH_IDLE_TIMEOUT' }],
];

for (const [name, wrong, error] of listFaults) {
  test(`list: ${name}, three times`, async (t) => {
    const server = await misbehavingServer(t);
    server.answer = (request, response, number) =>
      number < 3 ? wrong(request, response, number) : calm(5, item('a', 1))(request, response, number);
    const { watch, changes, errors } = await watching(t, server, { idleTimeoutMs: 300 });
    t.notOk(watch.isSynced);
    await watch.synced;
    t.same(changes, ['added a 1', 'synced']);
    t.match(errors, [error, error, error]);
    const times = lists(server).map(({ at }) => at);
    t.ok(
      times.every((at, index) => index === 0 || at - (times[index - 1] ?? 0) >= minimum),
      'the back-off is kept',
    );
  });
}

test('410 between two pages begins the list anew, and what went away meanwhile is gone', async (t) => {
  const server = await misbehavingServer(t);
  server.answer = (request, response, number) => {
    if (isWatch(request)) return stream(response);
    if (number === 0) return sendJson(response, 200, listOf(5, [item('a', 1)], 'two'));
    if (number === 1) return sendJson(response, 410, status(410, 'Expired'));
    return sendJson(response, 200, listOf(9, [item('b', 8)]));
  };
  const { watch, changes } = await watching(t, server);
  await watch.synced;
  t.same(changes, ['added a 1', 'added b 8', 'deleted a 1', 'synced']);
  t.match(watch.get('b'), { apiVersion: 'v1', kind: 'Namespace' }, 'as objects of a watch have it, those of a list have their kind');
});

test('what was deleted and changed while it was away is reported by the list', async (t) => {
  const server = await misbehavingServer(t);
  server.answer = (request, response) =>
    isWatch(request)
      ? stream(response, ['ERROR', status(410, 'Expired')])
      : sendJson(response, 200, listOf(5, [item('a', 1), item('b', 2), item('c', 3)]));
  const { changes, errors } = await watching(t, server);
  await eventually('it has to list again', () => errors.length > 0);
  server.answer = calm(3, item('a', 1), item('b', 1), item('d', 2));
  await eventually('listed again', () => changes.includes('added d 2'));
  t.same(
    changes.filter((change) => change !== 'synced'),
    ['added a 1', 'added b 2', 'added c 3', 'modified b 1', 'added d 2', 'deleted c 3'],
    'also when the versions are smaller than before',
  );
});

test('a server that keeps failing is called no faster than the back-off', async (t) => {
  const table: [name: string, answer: Answer, perRound: number, keepsConnection: boolean][] = [
    ['list refused', (_request, response) => sendJson(response, 500, null), 1, true],
    [
      'every watch is 410',
      (request, response) =>
        isWatch(request) ? stream(response, ['ERROR', status(410, 'Expired')]) : sendJson(response, 200, listOf(5, [])),
      2,
      false,
    ],
    [
      'every watch ends at once',
      (request, response) => (isWatch(request) ? response.writeHead(200).end() : sendJson(response, 200, listOf(5, []))),
      1,
      true,
    ],
    [
      'every watch sends one event and breaks',
      (request, response) =>
        isWatch(request) ? (stream(response, ['ADDED', item('a', 6)]), response.end()) : sendJson(response, 200, listOf(5, [])),
      1,
      true,
    ],
    ['Retry-After: 0', (_request, response) => sendJson(response, 429, null, { 'retry-after': '0' }), 1, true],
  ];
  for (const [name, answer, perRound, keepsConnection] of table) {
    const server = await misbehavingServer(t);
    server.answer = answer;
    const began = performance.now();
    const { watch } = await watching(t, server, { backoff: { minDelay: minimum, maxDelay: minimum } });
    await eventually('some rounds', () => server.arrivals.length >= 10);
    await watch.close();
    const rounds = Math.ceil((performance.now() - began) / minimum) + 1;
    t.ok(server.arrivals.length <= rounds * perRound + 1, `${name}: ${server.arrivals.length} requests in ${rounds} rounds`);
    // Two: the watch may start before the pool knows that the list's connection is free.
    if (keepsConnection) t.ok(server.handshakes() <= 2, `${name}: ${server.handshakes()} handshakes`);
  }
});

test('Retry-After of one second is respected', async (t) => {
  const server = await misbehavingServer(t);
  server.answer = (request, response, number) =>
    number === 0 ? sendJson(response, 503, null, { 'retry-after': '1' }) : calm(1)(request, response, number);
  const { watch } = await watching(t, server);
  await watch.synced;
  const [first, second] = server.arrivals;
  t.ok((second?.at ?? 0) - (first?.at ?? 0) >= 1000);
});

test('a server that is gone and comes back, with another history', async (t) => {
  const server = await misbehavingServer(t);
  server.answer = calm(100, item('a', 90), item('b', 91));
  const { watch, changes, errors, names } = await watching(t, server);
  await eventually('it watches', () => watches(server).length === 1);
  await server.stop();
  await eventually('it was refused', () =>
    errors.some((error) => error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED'),
  );
  t.same(names(), ['a', 'b'], 'what was known is known still');
  t.ok(watch.isSynced);
  const ageWhileAway = watch.age();
  server.answer = calm(4, item('b', 2), item('c', 3));
  await server.listen();
  await eventually('it lists again', () => changes.includes('added c 3'));
  t.same(names(), ['b', 'c']);
  t.ok(ageWhileAway > 0);
  t.ok(watch.age() < 30_000);
});

test('exceptions and rejections of onEvent are reported, and the watch goes on', async (t) => {
  const server = await misbehavingServer(t);
  server.answer = (request, response) =>
    isWatch(request)
      ? stream(response, ['ADDED', item('b', 6)], ['ADDED', item('c', 7)])
      : sendJson(response, 200, listOf(5, [item('a', 1)]));
  const errors: unknown[] = [];
  const seen: string[] = [];
  const failing: ((event: WatchEvent<KubernetesObject>) => void)[] = [
    (change) => {
      seen.push(said(change));
      throw new Error('thrown');
    },
    async (change) => {
      seen.push(said(change));
      throw new Error('rejected');
    },
  ];
  for (const onEvent of failing) {
    const { watch } = await watching(t, server, {
      onEvent,
      onError: (error) => {
        errors.push(error);
        throw new Error('the report fails as well');
      },
    });
    await eventually('all were told', () => seen.length === 4 && errors.length === 4);
    t.same(seen.splice(0), ['added a 1', 'synced', 'added b 6', 'added c 7']);
    t.match(
      errors.splice(0),
      Array.from({ length: 4 }, () => ({ message: /thrown|rejected/ })),
    );
    t.equal(watch.list().length, 3);
  }
});

test('close in the middle of a page tells nothing more', async (t) => {
  const server = await misbehavingServer(t);
  server.answer = calm(5, item('a', 1), item('b', 2));
  const changes: string[] = [];
  const { watch } = await watching(t, server, {
    onEvent: (change) => {
      changes.push(said(change));
      void watch.close();
    },
  });
  await eventually('told', () => changes.length > 0);
  await watch.close();
  t.same(changes, ['added a 1']);
});

const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

test('close, in every state, ends at once, tells nothing more and leaves no socket', async (t) => {
  const states: [name: string, answer: Answer, reached: (server: MisbehavingServer, errors: readonly unknown[]) => boolean][] = [
    ['before the first request', () => {}, () => true],
    ['waiting for the list', () => {}, (server) => server.arrivals.length === 1],
    [
      'in the middle of a list',
      (_request, response) => (response.writeHead(200), response.write('{')),
      (server) => server.arrivals.length === 1,
    ],
    [
      'waiting for the watch',
      (request, response) => (isWatch(request) ? undefined : sendJson(response, 200, listOf(1, []))),
      (server) => watches(server).length === 1,
    ],
    ['watching', calm(1), (server) => watches(server).length === 1],
    [
      'in the middle of a line',
      (request, response) => (isWatch(request) ? (stream(response), response.write('{')) : sendJson(response, 200, listOf(1, []))),
      (server) => watches(server).length === 1,
    ],
    ['in a long back-off', (_request, response) => sendJson(response, 500, null), (_server, errors) => errors.length === 1],
  ];
  for (const [name, answer, reached] of states) {
    const server = await misbehavingServer(t);
    server.answer = answer;
    const cluster = server.cluster();
    const changes: unknown[] = [];
    const errors: unknown[] = [];
    const watch = watchResource(cluster, {
      path,
      backoff: { minDelay: 600_000, maxDelay: 600_000 },
      onEvent: (change) => changes.push(change),
      onError: (error) => errors.push(error),
    });
    await eventually(name, () => reached(server, errors));
    const counted = [changes.length, errors.length];
    const began = performance.now();
    await Promise.all([watch.close(), watch.close()]);
    t.ok(performance.now() - began < 5000, name);
    if (!watch.isSynced) await t.rejects(watch.synced, { code: 'WATCH_CLOSED' });
    await cluster.close();
    await eventually('no socket is left', () => server.sockets.size === 0);
    t.same([changes.length, errors.length], counted, `${name}: nothing after close`);
  }
  // One is the time limit of the test itself.
  await eventually('no timer is left', () => timers() <= 1);
});
