/** `registries.yaml` of K3s and RKE2. https://docs.k3s.io/installation/private-registry */
import * as z from 'zod';
import { isPlainHttp } from '../image/host.ts';
import { parsePattern } from '../rules/pattern.ts';
import { pathTarget, readEndpoint, type Endpoint } from './address.ts';
import { firstNote, slug, type Draft, type DraftRule, type DraftTarget } from './draft.ts';
import { checked, fail, ImportError, patternAt, readYaml, type Located, type SourceText } from './source.ts';

const mirrorSchema = z.looseObject({ endpoint: z.array(z.string()).nullish(), rewrite: z.record(z.string(), z.string()).nullish() });
const registries = z.looseObject({
  mirrors: z.record(z.string(), mirrorSchema.nullable()).nullish(),
  configs: z.record(z.string(), z.looseObject({ auth: z.unknown().optional(), tls: z.unknown().optional() }).nullable()).nullish(),
  /** The older place of credentials, which K3s still reads: Registry in wharfie's pkg/registries/types.go. */
  auths: z.record(z.string(), z.unknown()).nullish(),
});
type Registries = z.output<typeof registries>;

export function importK3s([source]: readonly SourceText[]): Draft {
  if (source === undefined) return { origin: 'nothing', notes: [], exclude: [], rules: [] };
  const [document] = readYaml(source);
  if (document === undefined) throw new ImportError(source, { line: 1, column: 1 }, 'it is empty; K3s reads mirrors and configs');
  const located = checked(document, registries);
  const { mirrors, configs, auths, ...others } = located.value;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) fail(located, [unknown], `${unknown} is no key of registries.yaml; it has mirrors and configs`);
  const hosts = Object.keys(mirrors ?? {});
  const drafted = hosts.map((host) => mirrorRules(located, host));
  const ofConfigs = hosts.includes('*') ? configuredHosts(configs ?? {}).filter((host) => !hosts.includes(host)) : [];
  for (const host of ofConfigs) patternAt(located, host, ['configs', host]);
  const kept = [...drafted.flatMap(({ host, rules }) => (rules.length === 0 && host !== '*' ? [host] : [])), ...ofConfigs];
  const rules = drafted.filter(({ host }) => host !== '*').flatMap((each) => each.rules);
  const rest = drafted.filter(({ host }) => host === '*').flatMap((each) => each.rules.map((rule) => ({ ...rule, exclude: kept })));
  return {
    origin: 'registries.yaml of K3s',
    notes: [
      'K3s asks the host of the image after its mirrors, unless it runs with --disable-default-registry-endpoint; here only the mirror is asked.',
      ...(kept.length === 0 ? [] : [`From the registry itself: ${kept.join(', ')}.`]),
      ...(ofConfigs.length === 0
        ? []
        : [`K3s makes a file of its own for a host with auth or tls, so the mirror of * is not for ${ofConfigs.join(', ')}.`]),
      ...firstNote(drafted.flatMap(({ host, isFirst }) => (isFirst ? [host] : []))),
      ...configNotes(configs ?? {}),
      ...Object.keys(auths ?? {}).map(credentialsNote),
    ],
    exclude: [],
    rules: [...rules, ...rest],
  };
}

/** Whose hosts.toml has more than the default: getHostConfigs of K3s' pkg/agent/containerd/config.go. */
function configuredHosts(configs: NonNullable<Registries['configs']>): string[] {
  return Object.entries(configs).flatMap(([host, config]) =>
    host !== '*' && (config?.auth ?? config?.tls ?? null) !== null ? [host] : [],
  );
}

function configNotes(configs: NonNullable<Registries['configs']>): string[] {
  const hosts = Object.entries(configs);
  const withAuth = hosts.flatMap(([host, config]) => (config?.auth === undefined ? [] : [host]));
  const withTls = hosts.flatMap(([host, config]) => (config?.tls === undefined ? [] : [host]));
  return [...withAuth.map(credentialsNote), ...withTls.map((host) => `The tls settings of ${host} stay in the configuration of nodes.`)];
}

function credentialsNote(host: string): string {
  return `Credentials of ${host} are not copied: create a pull secret, and name it in pullSecrets of its registry.`;
}

interface MirrorRules {
  readonly host: string;
  readonly rules: readonly DraftRule[];
  /** Whether the host itself is asked before a mirror. */
  readonly isFirst: boolean;
}

function mirrorRules(located: Located<Registries>, host: string): MirrorRules {
  patternAt(located, host, ['mirrors', host]);
  const { endpoint, rewrite, ...others } = located.value.mirrors?.[host] ?? {};
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) fail(located, ['mirrors', host, unknown], `${unknown} is no key of a mirror; it has endpoint and rewrite`);
  const endpoints = (endpoint ?? []).map((text, index) => {
    const url = text.includes('://') ? text : `https://${text}`;
    // normalizeEndpointAddress: another path is taken as it is.
    const place = readEndpoint(url, !/^\w+:\/\/[^/]+(?:\/|\/v2)?$/.test(url));
    return typeof place === 'string' ? fail(located, ['mirrors', host, 'endpoint', index], place) : place;
  });
  const mirrors = [...new Map(endpoints.map((place) => [`${place.host}/${place.path}`, place])).values()];
  const [first] = mirrors;
  const rewrites = Object.entries(rewrite ?? {});
  const elsewhere = mirrors.filter((place) => place.path !== '' || place.host !== host);
  const isItself = first !== undefined && !elsewhere.includes(first);
  // Without rewrites, such an endpoint is the default one.
  if (first === undefined || (isItself && rewrites.length === 0)) return { host, rules: [], isFirst: mirrors.length > 1 };
  const rewritten = rewrites.map(([expression, replacement]) => rewriteRule(located, { host, mirrors, expression, replacement }));
  const notes = [
    ...(rewritten.length > 1 ? ['K3s tries rewrites in no order; here the first that matches decides.'] : []),
    ...(first.isPlainHttp && !isPlainHttp(first.host)
      ? [`K3s asks ${first.host} without TLS: nodes need an endpoint http://${first.host} for it too.`]
      : []),
  ];
  if (isItself) return { host, rules: rewritten, isFirst: elsewhere.length > 0 };
  const whole: DraftRule = { name: host === '*' ? 'default' : slug(host), notes, images: [host], ...targetsOf(elsewhere, pathTarget) };
  return { host, rules: [...rewritten, whole], isFirst: false };
}

function targetsOf(mirrors: readonly Endpoint[], target: (mirror: Endpoint) => DraftTarget): Pick<DraftRule, 'target' | 'alternatives'> {
  const [first, ...alternatives] = mirrors.map(target);
  if (first === undefined) throw new TypeError('a rule has a mirror');
  return { target: first, alternatives };
}

interface Rewrite {
  readonly host: string;
  readonly mirrors: readonly Endpoint[];
  /** Of the path of the image, without its tag: Go's regexp. */
  readonly expression: string;
  /** With `$1` or `${1}`. */
  readonly replacement: string;
}

/** ReplaceAllString of Go's regexp keeps what the expression does not match. */
function rewriteRule(located: Located<Registries>, { host, mirrors, expression, replacement }: Rewrite): DraftRule {
  const path = ['mirrors', host, 'rewrite', expression];
  const simple = /^\^([a-z0-9][a-z0-9._/-]*)\/\(\.[*+]\)\$?$/.exec(expression);
  const kept = /^((?:[a-z0-9][a-z0-9._-]*\/)*)(?:\$1|\$\{1\})$/.exec(replacement);
  const name = slug(`${host}-${simple?.[1] ?? expression}`);
  if (simple !== null && kept !== null && host !== '*') {
    const below = (kept[1] ?? '').replace(/\/$/, '');
    const target = (mirror: Endpoint): DraftTarget => ({ as: 'remainder', host: mirror.host, prefix: joined(mirror.path, below) });
    return { name, notes: [], images: [`${host}/${simple[1]}`], ...targetsOf(mirrors, target) };
  }
  if (!expression.startsWith('^') || host === '*' || hasOuterAlternatives(expression))
    fail(located, path, 'only a rewrite of one host that begins with ^ can be imported; write a rule for it');
  const isWhole = expression.endsWith('$');
  const end = isWhole ? '(?:[:@].*)?$' : '(?P<rest>[^:@]*)';
  const regex = `^${host.replaceAll('.', String.raw`\.`)}/(?:${expression.slice(1).replace(/\$$/, '')})${end}`;
  const parsed = parsePattern({ regex });
  if (!parsed.ok) fail(located, path, parsed.problem);
  const groups = parsed.pattern.kind === 'regex' ? parsed.pattern.expression.groupCount() - (isWhole ? 0 : 1) : 0;
  // Go takes the longest name: $1x is the group named 1x.
  const used = [...replacement.matchAll(/\$(?:\{(\w+)\}|(\w+))/g)].map(([, braced = '', plain = '']) => braced + plain);
  const missing = used.find((group) => !/^\d+$/.test(group) || Number(group) > groups);
  if (missing !== undefined) fail(located, path, `its replacement uses $${missing}, which it does not capture; write a group as \${1}`);
  const replaced = replacement.replaceAll(/\$(\d+)/g, '${$1}') + (isWhole ? '' : '${rest}');
  return {
    name,
    notes: [`K3s: "${expression}" becomes "${replacement}"; there, the expression does not see the tag.`],
    images: [{ regex }],
    ...targetsOf(mirrors, (mirror) => ({ as: 'template', template: joined(mirror.host, mirror.path, replaced) })),
  };
}

/** Then only the first of them begins at the start: `^a|b`. */
function hasOuterAlternatives(expression: string): boolean {
  let depth = 0;
  for (const [token] of expression.matchAll(/\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]/g)) {
    if (token === '(') depth += 1;
    if (token === ')') depth -= 1;
    if (token === '|' && depth === 0) return true;
  }
  return false;
}

const joined = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join('/');
