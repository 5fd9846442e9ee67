/** Each flag of `serve`, its environment variable, and what it does not take. */
import { readFile } from 'node:fs/promises';
import { test } from 'tap';
import { flagHelp, readServeOptions, type ServeOptions } from '../../src/cli/serve-options.ts';
import { serveCommand } from '../../src/cli/serve.ts';

const defaults: ServeOptions = {
  policy: null,
  resolvedHosts: null,
  tls: null,
  host: '127.0.0.1',
  port: 8443,
  metricsPort: 9464,
  clientCa: null,
  namespace: null,
  imageManagers: ['cloudnative-pg'],
  logLevel: null,
  loggedReviews: 'all',
  reviewCache: true,
  drainSeconds: 10,
  maxConnections: 1024,
  maxInFlight: 512,
  maxRequestMemory: null,
  maxEventLoopDelay: 500,
  once: false,
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
  ['exclude-operators', '', { imageManagers: [] }],
  ['exclude-operators', ' cloudnative-pg , ', { imageManagers: ['cloudnative-pg'] }],
  ['log-level', 'warn', { logLevel: 'warn' }],
  ['log-reviews', 'problems', { loggedReviews: 'problems' }],
  ['review-cache', 'false', { reviewCache: false }],
  ['drain-seconds', '0', { drainSeconds: 0 }],
  ['max-connections', '7', { maxConnections: 7 }],
  ['max-in-flight', '1', { maxInFlight: 1 }],
  ['max-request-memory', '1048576', { maxRequestMemory: 1024 * 1024 }],
  ['max-event-loop-delay', '60000', { maxEventLoopDelay: 60_000 }],
];

const variable = (flag: string): string => `TRANSSHIP_${flag.toUpperCase().replaceAll('-', '_')}`;
const flagNames = [...flagHelp().matchAll(/^ {2}--([\w-]+)/gm)].map((match) => match[1] ?? '');

test('defaults', (t) => {
  t.strictSame(readServeOptions([], {}), defaults);
  t.end();
});

test('flags and their variables', (t) => {
  for (const [flag, text, options] of flags) {
    const expected = { ...defaults, ...options };
    t.strictSame(readServeOptions([`--${flag}`, text], {}), expected, `--${flag} ${text}`);
    t.strictSame(readServeOptions([`--${flag}=${text}`], {}), expected, `--${flag}=${text}`);
    t.strictSame(readServeOptions([], { [variable(flag)]: text }), expected, `${variable(flag)}=${text}`);
  }
  t.same(
    flagNames.filter((flag) => !flags.some(([name]) => name === flag)),
    ['tls-cert', 'tls-key'],
    'every flag has a row',
  );
  t.end();
});

test('a flag wins over its variable', (t) => {
  t.equal(readServeOptions(['--port', '1'], { TRANSSHIP_PORT: '2' }).port, 1);
  t.equal(readServeOptions(['--log-level', 'warn'], { TRANSSHIP_LOG_LEVEL: 'nonsense' }).logLevel, 'warn');
  t.end();
});

test('certificate and key', (t) => {
  t.same(readServeOptions(['--tls-cert', 'a', '--tls-key', 'b'], {}).tls, { certFile: 'a', keyFile: 'b' });
  t.same(readServeOptions(['--tls-cert', 'a'], { TRANSSHIP_TLS_KEY: 'b' }).tls, { certFile: 'a', keyFile: 'b' });
  t.equal(readServeOptions(['--once'], {}).once, true);
  t.end();
});

const refused: readonly (readonly [args: readonly string[], says: RegExp])[] = [
  [['--tls-cert', 'a'], /--tls-cert and --tls-key belong together/],
  [['--tls-key', 'b'], /--tls-cert and --tls-key belong together/],
  [['--port', '65536'], /--port takes a whole number from 0 to 65535, not "65536"/],
  [['--port', '-1'], /--port/],
  [['--port', '0x1F'], /not "0x1F"/],
  [['--port', '1e3'], /not "1e3"/],
  [['--port', ''], /not ""/],
  [['--metrics-port', 'none'], /--metrics-port takes a whole number/],
  [['--drain-seconds', '1.5'], /--drain-seconds takes a whole number from 0 to 3600/],
  [['--max-in-flight', '0'], /--max-in-flight takes a whole number from 1/],
  [['--max-event-loop-delay', '0'], /--max-event-loop-delay takes a whole number from 1 to 60000/],
  [['--max-request-memory', '64Mi'], /--max-request-memory takes a whole number from 1048576/],
  [['--log-level', 'verbose'], /--log-level takes one of trace, debug, .*not "verbose"/],
  [['--log-reviews', 'none'], /--log-reviews takes one of all, rewritten, problems/],
  [['--review-cache', 'no'], /--review-cache takes one of true, false/],
  [['--exclude-operators', 'cloudnative-pg,zalando'], /knows cloudnative-pg, not zalando/],
  [['--polcy', 'x'], /--polcy.*transship serve --help/s],
  [['--policy'], /--policy.*transship serve --help/s],
  [['policy.yaml'], /policy\.yaml.*transship serve --help/s],
  [['--once=yes'], /--once/],
];

test('what is refused', (t) => {
  for (const [args, says] of refused) t.throws(() => readServeOptions(args, {}), { code: 'USAGE', message: says }, args.join(' '));
  t.throws(() => readServeOptions([], { TRANSSHIP_PORT: 'x' }), { code: 'USAGE' }, 'variables too');
  t.throws(() => readServeOptions([], { TRANSSHIP_LOG_LEVEL: 'x' }), { code: 'USAGE' });
  t.end();
});

test('--help and the page say the same', async (t) => {
  const page = await readFile(new URL('../../docs/reference/serve.md', import.meta.url), 'utf8');
  t.ok(serveCommand.help.includes(flagHelp()));
  const rows = [...page.matchAll(/^\| `--([\w-]+)(?: (\w+))?` \| `(TRANSSHIP_\w+)` \| (.*?) \| (.*?) \|$/gm)].map(
    ([, flag = '', argument = '', name, value = '', text = '']) => ({ flag, argument, name, value: value.replaceAll('`', ''), text }),
  );
  t.same(
    rows.map(({ flag }) => flag),
    flagNames,
    'the same flags, in the same order',
  );
  for (const { flag, argument, name, value, text } of rows) {
    t.equal(name, variable(flag), flag);
    const line =
      flagHelp()
        .split('\n')
        .find((candidate) => candidate.startsWith(`  --${flag} `)) ?? '';
    t.equal(line.trimEnd(), `  --${`${flag} ${argument}`.padEnd(26)} ${text}${value === '' ? '' : ` (${value})`}`, flag);
  }
});
