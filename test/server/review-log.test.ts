/** The log: one line a review, with what an operator asks for and nothing that must stay secret. */
import { test } from 'tap';
import { loggedReviewKinds, type LoggedReviews } from '../../src/server/review-log.ts';
import { pod, reviewOf, type Json } from '../builders/pod.ts';
import { call } from './call.ts';
import { running } from './running.ts';

const owned: Json = {
  generateName: 'web-6d5f7c9b8d-',
  namespace: 'shop',
  ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-6d5f7c9b8d', uid: 'x', controller: true }],
};

test('the fields of a line', async (t) => {
  const server = await running(t);
  await call(server, {
    body: reviewOf({ object: pod({ metadata: owned, containers: { web: 'nginx:1.27', app: 'quay.io/acme/app:1' } }), dryRun: true }),
  });
  t.equal(server.lines.length, 1, 'one line');
  const { time: _time, durationMs, ...line } = { ...server.lines[0] } as Record<string, unknown>;
  t.type(durationMs, 'number');
  t.match(line, { images: [{ reason: /rule hub/ }, { reason: /rule vendor/ }] });
  const images = [
    { name: 'web', image: 'nginx:1.27', outcome: 'rewritten', rule: 'hub', result: 'localhost:30500/library/nginx:1.27' },
    {
      name: 'app',
      image: 'quay.io/acme/app:1',
      outcome: 'rewritten',
      rule: 'vendor',
      result: 'proxy.replicated.com/proxy/my-app/quay.io/acme/app:1',
    },
  ];
  t.match(line, { images });
  t.same(
    { ...line, images: null },
    {
      level: 'info',
      msg: 'review',
      uid: reviewOf({}).request.uid,
      namespace: 'shop',
      pod: 'web-6d5f7c9b8d-*',
      owner: 'ReplicaSet/web-6d5f7c9b8d',
      operation: 'CREATE',
      mode: 'enforce',
      dryRun: true,
      images: null,
      pullSecrets: ['replicatedregistrykey'],
    },
  );
});

const named = pod({ containers: { web: 'nginx' } });
const lines: readonly (readonly [name: string, path: string, body: object, line: object])[] = [
  ['a named pod', '/mutate', reviewOf({ object: named }), { level: 'info', pod: 'web', owner: null }],
  [
    'only the request has the name',
    '/mutate',
    { ...reviewOf({}), request: { ...reviewOf({}).request, name: 'asked', object: pod({ metadata: {}, containers: { web: 'nginx' } }) } },
    { pod: 'asked' },
  ],
  ['nobody has a name', '/mutate', reviewOf({ object: pod({ metadata: {}, containers: { web: 'nginx' } }) }), { pod: '' }],
  ['shadow', '/shadow', reviewOf({ object: named }), { mode: 'shadow', images: [{ outcome: 'rewritten' }], pullSecrets: [] }],
  [
    'a debug container',
    '/mutate',
    reviewOf({
      operation: 'UPDATE',
      subResource: 'ephemeralcontainers',
      object: pod({ ephemeralContainers: { debug: 'busybox' } }),
      oldObject: pod({}),
    }),
    { operation: 'UPDATE ephemeralcontainers' },
  ],
  [
    'an image that cannot be read',
    '/mutate',
    reviewOf({ object: pod({ containers: { web: 'a b' } }) }),
    { level: 'warn', images: [{ outcome: 'invalid', rule: null, result: null }] },
  ],
  [
    "another namespace's business",
    '/mutate',
    reviewOf({ namespace: 'kube-system', object: named }),
    { level: 'info', msg: 'review skipped', skipped: /kube-system/ },
  ],
  ['our own namespace', '/mutate', reviewOf({ namespace: 'transship', object: named }), { skipped: /transship itself/ }],
];

test('log lines by kind of review', async (t) => {
  for (const [name, path, body, expected] of lines) {
    const server = await running(t);
    t.equal((await call(server, { path, body })).status, 200, name);
    t.equal(server.lines.length, 1, name);
    t.match(server.lines[0], expected, name);
  }
});

const three: readonly (readonly [kind: string, body: object])[] = [
  ['rewritten', reviewOf({ object: pod({ containers: { web: 'nginx' } }) })],
  ['kept', reviewOf({ object: pod({ containers: { web: 'gcr.io/x/y' } }) })],
  ['problem', reviewOf({ object: pod({ containers: { web: 'a b' } }) })],
];
const logged: Readonly<Record<LoggedReviews, readonly string[]>> = {
  all: ['rewritten', 'kept', 'problem'],
  rewritten: ['rewritten', 'problem'],
  problems: ['problem'],
};

test('--log-reviews', async (t) => {
  for (const loggedReviews of loggedReviewKinds) {
    const server = await running(t, { loggedReviews });
    for (const [kind, body] of three) {
      const before = server.lines.length;
      await call(server, { body });
      t.equal(server.lines.length - before, logged[loggedReviews].includes(kind) ? 1 : 0, `${loggedReviews}: ${kind}`);
    }
  }
});

test('secrets of a pod are in no line, on no path', async (t) => {
  const server = await running(t);
  const secret = 'hunter2-planted';
  const object = pod({
    metadata: { name: 'web', namespace: 'shop', annotations: { password: secret }, labels: { token: secret } },
    spec: {
      containers: [
        { name: 'web', image: 'nginx', env: [{ name: 'PASSWORD', value: secret }], command: ['sh', '-c', secret] },
        { name: 'bad', image: 'a b', args: [secret] },
      ],
    },
  });
  const bodies: readonly (string | object)[] = [
    reviewOf({ object }),
    reviewOf({ object, namespace: 'kube-system' }),
    reviewOf({ operation: 'UPDATE', object, oldObject: object }),
    { ...reviewOf({ object }), apiVersion: 'v1' },
    { ...reviewOf({ object }), request: { object } },
    JSON.stringify(reviewOf({ object })).replace(`"${secret}"`, `"${secret}" ${secret}`),
    JSON.stringify(reviewOf({ object })).replace(`"${secret}"`, secret),
  ];
  for (const body of bodies) for (const path of ['/mutate', '/shadow', '/elsewhere']) await call(server, { path, body });
  t.equal(server.lines.length, bodies.length * 2);
  t.notMatch(JSON.stringify(server.lines), secret);
});

test('a pod author cannot write the log full: admission runs before validation, and names had no bound', async (t) => {
  const server = await running(t);
  const long = 'x'.repeat(1_000_000);
  const containers = Object.fromEntries(Array.from({ length: 500 }, (_value, n) => [`c${n}`, n === 0 ? `nginx:${long}` : `nginx:${n}`]));
  const { status } = await call(server, {
    body: reviewOf({
      namespace: long,
      operation: 'CREATE',
      object: pod({ metadata: { name: long, generateName: long }, containers: { [long]: long, ...containers } }),
    }),
  });
  t.equal(status, 200);
  const [line] = server.lines;
  t.equal(line?.['imagesLeftOut'], 401);
  const size = JSON.stringify(line).length;
  t.ok(size < 100_000, `${size} characters`);
});
