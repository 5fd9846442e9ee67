/** The flags of `controller`, each also an environment variable: `--hosts-config-map` is `TRANSSHIP_HOSTS_CONFIG_MAP`. */
import { parseArgs } from 'node:util';

import { features, optInModes, type ControllerOptions, type Feature } from '../controller/options.ts';
import { logLevels, type LogLevel } from '../observe/log.ts';
import { OperatorError } from '../errors/operator-error.ts';

/** One entry a flag: what `--help` prints, and what it defaults to. */
const flags = {
  policy: { argument: 'FILE', text: 'policy file; it is reloaded when it changes', default: '' },
  namespace: { argument: 'NAME', text: 'namespace of the release, where the source Secrets are', default: '' },
  features: { argument: 'LIST', text: `what to do, comma separated: ${features.join(', ')}`, default: 'secrets,hosts' },
  'opt-in': {
    argument: 'MODE',
    text: 'namespaces that get copies: OptIn those of --opt-in-values, OptOut all but those of --opt-out-values',
    default: 'OptIn',
  },
  'opt-in-values': { argument: 'LIST', text: 'values of the label transship.dev/rewrite that opt in', default: 'enabled,shadow' },
  'opt-out-values': { argument: 'LIST', text: 'values of the label transship.dev/rewrite that opt out', default: 'disabled' },
  'exclude-namespaces': { argument: 'LIST', text: 'namespaces that count as not opted in, comma separated', default: '' },
  'hosts-config-map': { argument: 'NAME', text: 'ConfigMap that hosts.yaml is written to', default: 'transship-hosts' },
  'lease-name': { argument: 'NAME', text: 'Lease that the leader holds', default: 'transship-controller' },
  'lease-seconds': { argument: 'N', text: 'how long a leader that is silent is waited for', default: '15' },
  'tls-secret': { argument: 'NAME', text: 'Secret that the webhook mounts its certificate from', default: 'transship-tls' },
  service: { argument: 'NAME', text: 'Service of the webhook', default: 'transship' },
  'webhook-configuration': { argument: 'NAME', text: 'MutatingWebhookConfiguration that gets the caBundle', default: 'transship' },
  'certificate-lifetime': { argument: 'TIME', text: 'life of the serving certificate; renewed at two thirds', default: '90d' },
  'ca-lifetime': { argument: 'TIME', text: 'life of the CA that signs it; renewed at two thirds', default: '365d' },
  'bundle-delay': { argument: 'TIME', text: 'until every API server trusts a new caBundle', default: '60s' },
  'reload-delay': { argument: 'TIME', text: 'until every webhook serves a new certificate', default: '150s' },
  host: { argument: 'ADDRESS', text: 'address of /healthz, /readyz and /metrics', default: '127.0.0.1' },
  port: { argument: 'N', text: 'HTTP port of these, 0 for any', default: '9464' },
  kubeconfig: { argument: 'FILE', text: "kubeconfig; the pod's service account when absent", default: '' },
  'log-level': { argument: 'LEVEL', text: logLevels.join(', '), default: 'info' },
} as const;

type Flag = keyof typeof flags;

export type ControllerFlags = ControllerOptions & { readonly logLevel: LogLevel };

export function controllerFlagHelp(): string {
  return Object.entries(flags)
    .map(
      ([name, { argument, text, default: value }]) => `  --${`${name} ${argument}`.padEnd(28)} ${text}${value === '' ? '' : ` (${value})`}`,
    )
    .join('\n');
}

/** @throws OperatorError of code USAGE */
export function readControllerOptions(args: readonly string[], env: Readonly<Record<string, string | undefined>>): ControllerFlags {
  const given = parse(args);
  const value = (flag: Flag): string => given[flag] ?? env[`TRANSSHIP_${flag.toUpperCase().replaceAll('-', '_')}`] ?? flags[flag].default;
  return {
    policy: required('policy', value('policy')),
    namespace: required('namespace', value('namespace')),
    features: list(required('features', value('features'))).map((feature): Feature => oneOf('features', feature, features)),
    optIn: oneOf('opt-in', value('opt-in'), optInModes),
    optInValues: list(value('opt-in-values')),
    optOutValues: list(value('opt-out-values')),
    excludedNamespaces: list(value('exclude-namespaces')),
    hostsConfigMap: required('hosts-config-map', value('hosts-config-map')),
    leaseName: required('lease-name', value('lease-name')),
    leaseSeconds: wholeNumber('lease-seconds', value('lease-seconds'), { least: 3, most: 600 }),
    certificates: {
      tlsSecret: required('tls-secret', value('tls-secret')),
      service: required('service', value('service')),
      webhookConfiguration: required('webhook-configuration', value('webhook-configuration')),
      certificateLifetime: duration('certificate-lifetime', value('certificate-lifetime')),
      caLifetime: duration('ca-lifetime', value('ca-lifetime')),
      bundleDelay: duration('bundle-delay', value('bundle-delay')),
      reloadDelay: duration('reload-delay', value('reload-delay')),
    },
    host: required('host', value('host')),
    port: wholeNumber('port', value('port'), { least: 0, most: 65_535 }),
    kubeconfig: value('kubeconfig') || null,
    logLevel: oneOf('log-level', value('log-level'), logLevels),
  };
}

function parse(args: readonly string[]): Partial<Record<Flag, string>> {
  const options = Object.fromEntries(Object.keys(flags).map((name) => [name, { type: 'string' as const }]));
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new OperatorError('USAGE', error instanceof Error ? error.message : String(error), undefined, { cause: error });
  }
}

function required(flag: Flag, text: string): string {
  if (text !== '') return text;
  throw new OperatorError('USAGE', `--${flag} ${flags[flag].argument} is needed`);
}

const list = (text: string): string[] =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

function oneOf<T extends string>(flag: Flag, text: string, known: readonly T[]): T {
  const found = known.find((candidate) => candidate === text);
  if (found === undefined) throw new OperatorError('USAGE', `--${flag} takes ${known.join(', ')}, not ${JSON.stringify(text)}`);
  return found;
}

function wholeNumber(flag: Flag, text: string, { least, most }: { least: number; most: number }): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new OperatorError('USAGE', `--${flag} takes a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`);
}

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds. */
function duration(flag: Flag, text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const milliseconds = Number(digits) * (units[unit] ?? 0);
  if (milliseconds > 0) return milliseconds;
  throw new OperatorError('USAGE', `--${flag} takes a time such as 45s, 30m, 12h or 90d, not ${JSON.stringify(text)}`);
}
