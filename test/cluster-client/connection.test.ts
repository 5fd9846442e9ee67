import { execFile } from 'node:child_process';
import { readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createConnection, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { mock } from 'node:test';
import { promisify } from 'node:util';
import { test } from 'tap';

import { connect, connectWith } from '../../src/cluster/connection.ts';
import { serviceAccount } from '../../src/cluster/credentials.ts';
import { kubeconfigCredentials } from '../../src/cluster/kubeconfig.ts';
import { applyObject } from '../../src/cluster/object-writes.ts';
import { resourcePath } from '../../src/cluster/resource-path.ts';
import { eventually } from './eventually.ts';
import { listOf, misbehavingServer, sendJson, status, stream } from './misbehaving-server.ts';

const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'n' } };
const { signal } = new AbortController();

test('requests and applies share one TLS handshake', async (t) => {
  const server = await misbehavingServer(t);
  server.answer = (_request, response) => sendJson(response, 200, listOf(1, []));
  const cluster = server.cluster();
  for (let call = 0; call < 100; call++) {
    await (await cluster.request('/api/v1/namespaces', { query: { limit: 1, continue: undefined } })).json();
    await applyObject(cluster, secret, signal);
  }
  t.equal(server.arrivals.length, 200);
  // Two: the second call may start before the pool knows that the first one's connection is free.
  t.ok(server.handshakes() <= 2, `${server.handshakes()} handshakes`);
  t.equal(server.arrivals[0]?.query.toString(), 'limit=1', 'what is undefined is not sent');
});

test('calls at the same time do not share a connection, and an open watch does not hold them up', async (t) => {
  const server = await misbehavingServer(t);
  server.answer = (request, response) => (request.url === '/watch' ? stream(response) : sendJson(response, 200, {}));
  const cluster = server.cluster();
  await cluster.request('/watch', {});
  await Promise.all([1, 2, 3].map(async () => (await cluster.request('/x', {})).json()));
  t.ok(server.handshakes() <= 4);
  t.equal(server.arrivals.length, 4);
});

test('an apply is a PATCH of the whole object, owned by the field manager', async (t) => {
  const server = await misbehavingServer(t);
  server.answer = (_request, response) => sendJson(response, 201, { kind: 'Secret', metadata: { resourceVersion: '7' } });
  const cluster = server.cluster();
  t.equal(await applyObject(cluster, secret, signal), '7');
  const [arrival] = server.arrivals;
  t.match(arrival, { method: 'PATCH', path: '/api/v1/namespaces/n/secrets/s' });
  t.same(Object.fromEntries(arrival?.query ?? []), { fieldManager: 'transship-controller', force: 'true' });
  t.match(arrival?.headers, {
    'content-type': 'application/apply-patch+yaml',
    authorization: 'Bearer planted-token',
    'user-agent': 'transship',
  });
});

test('a refused apply rejects with what it means, without token or body', async (t) => {
  const server = await misbehavingServer(t);
  server.answer = (_request, response) => sendJson(response, 409, status(409, 'Conflict', 'conflict with "helm": .data'));
  const applying = applyObject(server.cluster(), secret, signal);
  await t.rejects(applying, { status: 409, message: 'apply /api/v1/namespaces/n/secrets/s: 409 Conflict: conflict with "helm": .data' });
});

test('a raw request resolves whatever the status, and rejects when there is no answer', async (t) => {
  const server = await misbehavingServer(t);
  const cluster = server.cluster();
  server.answer = (_request, response) => sendJson(response, 429, status(429, 'TooManyRequests'), { 'retry-after': '7' });
  const response = await cluster.request('/x', {});
  t.match(response, { status: 429, retryAfter: 7000 });
  t.match(await response.json(), { reason: 'TooManyRequests' });
  server.answer = (request) => request.socket.destroy();
  await t.rejects(cluster.request('/x', {}), { code: 'UND_ERR_SOCKET' });
  server.answer = () => {};
  await t.rejects(cluster.request('/x', { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' });
  await server.stop();
  await t.rejects(cluster.request('/x', {}), { code: 'ECONNREFUSED' });
});

test('another CA file means new connections, and the stream that is open goes on', async (t) => {
  const server = await misbehavingServer(t);
  const cluster = server.cluster();
  const released = Promise.withResolvers<void>();
  server.answer = (request, response) => {
    if (request.url !== '/watch') return sendJson(response, 200, {});
    stream(response);
    void released.promise.then(() => response.end('more\n'));
  };
  const open = await cluster.request('/watch', {});
  const authority = await server.changeCertificate();
  writeFileSync(`${server.authorityFile}.new`, authority);
  renameSync(`${server.authorityFile}.new`, server.authorityFile);
  await (await cluster.request('/x', {})).json();
  await (await cluster.request('/x', {})).json();
  t.ok(server.handshakes() > 1 && server.handshakes() <= 3, `${server.handshakes()} handshakes`);
  released.resolve();
  const chunks = [];
  for await (const chunk of open.body) chunks.push(Buffer.from(chunk).toString());
  t.equal(chunks.join(''), 'more\n');
});

test('a server with a certificate of another CA is refused', async (t) => {
  const server = await misbehavingServer(t);
  await server.changeCertificate();
  const error: unknown = await server
    .cluster()
    .request('/x', {})
    .catch((thrown: unknown) => thrown);
  t.match(error, { code: /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_SIGNATURE_FAILURE/ });
  t.equal(server.arrivals.length, 0, 'the token was not sent');
});

test('a token file is read again', async (t) => {
  const tokenFile = join(t.testdir({ token: 'first\n' }), 'token');
  const server = await misbehavingServer(t, { 'auth-provider': { name: 'tokenFile', config: { tokenFile } } });
  server.answer = (_request, response) => sendJson(response, 200, {});
  mock.timers.enable({ apis: ['Date'], now: Date.now() });
  t.teardown(() => mock.timers.reset());
  const cluster = server.cluster();
  const call = async () => (await cluster.request('/x', {})).json();
  await call();
  writeFileSync(tokenFile, 'second\n');
  mock.timers.setTime(Date.now() + 61_000);
  await call();
  t.same(
    server.arrivals.map(({ headers }) => headers.authorization),
    ['Bearer first', 'Bearer second'],
  );
});

test('the namespace is that of the service account, or of the context; else default', (t) => {
  const inPod = (files: Readonly<Record<string, string>>): string =>
    serviceAccount({ KUBERNETES_SERVICE_HOST: '127.0.0.1' }, t.testdir(files)).namespace;
  t.equal(inPod({ namespace: 'shop\n' }), 'shop');
  t.equal(inPod({}), 'default');
  const kubeconfig = (context: object): string => {
    const clusters = [{ name: 'one', cluster: { server: 'https://127.0.0.1:1' } }];
    const file = { apiVersion: 'v1', kind: 'Config', clusters, contexts: [{ name: 'here', context }], 'current-context': 'here' };
    return join(t.testdir({ config: JSON.stringify(file) }), 'config');
  };
  t.equal(kubeconfigCredentials(kubeconfig({ cluster: 'one', user: '', namespace: 'shop' })).namespace, 'shop');
  t.equal(kubeconfigCredentials(kubeconfig({ cluster: 'one', user: '' })).namespace, 'default');
  t.end();
});

test("a pod's service account: the token is always the newest, and the client library is not loaded", async (t) => {
  const server = await misbehavingServer(t);
  server.answer = (_request, response) => sendJson(response, 200, {});
  const folder = t.testdir({ token: 'first\n', 'ca.crt': readFileSync(server.authorityFile) });
  const { hostname, port } = new URL(server.url);
  const cluster = connectWith(serviceAccount({ KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port }, folder));
  t.teardown(() => cluster.close());
  const call = async () => (await cluster.request('/x', {})).json();
  await call();
  writeFileSync(join(folder, 'token'), 'second\n');
  await call();
  t.same(
    server.arrivals.map(({ headers }) => headers.authorization),
    ['Bearer first', 'Bearer second'],
  );
  unlinkSync(join(folder, 'token'));
  await t.rejects(call(), { code: 'ENOENT' });
  writeFileSync(join(folder, 'token'), 'third');
  await call();
  t.equal(server.arrivals.at(-1)?.headers.authorization, 'Bearer third');
});

/** Whether a program that connects, and then does this, has loaded the library. */
const loaded = async (then: string): Promise<string> => {
  const program = `
    import { registerHooks } from 'node:module'
    let isLoaded = false
    registerHooks({ load: (url, context, next) => { isLoaded ||= url.includes('client-node'); return next(url, context) } })
    const { serviceAccount } = await import(${JSON.stringify(new URL('../../src/cluster/credentials.ts', import.meta.url).href)})
    const { connect, connectWith } = await import(${JSON.stringify(new URL('../../src/cluster/connection.ts', import.meta.url).href)})
    connectWith(serviceAccount({ KUBERNETES_SERVICE_HOST: '127.0.0.1' }))
    ${then}
    console.log(isLoaded)`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  return stdout.trim();
};

test('the client library is loaded when a kubeconfig needs it, and not before', async (t) => {
  const server = await misbehavingServer(t);
  t.equal(await loaded(''), 'false');
  t.equal(await loaded(`await connect({ kubeconfig: ${JSON.stringify(server.kubeconfig)} })`), 'true');
});

test('the address of an API server', (t) => {
  const table: [environment: NodeJS.ProcessEnv, server: string][] = [
    [{ KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' }, 'https://10.0.0.1:6443'],
    [{ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }, 'https://[fd00::1]:443'],
    [{ KUBERNETES_SERVICE_HOST: 'kubernetes' }, 'https://kubernetes:443'],
  ];
  for (const [environment, server] of table) t.equal(serviceAccount(environment).server, server);
  t.throws(() => serviceAccount({}), { code: 'CLUSTER_CONFIG_INVALID', message: /run in a pod/ });
  t.end();
});

test('without a file: $KUBECONFIG, else the pod', async (t) => {
  const server = await misbehavingServer(t);
  server.answer = (_request, response) => sendJson(response, 200, {});
  const before = { ...process.env };
  t.teardown(() => {
    process.env = before;
  });
  process.env['KUBERNETES_SERVICE_HOST'] = '127.0.0.1';
  process.env['KUBECONFIG'] = server.kubeconfig;
  const chosen = await connect();
  delete process.env['KUBECONFIG'];
  const inPod = await connect();
  t.teardown(() => Promise.all([chosen.close(), inPod.close()]));
  t.equal((await chosen.request('/x', {})).status, 200);
  await t.rejects(inPod.request('/x', {}), { code: 'ENOENT', path: /^\/var\/run\/secrets\/kubernetes\.io\/serviceaccount\// });
});

test('basic authentication of a kubeconfig', async (t) => {
  const server = await misbehavingServer(t, { username: 'a', password: 'b' });
  server.answer = (_request, response) => sendJson(response, 200, {});
  await (await server.cluster().request('/x', {})).json();
  t.equal(server.arrivals[0]?.headers.authorization, 'Basic YTpi');
});

test('close breaks what is in flight and leaves no socket', async (t) => {
  const server = await misbehavingServer(t);
  server.answer = (request, response) => {
    if (request.url === '/watch') stream(response, ['ADDED', {}]);
  };
  const cluster = server.cluster();
  const { body } = await cluster.request('/watch', {});
  const waiting = cluster.request('/never', {});
  const reading = (async () => {
    for await (const _chunk of body);
  })();
  await eventually('both have arrived', () => server.arrivals.length === 2);
  await Promise.all([t.rejects(waiting), t.rejects(reading), cluster.close()]);
  await eventually('no socket is left', () => server.sockets.size === 0);
  await t.rejects(cluster.request('/x', {}), 'and it does not come back');
  const unused = server.cluster();
  await unused.close();
  await t.rejects(unused.request('/x', {}), { code: 'UND_ERR_CLOSED' });
});

const kubeconfig = (cluster: object) =>
  JSON.stringify({
    'current-context': 'c',
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'c', user: {} }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
  });

test('through the proxy of a kubeconfig', async (t) => {
  const server = await misbehavingServer(t);
  server.answer = (_request, response) => sendJson(response, 200, { kind: 'Namespace' });
  const targets: string[] = [];
  const proxy = createServer((_request, response) => response.writeHead(400).end());
  proxy.on('connect', (request, socket) => {
    targets.push(request.url ?? '');
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const upstream = createConnection(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    for (const end of [socket, upstream]) end.on('error', () => void [socket, upstream].map((each) => each.destroy()));
  });
  proxy.listen(0, '127.0.0.1');
  await new Promise((resolve) => void proxy.once('listening', resolve));
  t.teardown(() => void proxy.close());
  const { port } = proxy.address() as AddressInfo;
  const folder = t.testdir({
    through: kubeconfig({
      server: server.url,
      'certificate-authority': server.authorityFile,
      'proxy-url': `http://127.0.0.1:${port}`,
    }),
    nowhere: kubeconfig({ server: server.url, 'insecure-skip-tls-verify': true, 'proxy-url': 'http://127.0.0.1:1' }),
  });
  const cluster = await connect({ kubeconfig: join(folder, 'through') });
  t.match(await (await cluster.request('/api/v1/namespaces/a', {})).json(), { kind: 'Namespace' });
  t.strictSame(targets, [new URL(server.url).host]);
  await cluster.close();
  const unreached = await connect({ kubeconfig: join(folder, 'nowhere') });
  await t.rejects(unreached.request('/api/v1/namespaces/a', {}), { code: 'ECONNREFUSED' });
  await unreached.close();
});

test('a configuration that cannot be used', async (t) => {
  const folder = t.testdir({
    garbage: '{',
    empty: '{}',
    plain: kubeconfig({ server: 'http://127.0.0.1:1', 'insecure-skip-tls-verify': true }),
    proxy: kubeconfig({ server: 'https://127.0.0.1:1', 'proxy-url': 'ftp://127.0.0.1:2' }),
  });
  const table: [file: string, message: RegExp][] = [
    ['missing', /missing cannot be read: no such file/],
    ['garbage', /garbage cannot be read: it is not a kubeconfig/],
    ['empty', /empty names no Kubernetes API server with an https address; name a kubeconfig/],
    ['plain', /https address/],
    ['proxy', /cluster c: proxy-url ftp:\/\/127\.0\.0\.1:2 is not supported/],
  ];
  for (const [file, message] of table)
    await t.rejects(connect({ kubeconfig: join(folder, file) }), { code: 'CLUSTER_CONFIG_INVALID', message }, file);
});

test('paths', (t) => {
  const [registration, configuration] = ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'];
  const table: [apiVersion: string, kind: string, metadata: object | undefined, path: string | RegExp][] = [
    ['v1', 'Secret', { name: 'a', namespace: 'n' }, '/api/v1/namespaces/n/secrets/a'],
    [registration, configuration, { name: 'a' }, `/apis/${registration}/mutatingwebhookconfigurations/a`],
    ['v1', 'Secret', { name: 'a' }, /Secret a needs a metadata.namespace/],
    [registration, configuration, { name: 'a', namespace: 'n' }, /MutatingWebhookConfiguration a takes no metadata.namespace/],
    ['v1', 'Secret', undefined, /without metadata.name/],
    ['v1', 'Secret', { name: '../x', namespace: 'n' }, '/api/v1/namespaces/n/secrets/..%2Fx'],
    ['v2', 'Secret', { name: 'a', namespace: 'n' }, /no path is known for v2 Secret/],
  ];
  for (const [apiVersion, kind, metadata, expected] of table) {
    const object = { apiVersion, kind, ...(metadata !== undefined && { metadata }) };
    if (typeof expected === 'string') t.equal(resourcePath(object), expected);
    else t.throws(() => resourcePath(object), { code: 'RESOURCE_PATH_UNKNOWN', message: expected });
  }
  t.end();
});
