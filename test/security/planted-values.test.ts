/** A process of `serve` with secrets in everything that it reads, led through every error there is: none of them is in its output. */
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'tap';
import { pod, reviewOf } from '../builders/pod.ts';
import { serving } from '../cli/child.ts';
import { mounted } from '../files/mounted.ts';
import { call, dial, exchange, receive } from '../server/call.ts';
import { until } from '../server/until.ts';
import { servingPair } from '../tls/pairs.ts';

const planted = 'PLANTED';
const value = `hunter2-${planted}-value`;
const base64 = Buffer.from(value).toString('base64');

const object = pod({
  metadata: {
    name: 'web',
    namespace: 'shop',
    annotations: { note: value, 'transship.dev/original-images': `{"containers/web":"${value}` },
    labels: { token: value },
  },
  spec: {
    containers: [
      { name: 'web', image: 'nginx', env: [{ name: 'PASSWORD', value }], command: ['sh', '-c', value] },
      { name: 'bad', image: 'a b', args: [value] },
    ],
    serviceAccountName: value,
  },
});
const good = JSON.stringify(reviewOf({ object }));
const bodies: readonly string[] = [
  good,
  JSON.stringify(reviewOf({ object, oldObject: object, operation: 'UPDATE' })),
  good.replace('"shop"', '"kube-system"'),
  good.replace('"v1"', value),
  good.replace(`"${value}"`, `"${value}" ${value}`),
  good.slice(0, good.indexOf(value) + value.length),
  good.replaceAll('"uid"', '"uuid"'),
  `${'['.repeat(20_000)}"${value}"`,
  value,
  `{"kind":${value}`,
];
const secretHeaders = { authorization: `Bearer ${value}`, cookie: value, 'x-forwarded-for': value };

test('secrets are in no line, on no path', async (t) => {
  const folder = t.testdir({});
  await mkdir(join(folder, 'pair'));
  const first = await servingPair();
  const pair = await mounted(join(folder, 'pair'), { 'tls.crt': first.cert, 'tls.key': first.key });
  const server = await serving(t, {
    args: ['--tls-cert', pair.path('tls.crt'), '--tls-key', pair.path('tls.key'), '--log-level', 'trace', '--log-reviews', 'all'],
    env: { AWS_SECRET_ACCESS_KEY: value },
  });

  for (const body of bodies)
    for (const path of ['/mutate', '/shadow', `/mutate?token=${value}`, `/${value}`])
      await call(server, { path, body, headers: secretHeaders });
  await call(server, { body: good, headers: { ...secretHeaders, 'content-encoding': 'gzip' } });
  await call(server, { body: Buffer.alloc(9 * 1024 * 1024, value) }).catch(() => {});
  await exchange(server, `${value} / HTTP/1.1\r\n\r\n`);
  await exchange(server, `POST /mutate HTTP/1.1\r\nHost: a\r\nX: ${value.repeat(2000)}\r\n\r\n`);
  const half = await dial(server);
  const received = receive(half);
  half.write(`POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${good}`);
  half.destroy();
  await received.closed;
  const plain = connect({ host: '127.0.0.1', port: server.port }, () => plain.end(`GET /${value} HTTP/1.1\r\n\r\n`));
  plain.on('error', () => {});
  plain.resume();
  await once(plain, 'close');

  const { cert, key } = await servingPair();
  const brokenPairs = [
    { 'tls.crt': cert, 'tls.key': `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n` },
    { 'tls.crt': `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`, 'tls.key': key },
    { 'tls.crt': cert, 'tls.key': first.key },
    { 'tls.crt': cert },
  ];
  for (const [index, content] of brokenPairs.entries()) {
    await pair.swap(content);
    await until(
      `pair ${index} is refused`,
      () => server.log.filter(({ msg }) => msg.startsWith('the changed certificate is refused')).length === index + 1,
    );
  }
  server.process.kill('SIGTERM');
  server.process.kill('SIGINT');
  await server.ended;

  const output = server.stdout() + server.stderr();
  const levels = new Set(server.log.map(({ level }) => level));
  t.same([...levels].toSorted(), ['error', 'info', 'warn'], 'the paths were walked');
  t.ok(server.log.length > 30, `${server.log.length} lines`);
  for (const word of [planted, base64, keyBytes(first.key), keyBytes(key)]) t.notOk(output.includes(word), word.slice(0, 12));
});

/** The middle of a private key, in base64. */
function keyBytes(pem: string): string {
  return pem.split('\n')[1] ?? '';
}
