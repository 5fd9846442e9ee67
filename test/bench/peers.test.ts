/** The benchmark beside other webhooks: what counts as a right answer, how they are started, and that nothing is left out. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'tap';
import { messageOf, openConnections } from '../../bench/load.ts';
import { isRewritten } from '../../bench/peers/answer.ts';
import { cases } from '../../bench/peers/cases.ts';
import { neighbours } from '../../bench/peers/contender.ts';
import { peers } from '../../bench/peers/known.ts';
import { mirror } from '../../bench/peers/peer.ts';
import { measuredOf } from '../../bench/peers/run.ts';
import type { Round } from '../../bench/peers/rounds.ts';
import { startServer } from '../../bench/peers/server.ts';
import { benchmarkTables, lastResult } from '../../bench/peers/table.ts';
import { reviewOf } from '../../bench/reviews.ts';
import { until } from '../server/until.ts';
import { authority, servingPair } from '../tls/pairs.ts';

const review = reviewOf({ size: 0 });
const places = ['/spec/initContainers/0/image', '/spec/containers/0/image', '/spec/containers/1/image'];
const right = places.map((path, index) => ({
  op: 'replace',
  path,
  value: `${mirror}/quay.io/acme/service-${index}:1.${index}.0-00000`,
}));
const answer = (operations: unknown, response: object = {}): unknown => ({
  response: { allowed: true, patch: Buffer.from(JSON.stringify(operations)).toString('base64'), ...response },
});

const answers: readonly (readonly [name: string, answer: unknown, isRight: boolean])[] = [
  ['all three images', answer(right), true],
  ['and an annotation', answer([...right, { op: 'add', path: '/metadata/annotations/a', value: 'b' }]), true],
  ['two of three images', answer(right.slice(0, 2)), false],
  ['without the host of the source', answer(right.map((each) => ({ ...each, value: each.value.replace('quay.io/', '') }))), false],
  ['nothing', answer([]), false],
  ['a patch that fails', answer([...right, { op: 'remove', path: '/spec/nothing' }]), false],
  ['a patch that is no list', answer({ spec: {} }), false],
  ['a patch that is no JSON', { response: { allowed: true, patch: 'AAAA' } }, false],
  ['no patch', { response: { allowed: true } }, false],
  ['a refusal', answer(right, { allowed: false }), false],
  ['no response', {}, false],
  ['null', null, false],
];

test('only a patch that brings every image to the mirror is right', (t) => {
  for (const [name, given, isRight] of answers) t.equal(isRewritten(review, given), isRight, name);
  t.end();
});

test('each webhook gets the certificate, the mirror and a port of its own', (t) => {
  t.equal(new Set(peers.map(({ name }) => name)).size, peers.length);
  const certificate = { certFile: '/certs/tls.crt', keyFile: '/certs/tls.key', authority: '' };
  for (const peer of peers) {
    const { args, env, files, port } = peer.launch({ folder: '/own', ports: [1001, 1002, 1003], certificate, kubeconfig: '/kubeconfig' });
    const all = JSON.stringify([args, env, files, peer.objects]);
    t.match(all, '/certs', `${peer.name}: certificate`);
    t.match(all, mirror, `${peer.name}: mirror`);
    if (port === undefined) t.match(all, '1001', `${peer.name}: port`);
    t.ok(peer.differences.length > 0, `${peer.name}: differences`);
    for (const name of Object.keys(files ?? {})) t.match(all, `/own/${name}`, `${peer.name}: its file is named`);
  }
  t.end();
});

test('what is in the folder is found with its version, and the rest is missing', async (t) => {
  const folder = t.testdir({
    kubenab: 'binary',
    imageswap: '#!/bin/sh\n',
    versions: 'kubenab 0.3.4, built by hand\nother 1\n',
  });
  const { found, missing } = await neighbours(folder);
  t.strictSame(
    found.map(({ peer: { name }, version, program }) => [name, version, program]),
    [
      ['kubenab', '0.3.4, built by hand', 6],
      ['imageswap', 'unknown', null],
    ],
  );
  t.equal(found.length + missing.length, peers.length);
});

/** A webhook with a child that works while it is asked, as the workers of gunicorn. */
const program = (pair: { cert: string; key: string }, body: unknown): string => `
import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
if (process.argv[2] === 'child') { process.on('message', () => { for (const began = process.cpuUsage(); process.cpuUsage(began).user < 100_000;); process.send('done'); }); }
else {
  const child = fork(process.argv[1], ['child'], { execArgv: [] });
  writeFileSync(new URL('child', import.meta.url), String(child.pid));
  createServer(${JSON.stringify(pair)}, (_request, response) => {
    child.once('message', () => response.end(${JSON.stringify(JSON.stringify(body))}));
    child.send('work');
  }).listen(Number(process.env.OWN_PORT), '127.0.0.1');
}`;

test(
  'a server is measured with its children, and ends with them',
  { skip: process.platform === 'linux' ? false : 'needs /proc' },
  async (t) => {
    const folder = t.testdir({ 'webhook.mjs': program(await servingPair(), answer(right)) });
    const port = await freePort();
    const command = ['env', '--unset=NODE_OPTIONS', process.execPath, `${folder}/webhook.mjs`];
    const webhook = { command, env: { OWN_PORT: String(port) }, port, path: '/', authority: authority.cert };
    const server = await startServer(webhook, review, (given) => isRewritten(review, given));
    t.ok((await server.cpu()) > 100e6, 'the child has worked for 100 ms at least');
    const { resident, peak } = await server.memory();
    t.ok(peak >= resident && resident > 60 * 1024 * 1024, 'two processes of Node');
    await server.stop();
    const child = Number(readFileSync(`${folder}/child`, 'utf8'));
    await until('the child has ended', () => !existsSync(`/proc/${child}`));
    t.notOk(existsSync(`/proc/${child}`));
  },
);

test('a server that ends is told with the end of its log', async (t) => {
  const command = ['sh', '-c', 'echo "flag -x is unknown" >&2; exit 3'];
  await t.rejects(
    startServer({ command, env: {}, port: 1, path: '/', authority: authority.cert }, review, () => true),
    /flag -x is unknown/,
  );
});

/** Below the ports that the kernel hands out by itself: one of those could be another test's by the time that the child listens. */
async function freePort(): Promise<number> {
  for (let port = 10_000 + (process.pid % 10_000); ; port += 1) {
    const server = createServer();
    const isFree = once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.listen(port, '127.0.0.1');
    if (!(await isFree)) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

test('the load reads responses in chunks, and sends no review twice', async (t) => {
  const text = JSON.stringify(answer(right)).repeat(10);
  const paths: (string | undefined)[] = [];
  const bodies = new Set<string>();
  const server = createServer(await servingPair(), (request, response) => {
    paths.push(request.url);
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => {
      bodies.add(body);
      response.write(text);
      setTimeout(() => response.end(text), 5);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server that listens has such an address
  const connections = await openConnections((server.address() as AddressInfo).port, authority.cert, 2, '/other');
  const { latencies } = await connections.send(messageOf({ size: 3_500 }, 'images'), 6);
  t.equal(latencies.length, 6);
  await connections.send(messageOf({ size: 3_500 }, 'images'), 6);
  t.equal(bodies.size, 12, 'a second call sends no review again');
  t.strictSame(new Set(paths), new Set(['/other']));
  connections.close();
  server.closeAllConnections();
  server.close();
});

const round: Round = {
  start: 100,
  idle: 1024 * 1024,
  peak: 2 * 1024 * 1024,
  review: Object.fromEntries(cases.map(({ name }, index) => [name, index + 1])),
  pod: { webhook: 10, apiServer: 20, rate: 30 },
};

test('rounds become a median with the least and the most; a failure or a refusal stays a sentence', (t) => {
  const measured = measuredOf([round, { ...round, start: 300 }, { ...round, start: 200, pod: 'no uid' }]);
  t.match(measured, { start: [200, 100, 300], pod: 'no uid', review: { [cases[0]?.name ?? '']: [1, 1, 1] } });
  t.equal(measuredOf([round, 'it ended']), 'it ended');
  t.end();
});

test('the tables have every webhook, also what was not measured and why', (t) => {
  const result = lastResult();
  const [first] = result.subjects;
  const text = benchmarkTables({
    ...result,
    subjects: [
      { ...first!, name: 'one', repository: null, measured: measuredOf([round]) },
      { ...first!, name: 'two', repository: 'https://example.com/two', measured: 'it ended: a | b\n<c>' },
      { ...first!, name: 'three', repository: null, program: null, measured: measuredOf([{ ...round, pod: 'the API server says no' }]) },
    ],
  });
  t.match(text, '| one | 1.0 (1.0 to 1.0) | 2.0 (2.0 to 2.0) |');
  t.match(text, '| [two](https://example.com/two) | it ended: a \\| b &lt;c> |');
  t.match(text, '| three | not measured: the API server says no |  | 1.0 (1.0 to 1.0) | 2.0 (2.0 to 2.0) | 100 (100 to 100) |  |');
  t.end();
});

test('the committed result has every webhook that there is a setting for, and the same cases of each', (t) => {
  const { subjects } = lastResult();
  t.strictSame(subjects.map(({ name }) => name).toSorted(), ['transship', ...peers.map(({ name }) => name)].toSorted());
  const known = new Set(cases.map(({ name }) => name));
  const ofFirst = subjects.flatMap(({ measured }) => (typeof measured === 'string' ? [] : [Object.keys(measured.review)]))[0] ?? [];
  t.ok(ofFirst.length > 0 && ofFirst.every((name) => known.has(name)));
  for (const { name, measured } of subjects) if (typeof measured !== 'string') t.strictSame(Object.keys(measured.review), ofFirst, name);
  t.end();
});

const bench = fileURLToPath(new URL('../../bench/bench.ts', import.meta.url));
for (const [name, args, says] of [
  ['a folder that there is not', ['--peers', '/nowhere/at/all'], /^there is no folder \/nowhere\/at\/all$/m],
  ['a suite beside it', ['--peers', '.', '--only', 'engine'], /^--only has no effect with --peers$/m],
] as const) {
  test(`wrong use: ${name}`, async (t) => {
    await t.rejects(promisify(execFile)(process.execPath, [bench, ...args]), { code: 2, stderr: says });
  });
}
