import type { KubernetesObject } from '@kubernetes/client-node';
import { test } from 'tap';

import { SharedWatch } from '../../src/cluster/watch.ts';
import { eventually } from './eventually.ts';
import { isWatch, item, listOf, misbehavingServer, sendJson, stream, type MisbehavingServer } from './misbehaving-server.ts';

const path = '/api/v1/namespaces';
const lists = ({ arrivals }: MisbehavingServer) => arrivals.filter(({ query }) => !query.has('watch')).length;

function sharing(server: MisbehavingServer) {
  const errors: unknown[] = [];
  const watch = new SharedWatch(
    server.cluster(),
    { path, backoff: { minDelay: 20, maxDelay: 100 } },
    {
      onError: (error) => errors.push(error),
    },
  );
  const follow = (project: (object: KubernetesObject) => KubernetesObject = (object) => object) => {
    const [events, own]: [string[], unknown[]] = [[], []];
    const followed = watch.follow({
      project,
      onEvent: ({ type, object }) => events.push(`${type} ${object?.metadata?.name ?? ''}`.trim()),
      onError: (error) => own.push(error),
    });
    return { followed, events, errors: own };
  };
  return { watch, errors, follow };
}

test('handlers that are added together share one list, and each keeps what it needs', async (t) => {
  const server = await misbehavingServer(t);
  server.answer = (request, response) =>
    isWatch(request) ? stream(response, ['ADDED', item('b', 6)]) : sendJson(response, 200, listOf(5, [item('a', 1)]));
  const { watch, follow } = sharing(server);
  const whole = follow();
  const names = follow(({ metadata }) => ({ metadata: { name: metadata?.name ?? '' } }));
  await Promise.all([whole.followed.synced, names.followed.synced]);
  await eventually('the event', () => whole.events.length === 3 && names.events.length === 3);
  t.same(whole.events, ['added a', 'synced', 'added b']);
  t.same(names.events, whole.events);
  t.same(names.followed.get('a'), { metadata: { name: 'a' } });
  t.equal(whole.followed.get('a')?.metadata?.resourceVersion, '1');
  t.ok(whole.followed.age() < 60_000);
  t.equal(lists(server), 1);

  await whole.followed.close();
  t.notOk(watch.isClosed, 'the other one is still there');
  await names.followed.close();
  t.ok(watch.isClosed);
  t.throws(() => follow(), { code: 'WATCH_CLOSED' });
});

test('a handler that comes late gets all objects; those before it are told nothing twice', async (t) => {
  const server = await misbehavingServer(t);
  server.answer = (request, response) => (isWatch(request) ? stream(response) : sendJson(response, 200, listOf(5, [item('a', 1)])));
  const { errors, follow } = sharing(server);
  const first = follow();
  await first.followed.synced;
  await eventually('the watch is open', () => server.arrivals.length === 2);
  const late = follow();
  t.notOk(late.followed.isSynced);
  t.ok(first.followed.isSynced, 'the first one knows what it knew');
  await late.followed.synced;
  t.same(late.events, ['added a', 'synced']);
  t.same(first.events, ['added a', 'synced', 'synced']);
  t.same([lists(server), errors, first.errors], [2, [], []], 'which is no error, and waits for no back-off');
  await Promise.all([first.followed.close(), late.followed.close()]);
});

test('a handler that comes in the middle of a list gets the pages before it', async (t) => {
  const server = await misbehavingServer(t);
  let pages = 0;
  server.answer = (request, response) => {
    if (isWatch(request)) return stream(response);
    if (request.url?.includes('continue=two') !== true) return sendJson(response, 200, listOf(5, [item('a', 1)], 'two'));
    pages += 1;
    // The first attempt never ends.
    return pages === 1 ? undefined : sendJson(response, 200, listOf(5, [item('b', 2)]));
  };
  const { follow } = sharing(server);
  const first = follow();
  await eventually('it waits for the second page', () => pages === 1);
  const late = follow();
  await Promise.all([first.followed.synced, late.followed.synced]);
  t.same(
    [first.events, late.events],
    [
      ['added a', 'added b', 'synced'],
      ['added a', 'added b', 'synced'],
    ],
  );
  await Promise.all([first.followed.close(), late.followed.close()]);
});

test('an error is told once for the watch, and to each handler; the exception of one handler is its own', async (t) => {
  const server = await misbehavingServer(t);
  let failures = 0;
  server.answer = (request, response) => {
    failures += 1;
    if (failures === 1) return sendJson(response, 500, null);
    return isWatch(request) ? stream(response) : sendJson(response, 200, listOf(5, [item('a', 1)]));
  };
  const { watch, errors, follow } = sharing(server);
  const calm = follow();
  const thrown: unknown[] = [];
  const throwing = watch.follow({
    onEvent: ({ type }) => {
      if (type === 'added') throw new Error('thrown');
    },
    onError: (error) => thrown.push(error),
  });
  await Promise.all([calm.followed.synced, throwing.synced]);
  t.equal(calm.errors.length, 1);
  t.same([errors.length, thrown.length], [2, 2]);
  await Promise.all([calm.followed.close(), throwing.close()]);
});
