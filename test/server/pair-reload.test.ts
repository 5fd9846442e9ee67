/** The certificate replaced while connections are open: new handshakes get the new one, and a bad one changes nothing. */
import { test } from 'tap';
import { pod, reviewOf } from '../builders/pod.ts';
import { mounted, type Content } from '../files/mounted.ts';
import { authority, otherAuthority, servingPair } from '../tls/pairs.ts';
import { call, dial, receive } from './call.ts';
import { metricsOf, running, type Running } from './running.ts';
import { until } from './until.ts';

const review = reviewOf({ object: pod({ containers: { web: 'nginx:1.27' } }) });
const filesOf = ({ cert, key }: { cert: string; key: string }): Content => ({ 'tls.crt': cert, 'tls.key': key });

/** What a new handshake is shown. */
async function shown(server: Running): Promise<string> {
  const socket = await dial(server, { ca: [authority.cert, otherAuthority.cert] });
  const { serialNumber } = socket.getPeerCertificate();
  socket.destroy();
  return serialNumber;
}

const counted = async (server: Running, result: string): Promise<number> =>
  (await metricsOf(server)).get(`transship_certificate_reloads_total{result="${result}"}`) ?? 0;

const good = await servingPair();
const other = await servingPair();
const expired = await servingPair(authority, -60_000);

const bad: readonly (readonly [name: string, content: Content, says: RegExp])[] = [
  ['a key of another certificate', filesOf({ cert: good.cert, key: other.key }), /tls\.key is not the key of .*tls\.crt/],
  ['an expired certificate', filesOf(expired), /tls\.crt expired at \d{4}-.*; renew it/],
  ['half a certificate', filesOf({ cert: good.cert.slice(0, 200), key: good.key }), /tls\.crt does not hold a PEM certificate/],
  ['half a key', filesOf({ cert: good.cert, key: good.key.slice(0, 100) }), /tls\.key does not hold a PEM private key/],
  [
    'a chain with half of its authority',
    filesOf({ cert: good.cert + authority.cert.slice(0, 200), key: good.key }),
    /tls\.crt does not hold a certificate chain/,
  ],
  ['empty files', filesOf({ cert: '', key: '' }), /tls\.crt does not hold/],
  ['no key', { 'tls.crt': good.cert }, /tls\.key cannot be read/],
  ['no files', {}, /cannot be read/],
  ['a certificate for a key', filesOf({ cert: good.cert, key: good.cert }), /tls\.key does not hold a PEM private key/],
];

test('a bad pair is refused once and the last good one stays; a new one is used from the next handshake on', async (t) => {
  const files = await mounted(t.testdir({}), filesOf(good));
  const server = await running(t, { tls: { certFile: files.path('tls.crt'), keyFile: files.path('tls.key') } });
  const socket = await dial(server);
  const received = receive(socket);
  const first = await shown(server);

  for (const [n, [name, content, says]] of bad.entries()) {
    await files.swap(content);
    await until(`${name} is refused`, async () => (await counted(server, 'refused')) === n + 1);
    t.match(server.lines.at(-1), { level: 'error', msg: says }, name);
    t.match(server.lines.at(-1)?.msg, /the last good one stays in use/, name);
    t.equal(await shown(server), first, name);
    t.equal((await call(server, { body: review })).status, 200, name);
  }
  t.notMatch(JSON.stringify(server.lines), good.key.split('\n')[1] ?? '', 'no key in the log');

  const before = (await metricsOf(server)).get('transship_certificate_expiry_timestamp_seconds') ?? 0;
  for (const [n, issuer] of [authority, otherAuthority, authority].entries()) {
    const earlier = await shown(server);
    await files.swap(filesOf(await servingPair(issuer, 2 * 60 * 60_000)));
    await until('it is shown', async () => (await shown(server)) !== earlier);
    t.equal(await counted(server, 'loaded'), n + 1);
  }
  const after = (await metricsOf(server)).get('transship_certificate_expiry_timestamp_seconds') ?? 0;
  t.ok(after > before + 3000, 'the metric says until when');
  await files.swap(filesOf(good));
  await until('and back', async () => (await shown(server)) === first);

  socket.write('GET /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  t.match(await received.closed, /^HTTP\/1\.1 200 /, 'the connection from before all of that still serves');
});

test('pairs that follow each other under load: every handshake is whole', async (t) => {
  const files = await mounted(t.testdir({}), filesOf(good));
  const server = await running(t, { tls: { certFile: files.path('tls.crt'), keyFile: files.path('tls.key') } });
  const over = new AbortController();
  const load = Array.from({ length: 2 }, async () => {
    const statuses = new Set<number>();
    while (!over.signal.aborted) statuses.add((await call(server, { body: review })).status);
    return [...statuses];
  });
  for (let n = 0; n < 50; n += 1) await files.swap(filesOf(n % 2 === 0 ? other : good));
  const last = await servingPair();
  const before = await shown(server);
  await files.swap(filesOf(last));
  await until('the last one is shown', async () => (await shown(server)) !== before && (await counted(server, 'loaded')) > 0);
  over.abort();
  t.same(await Promise.all(load), [[200], [200]]);
});
