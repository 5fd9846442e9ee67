/** The flags of `serve`, each also an environment variable: `--metrics-port` is `TRANSSHIP_METRICS_PORT`. */
import { parseArgs } from 'node:util';
import { OperatorError } from '../errors/operator-error.ts';
import { imageManagers } from '../admission/scope.ts';
import { logLevels, type LogLevel } from '../observe/log.ts';
import { loggedReviewKinds, type LoggedReviews } from '../server/review-log.ts';

/** One entry a flag: what `--help` prints, and what it defaults to. */
const flags = {
  policy: { argument: 'FILE', text: 'policy file; the sample policy when absent', default: '' },
  'resolved-hosts': { argument: 'FILE', text: 'hosts that the controller resolved, a YAML map of registry to host', default: '' },
  'tls-cert': { argument: 'FILE', text: 'PEM certificate chain; a fresh self-signed one when absent', default: '' },
  'tls-key': { argument: 'FILE', text: 'PEM private key', default: '' },
  host: { argument: 'ADDRESS', text: 'address to listen on', default: '127.0.0.1' },
  port: { argument: 'N', text: 'HTTPS port, 0 for any', default: '8443' },
  'metrics-port': { argument: 'N', text: 'HTTP port of /metrics, 0 for any', default: '9464' },
  'client-ca': { argument: 'FILE', text: "PEM CA that must have signed the API server's client certificate", default: '' },
  namespace: { argument: 'NAME', text: 'namespace this runs in; its pods are never touched', default: '' },
  'exclude-operators': {
    argument: 'LIST',
    text: 'operators whose pods are left alone, comma separated',
    default: Object.keys(imageManagers).join(','),
  },
  'log-level': { argument: 'LEVEL', text: logLevels.join(', '), default: 'info' },
  'log-reviews': { argument: 'WHICH', text: loggedReviewKinds.join(', '), default: 'all' },
  'review-cache': { argument: 'BOOL', text: 'true, false: whether repeated reviews are answered from memory', default: 'true' },
  'drain-seconds': { argument: 'N', text: 'how long to serve on after SIGTERM', default: '10' },
  'max-connections': { argument: 'N', text: 'open connections; a new one beyond it closes another', default: '1024' },
  'max-in-flight': { argument: 'N', text: 'reviews at once before 503', default: '512' },
  'max-request-memory': {
    argument: 'BYTES',
    text: "memory of requests before 503; a quarter of the container's limit when absent",
    default: '',
  },
  'max-event-loop-delay': { argument: 'MS', text: 'time of one client in an iteration of the event loop before 503', default: '500' },
} as const;

type Flag = keyof typeof flags;

export interface ServeOptions {
  /** Null for the sample policy. */
  readonly policy: string | null;
  readonly resolvedHosts: string | null;
  /** Null for a fresh self-signed pair. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  readonly host: string;
  readonly port: number;
  readonly metricsPort: number;
  readonly clientCa: string | null;
  readonly namespace: string | null;
  readonly imageManagers: readonly string[];
  /** Null when not given. */
  readonly logLevel: LogLevel | null;
  readonly loggedReviews: LoggedReviews;
  readonly reviewCache: boolean;
  /** Seconds. */
  readonly drainSeconds: number;
  readonly maxConnections: number;
  readonly maxInFlight: number;
  /** Bytes; null for a part of the memory limit. */
  readonly maxRequestMemory: number | null;
  /** Milliseconds. */
  readonly maxEventLoopDelay: number;
  readonly once: boolean;
}

export function flagHelp(): string {
  return Object.entries(flags)
    .map(
      ([name, { argument, text, default: value }]) => `  --${`${name} ${argument}`.padEnd(26)} ${text}${value === '' ? '' : ` (${value})`}`,
    )
    .join('\n');
}

/** @throws OperatorError (USAGE) */
export function readServeOptions(args: readonly string[], env: Readonly<Record<string, string | undefined>>): ServeOptions {
  const given = parse(args);
  const value = (flag: Flag): string => given[flag] ?? env[`TRANSSHIP_${flag.toUpperCase().replaceAll('-', '_')}`] ?? flags[flag].default;
  const file = (flag: Flag): string | null => value(flag) || null;
  const certFile = file('tls-cert');
  const keyFile = file('tls-key');
  if ((certFile === null) !== (keyFile === null))
    throw new OperatorError('USAGE', '--tls-cert and --tls-key belong together', 'give both or neither');
  const level = given['log-level'] ?? env['TRANSSHIP_LOG_LEVEL'];
  return {
    policy: file('policy'),
    resolvedHosts: file('resolved-hosts'),
    tls: certFile === null || keyFile === null ? null : { certFile, keyFile },
    host: value('host'),
    port: wholeNumber('port', value('port'), { most: 65_535 }),
    metricsPort: wholeNumber('metrics-port', value('metrics-port'), { most: 65_535 }),
    clientCa: file('client-ca'),
    namespace: file('namespace'),
    imageManagers: operators(value('exclude-operators')),
    logLevel: level === undefined ? null : oneOf('log-level', level, logLevels),
    loggedReviews: oneOf('log-reviews', value('log-reviews'), loggedReviewKinds),
    reviewCache: oneOf('review-cache', value('review-cache'), ['true', 'false']) === 'true',
    drainSeconds: wholeNumber('drain-seconds', value('drain-seconds'), { most: 3600 }),
    maxConnections: wholeNumber('max-connections', value('max-connections'), { least: 1, most: 1_000_000 }),
    maxInFlight: wholeNumber('max-in-flight', value('max-in-flight'), { least: 1, most: 1_000_000 }),
    maxRequestMemory: value('max-request-memory') === '' ? null : wholeNumber('max-request-memory', value('max-request-memory'), bytes),
    maxEventLoopDelay: wholeNumber('max-event-loop-delay', value('max-event-loop-delay'), { least: 1, most: 60_000 }),
    once: given.once,
  };
}

const bytes = { least: 1024 * 1024, most: 2 ** 40 };

type Given = Partial<Record<Flag, string>> & { readonly once: boolean };

function parse(args: readonly string[]): Given {
  const strings = Object.fromEntries(Object.keys(flags).map((name) => [name, { type: 'string' as const }]));
  try {
    const { values } = parseArgs({ args: [...args], options: { ...strings, once: { type: 'boolean', default: false } }, strict: true });
    const { once, ...given } = values;
    return { ...given, once };
  } catch (error) {
    throw new OperatorError('USAGE', error instanceof Error ? error.message : String(error), 'see transship serve --help', {
      cause: error,
    });
  }
}

function wholeNumber(flag: Flag, text: string, { least = 0, most }: { least?: number; most: number }): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new OperatorError('USAGE', `--${flag} takes a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`);
}

function oneOf<T extends string>(flag: Flag, text: string, known: readonly T[]): T {
  const found = known.find((candidate) => candidate === text);
  if (found === undefined) throw new OperatorError('USAGE', `--${flag} takes one of ${known.join(', ')}, not ${JSON.stringify(text)}`);
  return found;
}

function operators(text: string): string[] {
  const names = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const unknown = names.find((name) => !Object.hasOwn(imageManagers, name));
  if (unknown === undefined) return names;
  throw new OperatorError('USAGE', `--exclude-operators knows ${Object.keys(imageManagers).join(', ')}, not ${unknown}`);
}
