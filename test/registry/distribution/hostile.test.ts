/** The client against servers that are no good registry: every answer is a value, in time, and no credential goes astray. */
import { once } from 'node:events';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { test, type Test } from 'tap';
import { parseReference, type Reference } from '../../../src/image/reference.ts';
import { DistributionClient, pingRegistry, type ClientOptions } from '../../../src/registry/distribution/client.ts';
import { createCa, issueServing } from '../../../src/tls/certificate.ts';
import { startLoopback, trustedPair, type Answer, type Loopback, type Received, type Reply } from '../loopback.ts';

const secret = 'correct-horse-battery';
const robot = { username: 'robot', password: secret };
const basic = `Basic ${Buffer.from(`robot:${secret}`).toString('base64')}`;
const never = new AbortController().signal;
/** Milliseconds: for where the end of the time is the point, and for anything else, so that a stalled machine is no slow server. */
const [brief, ample] = [500, 60_000];
const answer = (status: number, headers: Record<string, string> = {}, body = ''): Answer => ({ status, headers, body });
const bearer = (realm: string, rest = ''): Answer => answer(401, { 'www-authenticate': `Bearer realm="${realm}"${rest}` });

function imageAt(host: string): Reference {
  const parsed = parseReference(`${host}/team/app:1`);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.reference;
}

function client(t: Test, options: ClientOptions = {}): DistributionClient {
  const opened = new DistributionClient({ timeout: ample, ...options });
  t.teardown(() => opened.close());
  return opened;
}

interface Case {
  readonly reply: Reply | ((request: Received) => Reply);
  /** HOST stands for the server. */
  readonly expected: Record<string, unknown>;
  readonly requests?: number;
}

const failed = (result: string, reason: string, retryAfter: number | null = null): Record<string, unknown> => ({
  result,
  reason,
  retryAfter,
});
const page = { 'content-type': 'text/html; charset=utf-8' };

const cases: Readonly<Record<string, Case>> = {
  'a login page': {
    reply: answer(200, page),
    expected: failed('unknown', 'HOST answered with a web page: it is not a registry, or something in between asks for a login'),
  },
  'a page that says not found': {
    reply: answer(404, page),
    expected: failed('unknown', 'HOST answered 404 with a web page: it may not be a registry'),
  },
  '404': { reply: answer(404), expected: { result: 'missing' } },
  '403': { reply: answer(403), expected: failed('unauthorized', 'HOST answered 403') },
  '400': { reply: answer(400), expected: failed('unknown', 'HOST answered 400') },
  '429 with seconds': { reply: answer(429, { 'retry-after': '30' }), expected: failed('too-many-requests', 'HOST answered 429', 30_000) },
  '429 without': { reply: answer(429), expected: failed('too-many-requests', 'HOST answered 429') },
  '503': { reply: answer(503, { 'retry-after': '7' }), expected: failed('unreachable', 'HOST answered 503', 7_000) },
  '500': { reply: answer(500), expected: failed('unreachable', 'HOST answered 500') },
  'no digest': { reply: answer(200), expected: { result: 'present', digest: null } },
  'a digest that is none': {
    reply: answer(200, { 'docker-content-digest': 'sha256:"><script>' }),
    expected: { result: 'present', digest: null },
  },
  'the connection ends': { reply: 'reset', expected: failed('unreachable', 'HOST: it closed the connection (UND_ERR_SOCKET)') },
  '401 without a challenge': {
    reply: answer(401),
    expected: failed('unauthorized', 'HOST answered 401 without saying how to authenticate'),
    requests: 1,
  },
  'a scheme that nobody knows': {
    reply: answer(401, { 'www-authenticate': 'Negotiate, NTLM' }),
    expected: failed('unauthorized', 'HOST answered 401 and asks for negotiate, ntlm'),
    requests: 1,
  },
  'Basic for ever': {
    reply: answer(401, { 'www-authenticate': 'Basic realm="r"' }),
    expected: failed('unauthorized', 'HOST answered 401'),
    requests: 2,
  },
  'a Bearer challenge without a realm': {
    reply: answer(401, { 'www-authenticate': 'Bearer service="s"' }),
    expected: failed('unknown', 'http://HOST: it names no token server that may be asked'),
    requests: 1,
  },
  'a realm of another scheme': {
    reply: bearer('file:///etc/passwd'),
    expected: failed('unknown', 'http://HOST: it names no token server that may be asked'),
    requests: 1,
  },
  'a redirect without a location': { reply: answer(302), expected: failed('unknown', 'HOST redirects without saying where'), requests: 1 },
  'a redirect to another scheme': {
    reply: answer(302, { location: 'ftp://example.com/x' }),
    expected: failed('unknown', 'HOST redirects to ftp://example.com, which is not followed'),
    requests: 1,
  },
  'a redirect to itself': {
    reply: ({ url }) => answer(307, { location: url.pathname }),
    expected: failed('unknown', 'HOST redirects to HOST, which is not followed'),
    requests: 4,
  },
};

for (const [title, { reply, expected, requests }] of Object.entries(cases))
  test(title, async (t) => {
    const server = await startLoopback(t, (request) => (typeof reply === 'function' ? reply(request) : reply));
    const found = await client(t).headManifest(imageAt(server.host), { credential: robot, signal: never });
    const wanted = JSON.parse(JSON.stringify(expected).replaceAll('HOST', server.host)) as unknown;
    t.strictSame(found, wanted);
    if (requests !== undefined) t.equal(server.requests.length, requests);
  });

/** A registry that asks for a token of the server that `reply` is. */
async function withTokenServer(t: Test, reply: (request: Received) => Reply): Promise<{ registry: Loopback; tokens: Loopback }> {
  const tokens = await startLoopback(t, reply);
  const registry = await startLoopback(t, ({ headers }) =>
    headers.authorization === 'Bearer good'
      ? answer(200)
      : bearer(`${tokens.origin}/token`, ',service="s",scope="repository:team/app:pull"'),
  );
  return { registry, tokens };
}

const tokenReplies: Readonly<Record<string, readonly [reply: Reply, result: string, reason: string, retryAfter?: number]>> = {
  'a page': [
    answer(200, page, '<html>'),
    'unknown',
    'answered with a web page: it is not a registry, or something in between asks for a login',
  ],
  'no JSON': [answer(200, {}, '{'), 'unknown', ': it answered without a token'],
  'no token': [answer(200, {}, '{"token":7}'), 'unknown', ': it answered without a token'],
  'no object': [answer(200, {}, 'null'), 'unknown', ': it answered without a token'],
  'a token with a line break': [answer(200, {}, '{"token":"good\\r\\nx: y"}'), 'unknown', ': it answered without a token'],
  'a long response': [answer(200, {}, `{"token":"${'a'.repeat(100_000)}"}`), 'unknown', ': it answered without a token'],
  '401': [answer(401), 'unauthorized', ' answered 401'],
  '404': [answer(404), 'unknown', ' answered 404'],
  '429': [answer(429, { 'retry-after': '9' }), 'too-many-requests', ' answered 429', 9_000],
  '500': [answer(500), 'unreachable', ' answered 500'],
  'the connection ends': ['reset', 'unreachable', ': it closed the connection (UND_ERR_SOCKET)'],
};

for (const [title, [reply, result, reason, retryAfter]] of Object.entries(tokenReplies))
  test(`a token server: ${title}`, async (t) => {
    const { registry, tokens } = await withTokenServer(t, () => reply);
    const found = await client(t).headManifest(imageAt(registry.host), { credential: robot, signal: never });
    const separator = /^[ :]/.test(reason) ? '' : ' ';
    t.strictSame(found, failed(result, `the token server ${tokens.host}${separator}${reason}`, retryAfter ?? null));
    t.equal(registry.requests.length, 1);
  });

test('a registry without HEAD is asked with GET, as containerd does', async (t) => {
  const server = await startLoopback(t, ({ method }) => (method === 'HEAD' ? answer(405) : answer(200, {}, 'x'.repeat(100_000))));
  t.strictSame(await client(t).headManifest(imageAt(server.host), { credential: null, signal: never }), {
    result: 'present',
    digest: null,
  });
  t.strictSame(
    server.requests.map(({ method }) => method),
    ['HEAD', 'GET'],
  );
  const neither = await startLoopback(t, () => answer(405));
  t.match(
    await client(t).headManifest(imageAt(neither.host), { credential: null, signal: never }),
    failed('unknown', `${neither.host} answered 405`),
  );
});

test('the manifest of another digest is not the image', async (t) => {
  const [own, other] = ['0a', '0b'].map((hex) => `sha256:${hex.repeat(32)}`);
  let told = own ?? '';
  const server = await startLoopback(t, () => answer(200, { 'docker-content-digest': told }));
  const parsed = parseReference(`${server.host}/team/app@${own}`);
  if (!parsed.ok) throw new Error(parsed.problem);
  const ask = async () => await client(t).headManifest(parsed.reference, { credential: null, signal: never });
  t.strictSame(await ask(), { result: 'present', digest: own });
  told = other ?? '';
  t.strictSame(await ask(), failed('unknown', `${server.host} answered with the manifest of another digest`));
});

test('of an address that a registry names, a reason has a short part: it goes to the log, an event and a ConfigMap', async (t) => {
  const long = `${'a'.repeat(5_000)}.example.com`;
  for (const reply of [
    bearer(`https://${long}/token`),
    answer(307, { location: `https://${long}/` }),
    answer(307, { location: `${'s'.repeat(5_000)}://${long}/` }),
  ]) {
    const server = await startLoopback(t, () => reply);
    const found = await client(t).headManifest(imageAt(server.host), { credential: robot, signal: never });
    t.ok('reason' in found && found.reason.length < 700, JSON.stringify(found).slice(0, 200));
  }
});

test('a token server that redirects gets no second request', async (t) => {
  const other = await startLoopback(t, () => answer(200, {}, '{"token":"good"}'));
  const { registry, tokens } = await withTokenServer(t, () => answer(307, { location: `${other.origin}/token` }));
  const found = await client(t).headManifest(imageAt(registry.host), { credential: robot, signal: never });
  t.strictSame(found, failed('unknown', `${tokens.host} redirects to ${other.host}, which is not followed`));
  t.strictSame(other.requests, []);
});

test('a token that is never good is asked for once', async (t) => {
  const { registry, tokens } = await withTokenServer(t, () => answer(200, {}, '{"access_token":"bad","expires_in":"soon"}'));
  const found = await client(t).headManifest(imageAt(registry.host), { credential: robot, signal: never });
  t.strictSame(found, failed('unauthorized', `${registry.host} answered 401`));
  t.strictSame([registry.requests.length, tokens.requests.length], [2, 1]);
});

test('a token is used until shortly before it expires, and once more asked for when it is refused', async (t) => {
  let now = 1_000_000;
  let token = 'good';
  const { registry, tokens } = await withTokenServer(t, () => answer(200, {}, JSON.stringify({ token, expires_in: 100 })));
  const opened = client(t, { now: () => now });
  const ask = async (): Promise<string> => (await opened.headManifest(imageAt(registry.host), { credential: robot, signal: never })).result;
  t.strictSame([await ask(), tokens.requests.length], ['present', 1]);
  t.equal(tokens.requests[0]?.headers.authorization, basic);
  now += 79_000;
  t.strictSame([await ask(), tokens.requests.length], ['present', 1]);
  now += 2_000;
  token = 'old';
  t.strictSame([await ask(), tokens.requests.length], ['unauthorized', 2]);
  token = 'good';
  t.strictSame([await ask(), tokens.requests.length], ['present', 3], 'the token that was refused is forgotten');
});

test('credentials stay with the host they are for', async (t) => {
  const other = await startLoopback(t, ({ url }) =>
    url.pathname.endsWith('/open') ? answer(200) : answer(401, { 'www-authenticate': 'Basic realm="r"' }),
  );
  let location = '/open';
  const registry = await startLoopback(t, ({ headers }) =>
    headers.authorization === undefined
      ? answer(401, { 'www-authenticate': 'Basic realm="r"' })
      : answer(307, { location: `http://user:${secret}@${other.host}${location}` }),
  );
  const ask = async () => await client(t).headManifest(imageAt(registry.host), { credential: robot, signal: never });
  t.strictSame(await ask(), { result: 'present', digest: null }, 'a redirect to another host is followed');
  location = '/asks';
  t.strictSame(await ask(), failed('unauthorized', `${registry.host} answered 401`), 'and its challenge is not answered');
  t.equal(other.requests.length, 2);
  for (const { headers } of other.requests) t.notOk(JSON.stringify(headers).includes('asic'));
});

test('neither a redirect nor a token leaves TLS', async (t) => {
  const pair = await trustedPair(t);
  const plain = await startLoopback(t, () => answer(200));
  const replies = [answer(307, { location: plain.origin }), bearer(`${plain.origin}/token`)];
  for (const reply of replies) {
    const registry = await startLoopback(t, () => reply, pair);
    const request = { credential: robot, signal: never, origin: registry.origin };
    t.match(await client(t).headManifest(imageAt(registry.host), request), {
      result: 'unknown',
      reason: / not followed| that may be asked/,
    });
  }
  t.strictSame(plain.requests, []);
});

test('certificates', async (t) => {
  const pair = await trustedPair(t);
  const trusted = await startLoopback(t, () => answer(200), pair);
  const unknownCa = await createCa('unknown', { lifetime: 3_600_000 });
  const untrusted = await startLoopback(t, () => answer(200), await issueServing(unknownCa, ['127.0.0.1'], { lifetime: 3_600_000 }));
  const plain = await startLoopback(t, () => answer(200));
  const ask = async (origin: string) => await client(t).headManifest(imageAt('registry.test'), { credential: null, signal: never, origin });
  t.strictSame(await ask(trusted.origin), { result: 'present', digest: null });
  t.match(await ask(untrusted.origin), { result: 'unreachable', reason: /its certificate is not trusted/ });
  t.match(await ask(trusted.origin.replace('127.0.0.1', 'localhost')), {
    result: 'unreachable',
    reason: /its certificate is for another name/,
  });
  t.match(await ask(`https://${plain.host}`), { result: 'unreachable', reason: /it does not speak TLS on this port/ });
});

/** @param respond writes bytes as it likes */
async function startTcp(t: Test, respond: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).once('data', () => respond(socket));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const repeat = (socket: Socket, text: string, delay: number): void => {
  const timer = setInterval(() => socket.write(text), delay);
  socket.once('close', () => clearInterval(timer));
};

const streams: Readonly<Record<string, readonly [respond: (socket: Socket) => void, reason: RegExp, timeout: number]>> = {
  'no answer': [() => {}, /it did not answer in time/, brief],
  'headers that trickle': [
    (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      repeat(socket, 'x: y\r\n', 50);
    },
    /it did not answer in time/,
    brief,
  ],
  'headers without end': [
    (socket) => repeat(socket, `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`, 5),
    /the headers of its response are too long/,
    ample,
  ],
  'no HTTP': [(socket) => socket.end('SSH-2.0-OpenSSH_9.9\r\n'), /its response is not HTTP|the connection failed \(HPE_/, ample],
};

for (const [title, [respond, reason, timeout]] of Object.entries(streams))
  test(title, async (t) => {
    const host = await startTcp(t, respond);
    const opened = client(t, { timeout });
    t.match(await opened.headManifest(imageAt(host), { credential: null, signal: never }), { result: 'unreachable', reason });
    t.match(await opened.ping(`http://${host}`, never), { ok: false, reason });
  });

test('a body without end is not read', async (t) => {
  const host = await startTcp(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    repeat(socket, 'a'.repeat(50_000), 1);
  });
  const opened = client(t);
  t.strictSame(await opened.ping(`http://${host}`, never), { ok: true });
});

test('a token without end is not read', async (t) => {
  const tokens = await startTcp(t, (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n');
    repeat(socket, ' '.repeat(50_000), 1);
  });
  const registry = await startLoopback(t, () => bearer(`http://${tokens}/token`));
  const found = await client(t).headManifest(imageAt(registry.host), { credential: null, signal: never });
  t.strictSame(found, failed('unknown', `the token server ${tokens}: it answered without a token`));
});

test('a signal ends a question, and close ends all', async (t) => {
  const server = await startLoopback(t, () => 'hang');
  const opened = client(t);
  const stopping = new AbortController();
  const asked = opened.headManifest(imageAt(server.host), { credential: null, signal: stopping.signal });
  const pinged = opened.ping(server.origin, stopping.signal);
  stopping.abort(new Error('stopped'));
  await t.rejects(asked, { message: 'stopped' });
  await t.rejects(pinged, { message: 'stopped' });
  const cut = opened.headManifest(imageAt(server.host), { credential: null, signal: never });
  await opened.close();
  t.match(await cut, { result: 'unreachable' });
});

const pings: readonly (readonly [Answer, { ok: boolean; reason?: string }])[] = [
  [answer(200), { ok: true }],
  [bearer('https://auth.example.com/token'), { ok: true }],
  [answer(403), { ok: true }],
  [answer(401, page), { ok: false, reason: 'HOST answered 401' }],
  [answer(404), { ok: false, reason: 'HOST answered 404 to /v2/' }],
  [answer(429), { ok: false, reason: 'HOST answered 429' }],
  [answer(502), { ok: false, reason: 'HOST answered 502' }],
  [
    answer(200, page),
    { ok: false, reason: 'HOST answered with a web page: it is not a registry, or something in between asks for a login' },
  ],
];

test('ping', async (t) => {
  let reply: Answer = answer(200);
  const server = await startLoopback(t, () => reply);
  for (const [each, expected] of pings) {
    reply = each;
    const found = await pingRegistry(`${server.host}/mirror`, { signal: never });
    t.strictSame(found, JSON.parse(JSON.stringify(expected).replaceAll('HOST', server.host)));
  }
  t.ok(server.requests.every(({ method, url }) => method === 'GET' && url.pathname === '/v2/'));
  t.match(await pingRegistry('registry.invalid', { signal: never }), { ok: false, reason: /its name/ });
  const refusing = server.host.replace(/\d+$/, '1');
  t.strictSame(await pingRegistry(refusing, { signal: never }), {
    ok: false,
    reason: `${refusing}: it refuses connections (ECONNREFUSED)`,
  });
});
