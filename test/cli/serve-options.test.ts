/** Each flag of `serve`, its environment variable, and what it does not take. */
import { test } from 'tap';
import { serveFlags } from '../../src/cli/flags.ts';
import { variableOf } from '../../src/cli/read-flags.ts';
import { readServeOptions, type ServeOptions } from '../../src/cli/serve-options.ts';

const defaults: ServeOptions = {
  policy: 'needed.yaml',
  resolvedHosts: null,
  tls: { certFile: 'needed.crt', keyFile: 'needed.key' },
  host: '127.0.0.1',
  port: 8443,
  metricsPort: 9464,
  clientCa: null,
  namespace: null,
  logLevel: 'info',
  loggedReviews: 'all',
  reviewCache: true,
  drainSeconds: 10,
  maxConnections: 1024,
  maxInFlight: 512,
  maxRequestMemory: null,
};

/** Flag, text, what it becomes. `tls-cert` and `tls-key` go together and are tested apart. */
const flags: readonly (readonly [flag: string, text: string, options: Partial<ServeOptions>])[] = [
  ['policy', 'policy.yaml', { policy: 'policy.yaml' }],
  ['resolved-hosts', 'hosts.yaml', { resolvedHosts: 'hosts.yaml' }],
  ['host', '0.0.0.0', { host: '0.0.0.0' }],
  ['host', '::1', { host: '::1' }],
  ['port', '0', { port: 0 }],
  ['port', '65535', { port: 65_535 }],
  ['metrics-port', '9090', { metricsPort: 9090 }],
  ['client-ca', 'ca.crt', { clientCa: 'ca.crt' }],
  ['namespace', 'transship', { namespace: 'transship' }],
  ['log-level', 'warn', { logLevel: 'warn' }],
  ['log-reviews', 'problems', { loggedReviews: 'problems' }],
  ['review-cache', 'false', { reviewCache: false }],
  ['drain-seconds', '0', { drainSeconds: 0 }],
  ['max-connections', '7', { maxConnections: 7 }],
  ['max-in-flight', '1', { maxInFlight: 1 }],
  ['max-request-memory', '1048576', { maxRequestMemory: 1024 * 1024 }],
];

const needed = ['--policy', 'needed.yaml', '--tls-cert', 'needed.crt', '--tls-key', 'needed.key'];
const read = (args: readonly string[], env: Record<string, string> = {}): ServeOptions => readServeOptions([...needed, ...args], env);

test('defaults', (t) => {
  t.strictSame(read([]), defaults);
  t.end();
});

test('flags and their variables', (t) => {
  for (const [flag, text, options] of flags) {
    const expected = { ...defaults, ...options };
    t.strictSame(read([`--${flag}`, text]), expected, `--${flag} ${text}`);
    t.strictSame(read([`--${flag}=${text}`]), expected, `--${flag}=${text}`);
    if (flag === 'policy') continue;
    t.strictSame(read([], { [variableOf(flag)]: text }), expected, `${variableOf(flag)}=${text}`);
  }
  t.same(
    Object.keys(serveFlags).filter((flag) => !flags.some(([name]) => name === flag)),
    ['tls-cert', 'tls-key'],
    'every flag has a row',
  );
  t.end();
});

test('a flag wins over its variable', (t) => {
  t.equal(read(['--port', '1'], { TRANSSHIP_PORT: '2' }).port, 1);
  t.equal(read(['--log-level', 'warn'], { TRANSSHIP_LOG_LEVEL: 'nonsense' }).logLevel, 'warn');
  t.equal(read(['--client-ca', ''], { TRANSSHIP_CLIENT_CA: 'ca.crt' }).clientCa, null, 'also with an empty text');
  t.end();
});

test('without a policy or a certificate there is no webhook: it used to enforce the sample policy', (t) => {
  const all = { TRANSSHIP_POLICY: 'p', TRANSSHIP_TLS_CERT: 'c', TRANSSHIP_TLS_KEY: 'k' };
  t.match(readServeOptions([], all), { policy: 'p', tls: { certFile: 'c', keyFile: 'k' } });
  for (const [variable, says] of [
    ['TRANSSHIP_POLICY', /^--policy FILE is missing; .*transship try/],
    ['TRANSSHIP_TLS_CERT', /^--tls-cert FILE is missing; .*transship try/],
    ['TRANSSHIP_TLS_KEY', /^--tls-key FILE is missing; /],
  ] as const) {
    for (const text of [undefined, '']) {
      const env = { ...all, [variable]: text };
      t.throws(() => readServeOptions([], env), { code: 'USAGE', message: says }, `${variable}=${text}`);
    }
  }
  t.end();
});

test('variables that Kubernetes sets for a Service called transship are none of ours', (t) => {
  t.equal(read([], { TRANSSHIP_PORT: 'tcp://10.96.0.1:443' }).port, 8443);
  t.end();
});

const refused: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [['--port', '65536'], /--port takes a whole number from 0 to 65535, not "65536"/],
  [['--port', '-1'], /--port/],
  [['--port', '0x1F'], /not "0x1F"/],
  [['--port', '1e3'], /not "1e3"/],
  [['--port', ''], /not ""/],
  [['--metrics-port', 'none'], /--metrics-port takes a whole number/],
  [['--drain-seconds', '1.5'], /--drain-seconds takes a whole number from 0 to 3600/],
  [['--max-in-flight', '0'], /--max-in-flight takes a whole number from 1/],
  [['--max-request-memory', '64Mi'], /--max-request-memory takes a whole number from 1048576/],
  [['--log-level', 'verbose'], /--log-level takes one of trace, debug, .*not "verbose"/],
  [['--log-reviews', 'none'], /--log-reviews takes one of all, rewritten, problems/],
  [['--review-cache', 'no'], /--review-cache takes true or false, not "no"/],
  [['--log-level', 'wran'], /not "wran"; did you mean warn\?/],
  [['--polcy', 'x'], /^unknown flag --polcy; did you mean --policy\?$/],
  [['--colour'], /^unknown flag --colour; flags are --policy, --resolved-hosts, /],
  [['--policy'], /^--policy has no value; write --policy=VALUE$/],
  [['--policy', '--port'], /^--policy has no value; a value that begins with - is written --policy=VALUE$/],
  [['--once'], /^unknown flag --once/],
];

test('what is refused', (t) => {
  for (const [args, says] of refused) t.throws(() => read(args), { code: 'USAGE', message: says }, args.join(' '));
  t.throws(() => read([], { TRANSSHIP_PORT: 'x' }), { code: 'USAGE', message: /^TRANSSHIP_PORT takes a whole number/ }, 'variables too');
  t.throws(() => read([], { TRANSSHIP_LOG_LEVEL: 'x' }), { code: 'USAGE', message: /^TRANSSHIP_LOG_LEVEL takes one of/ });
  t.end();
});
