/** The policy replaced while requests come: the last good one stays in force, whole, and everybody is told. */
import { Agent } from 'node:https';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { pod, reviewOf } from '../builders/pod.ts';
import { mounted, type Content } from '../files/mounted.ts';
import { call } from './call.ts';
import { metricsOf, running, type Running } from './running.ts';
import { until } from './until.ts';

/** `TRANSSHIP_RELOADS=1000` for the long way. */
const reloads = Number(process.env['TRANSSHIP_RELOADS'] ?? 10);

/** Two registries that carry the number of the policy, so that half of one is seen. */
const policy = (number: number | string): string => `apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  first: { host: "first-${number}.example.com" }
  second: { host: "second-${number}.example.com" }
rules:
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: first, as: path } }
  - { name: quay, match: { images: [quay.io] }, rewrite: { registry: second, as: path } }
`;

const review = reviewOf({ object: pod({ containers: { web: 'nginx:1.27', app: 'quay.io/acme/app:1' } }) });

/** The number of the policy that answered; throws when it is two. */
async function answeredBy(server: Running, agent?: Agent): Promise<string> {
  const { text } = await call(server, { body: review, ...(agent === undefined ? {} : { agent }) });
  const patch = Buffer.from(JSON.parse(text).response.patch, 'base64').toString();
  const [first, second] = [...patch.matchAll(/"(?:first|second)-([^.]+)\.example\.com/g)].map((match) => match[1]);
  if (first === undefined || first !== second) throw new Error(`half a policy: ${patch}`);
  return first;
}

const counts = async (server: Running): Promise<{ loaded: number; refused: number; info: string[] }> => {
  const metrics = await metricsOf(server);
  return {
    loaded: metrics.get('transship_policy_reloads_total{result="loaded"}') ?? 0,
    refused: metrics.get('transship_policy_reloads_total{result="refused"}') ?? 0,
    info: [...metrics.keys()].filter((name) => name.startsWith('transship_policy_info')),
  };
};

/** Each line refers nine times to the one before. */
const bomb = Array.from({ length: 9 }, (_value, n) => `a${n}: &a${n} [${(n === 0 ? 'x,' : `*a${n - 1},`).repeat(9)}]`).join('\n');

const bad: readonly (readonly [name: string, content: Content, says: RegExp])[] = [
  ['an unknown key', { 'policy.yaml': policy(2).replace('rules:', 'ruels:') }, /policy\.yaml:\d+:\d+: error: .*ruels/],
  [
    'an unknown registry',
    { 'policy.yaml': policy(2).replace('registry: second', 'registry: third') },
    /policy\.yaml:8:\d+: error: rule quay: .*third/,
  ],
  ['an empty file', { 'policy.yaml': '' }, /empty/],
  ['half of it', { 'policy.yaml': policy(2).slice(0, -30) }, /policy\.yaml:\d+:\d+: error/],
  ['no file', {}, /cannot be read: no such file/],
  ['no UTF-8', { 'policy.yaml': Buffer.from([0xff, 0xfe, 0x41]) }, /not UTF-8/],
  ['an alias without an anchor', { 'policy.yaml': policy(2).replace('[docker.io]', '[ *all ]') }, /policy\.yaml:\d+:\d+: error/],
  ['aliases that would fill the memory', { 'policy.yaml': bomb }, /policy\.yaml:\d+:\d+: error/],
  ['brackets without end', { 'policy.yaml': '['.repeat(20_000) }, /policy\.yaml:\d+:\d+: error/],
  ['a test that fails', { 'policy.yaml': `${policy(2)}tests:\n  - { image: nginx, becomes: nginx }\n` }, /policy\.yaml:\d+:\d+: error/],
];

test('a bad file changes nothing but the log and a counter; the next good one is used', async (t) => {
  const files = await mounted(t.testdir({}), { 'policy.yaml': policy(0) });
  const server = await running(t, { policy: { policy: files.path('policy.yaml'), resolvedHosts: null } });
  for (const [n, [name, content, says]] of bad.entries()) {
    const good = await counts(server);
    server.lines.length = 0;
    await files.swap(content);
    await until(`${name} is refused`, async () => (await counts(server)).refused === n + 1);
    t.same((await counts(server)).info, good.info, `${name}: the revision stays`);
    t.equal(await answeredBy(server), String(n), `${name}: the last good one answers`);
    const errors = server.lines.filter(({ level }) => level === 'error').map(({ msg }) => msg);
    t.match(errors[0], says, name);
    t.equal(errors.at(-1), 'the changed policy is refused; the last good one stays in force', name);
    await files.swap({ 'policy.yaml': policy(n + 1) });
    await until('the next good one is used', async () => (await answeredBy(server)) === String(n + 1));
    t.equal((await counts(server)).loaded, n + 1);
    t.notSame((await counts(server)).info, good.info);
    t.equal((await counts(server)).info.length, 1, 'one revision');
  }
});

test('a reload with the same content is reported once, valid or not', async (t) => {
  const files = await mounted(t.testdir({}), { 'policy.yaml': policy(0) });
  const server = await running(t, { policy: { policy: files.path('policy.yaml'), resolvedHosts: null } });
  await files.swap({ 'policy.yaml': policy(0) });
  await files.swap({ 'policy.yaml': 'bad' });
  await until('it is refused', async () => (await counts(server)).refused === 1);
  await files.swap({ 'policy.yaml': 'bad' });
  await files.swap({ 'policy.yaml': policy(1) });
  await until('the good one is used', async () => (await answeredBy(server)) === '1');
  t.match(await counts(server), { loaded: 1, refused: 1 });
});

test(
  `${reloads} reloads and 200 swaps under load: no request sees half a policy, and no connection is dropped`,
  { timeout: 600_000 },
  async (t) => {
    const files = await mounted(t.testdir({}), { 'policy.yaml': policy(0) });
    const server = await running(t, { policy: { policy: files.path('policy.yaml'), resolvedHosts: null } });
    const agents = Array.from({ length: 4 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    t.teardown(() => {
      for (const agent of agents) agent.destroy();
    });
    const handshakes = agents.map(() => 0);
    for (const [n, agent] of agents.entries())
      agent.on('keylog', (line: Buffer) => {
        if (line.toString().startsWith('CLIENT_HANDSHAKE_TRAFFIC_SECRET')) handshakes[n] = (handshakes[n] ?? 0) + 1;
      });
    const over = new AbortController();
    const seen = new Set<string>();
    const load = agents.map(async (agent) => {
      let answered = 0;
      for (; !over.signal.aborted; answered += 1) {
        seen.add(await answeredBy(server, agent));
        await sleep(2);
      }
      return answered;
    });
    for (let n = 1; n <= reloads; n += 1) {
      await files.swap({ 'policy.yaml': n % 5 === 0 ? policy(n).slice(0, -30) : policy(n) });
      if (n % 5 === 0) await until('it is refused', async () => (await counts(server)).refused === n / 5);
      else await until(`policy ${n} answers`, () => seen.has(String(n)));
    }
    for (let n = 0; n < 200; n += 1) await files.swap({ 'policy.yaml': policy(`burst-${n}`) });
    await until('the last one answers', () => seen.has('burst-199'));
    over.abort();
    const answered = (await Promise.all(load)).reduce((sum, number) => sum + number, 0);
    t.same(handshakes, [1, 1, 1, 1], 'each went on with its first connection');
    t.match(await counts(server), { refused: Math.floor(reloads / 5) });
    t.comment(`${answered} answers, ${seen.size} policies seen by them`);
  },
);

const withHosts = `apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  first: { hostFrom: { localRegistryHosting: true }, host: first-0.example.com }
  second: { hostFrom: { localRegistryHosting: true }, host: second-0.example.com }
rules:
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: first, as: path } }
  - { name: quay, match: { images: [quay.io] }, rewrite: { registry: second, as: path } }
`;
const hosts = (number: number): string => `first: first-${number}.example.com\nsecond: second-${number}.example.com\n`;

test('resolved hosts: absent, there, wrong, half-written, gone again', async (t) => {
  const policies = await mounted(t.testdir({ policy: {}, hosts: {} }).concat('/policy'), { 'policy.yaml': withHosts });
  const files = await mounted(policies.path('../hosts'), { 'hosts.yaml': hosts(1) });
  const server = await running(t, { policy: { policy: policies.path('policy.yaml'), resolvedHosts: files.path('hosts.yaml') } });
  t.equal(await answeredBy(server), '1');
  await files.swap({ 'hosts.yaml': hosts(2) });
  await until('new hosts are used', async () => (await answeredBy(server)) === '2');
  for (const [n, content] of ['first: http://x', 'first: [', 'first: *gone', '- list'].entries()) {
    await files.swap({ 'hosts.yaml': content });
    await until(`${content} is refused`, async () => (await counts(server)).refused === n + 1);
    t.equal(await answeredBy(server), '2', content);
  }
  t.match(
    server.lines.find(({ level }) => level === 'error')?.msg,
    /hosts\.yaml:1:\d+: error: host of registry first: write the host without a scheme: x/,
  );
  await files.swap({});
  await until("without the file the policy's own hosts count", async () => (await answeredBy(server)) === '0');
  await files.swap({ 'hosts.yaml': hosts(3) });
  await until('and it may come back', async () => (await answeredBy(server)) === '3');
});

test('a folder that is deleted leaves the last good policy', async (t) => {
  const folder = t.testdir({ mount: {} });
  const files = await mounted(`${folder}/mount`, { 'policy.yaml': policy(0) });
  const server = await running(t, { policy: { policy: files.path('policy.yaml'), resolvedHosts: null } });
  await rm(`${folder}/mount`, { recursive: true });
  await until('it is refused', async () => (await counts(server)).refused === 1);
  t.equal(await answeredBy(server), '0');
});
