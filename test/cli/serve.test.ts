/** `serve` and `try` as processes; every start that cannot succeed ends with a sentence and exit code 2. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { test } from 'tap';
import { runCommandLine } from '../../src/cli/cli.ts';
import { call } from '../server/call.ts';
import { samplePolicy } from '../server/running.ts';
import { until } from '../server/until.ts';
import { authority, servingPair } from '../tls/pairs.ts';
import { serving, transship } from './child.ts';

const anyPort = ['--port', '0', '--metrics-port', '0'];
const pair = await servingPair();

interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const read = (stream: PassThrough): string => String(stream.read() ?? '');

/** The command without a process of its own, for runs that end by themselves. */
async function run(command: 'serve' | 'try', args: readonly string[]): Promise<Finished> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const code = await runCommandLine([command, ...args], { stdin, stdout, stderr, env: {} });
  return { code, stdout: read(stdout), stderr: read(stderr) };
}

test('try shows a pod before and after, the secret, the patch and what to try', async (t) => {
  const child = transship(t, { args: ['try', '--once', ...anyPort] });
  t.same(await child.ended, { code: 0, signal: null });
  t.equal(child.stderr(), '', 'nothing between the lines of the table');
  const shown = child.stdout();
  for (const says of [
    /listens on https:\/\/localhost:[1-9]\d*\b.*sample\.yaml/,
    /^ +web +nginx:1\.27\n +-> localhost:30500\/library\/nginx:1\.27$/m,
    /-> proxy\.replicated\.com\/proxy\/my-app\/quay\.io\/acme\/app:1\.0$/m,
    /registry\.k8s\.io\/pause:3\.10 +\(left as it is\)$/m,
    /imagePullSecrets: \(none\) -> replicatedregistrykey$/m,
    /^ +\{"op":"add","path":"\/spec\/imagePullSecrets","value":\[\{"name":"replicatedregistrykey"\}\]\}$/m,
    /curl -sk https:\/\/localhost:\d+\/mutate .*--data @\S*examples\/admission-review\.json$/m,
    /transship explain --policy \S*examples\/sample\.yaml nginx/,
  ])
    t.match(shown, says);
});

test('without --once it stays, and Ctrl-C ends it without a drain', async (t) => {
  const child = transship(t, { args: ['try', ...anyPort] });
  await until('the sample is shown', () => child.stdout().includes('curl'));
  const port = Number(/localhost:(\d+)\//.exec(child.stdout())?.[1]);
  t.ok(port > 0);
  child.process.kill('SIGINT');
  t.same(await child.ended, { code: 0, signal: null });
});

test('on every address, and by name', async (t) => {
  for (const host of ['0.0.0.0', '::', 'localhost']) {
    t.match(await run('try', ['--once', ...anyPort, '--host', host]), { code: 0, stdout: /replicatedregistrykey/, stderr: '' }, host);
  }
});

test('variables of the environment', async (t) => {
  const server = await serving(t, { env: { TRANSSHIP_NAMESPACE: 'shop', TRANSSHIP_LOG_REVIEWS: 'all' } });
  const review = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { uid: 'u', operation: 'CREATE', namespace: 'shop', resource: { group: '', version: 'v1', resource: 'pods' }, object: {} },
  };
  t.equal((await call(server, { body: review })).status, 200);
  await until('the review is logged', () => server.log.some(({ msg }) => msg === 'review skipped'));
  t.match(server.log.at(-1), { skipped: /namespace shop is that of transship itself/ });
});

test('warnings of the policy are logged at the start', async (t) => {
  const folder = t.testdir({
    'policy.yaml':
      'apiVersion: transship.dev/v1\nkind: RewritePolicy\nregistries:\n  unused: { host: r.example.com }\nrules:\n  - { name: all, match: { images: [quay.io] }, rewrite: { registry: unused, as: path } }\n  - { name: never, match: { images: [quay.io/acme] }, rewrite: { registry: unused, as: path } }\n',
  });
  const server = await serving(t, { args: ['--policy', `${folder}/policy.yaml`] });
  t.match(server.log[0], { level: 'warn', msg: /policy\.yaml:7:\d+: warning: rule never/ });
});

test('a port that is taken', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.teardown(() => taken.close());
  await once(taken, 'listening');
  const port = String((taken.address() as AddressInfo).port);
  const says = new RegExp(
    `^transship try: ADDRESS_UNAVAILABLE: .*EADDRINUSE.*${port}; another program has that port: stop it or choose another port\n$`,
  );
  const child = transship(t, { args: ['try', '--port', port, '--metrics-port', '0'] });
  t.same(await child.ended, { code: 2, signal: null });
  t.match(child.stderr(), says);
  t.equal(child.stdout(), '');
  t.match(await run('try', ['--once', '--port', '0', '--metrics-port', port]), { code: 2, stdout: '', stderr: says });
});

test('starts that cannot succeed', async (t) => {
  const signalListeners = process.listenerCount('SIGTERM');
  const folder = t.testdir({
    'bad.yaml': 'apiVersion: transship.dev/v1\nkind: RewritePolicy\nruels: []\n',
    'tls.crt': pair.cert,
    'tls.key': pair.key,
    'ca.key': authority.key,
    'noise.crt': 'x',
  });
  const tls = ['--tls-cert', `${folder}/tls.crt`, '--tls-key', `${folder}/tls.key`];
  const sample = ['--policy', samplePolicy];
  const table: readonly (readonly [args: readonly string[], says: RegExp])[] = [
    [[], /^transship serve: USAGE: --policy FILE is missing; name your policy file with it; `transship try` runs a sample policy\n$/],
    [sample, /^transship serve: USAGE: --tls-cert FILE is missing; /],
    [
      [...tls, '--policy', `${folder}/none.yaml`],
      /none\.yaml cannot be used; correct what follows\n.*none\.yaml:1:1: error: the file cannot be read: no such file/,
    ],
    [[...tls, '--policy', `${folder}/bad.yaml`], /bad\.yaml:3:1: error: unknown key ruels/],
    [[...sample, '--tls-cert', `${folder}/tls.crt`, '--tls-key', `${folder}/ca.key`], /ca\.key is not the key of .*tls\.crt/],
    [[...sample, '--tls-cert', `${folder}/none.crt`, '--tls-key', `${folder}/tls.key`], /none\.crt cannot be read: no such file/],
    [[...sample, ...tls, '--client-ca', `${folder}/noise.crt`], /noise\.crt does not hold a PEM certificate/],
    [[...sample, ...tls, '--client-ca', `${folder}/none.crt`], /none\.crt cannot be read/],
    [[...sample, ...tls, '--host', '192.0.2.1'], /ADDRESS_UNAVAILABLE: .*EADDRNOTAVAIL.*; .*--host/],
    [['--prot', '1'], /unknown flag --prot; did you mean --port\?/],
    [[...sample, ...tls, 'policy.yaml'], /unexpected argument "policy\.yaml"; name the policy file with --policy/],
  ];
  for (const [args, says] of table) {
    const { code, stdout, stderr } = await run('serve', [...anyPort, ...args]);
    t.equal(code, 2, args.join(' '));
    t.equal(stdout, '', args.join(' '));
    t.match(stderr, says, args.join(' '));
    t.notMatch(stderr, /^ {4}at /m, 'and no stack');
  }
  t.equal(process.listenerCount('SIGTERM'), signalListeners, 'signals are left to their defaults');
});
