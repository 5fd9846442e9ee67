/** A draft as the text of a policy file, with tests of what it makes of images. */
import { samplesOf } from '../config/lint/samples.ts';
import { loadPolicy, type LoadedPolicy } from '../config/load.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { referenceOf } from '../image/reference.ts';
import type { PatternSource } from '../policy/types.ts';
import { decideImage } from '../rules/decide.ts';
import { matchPattern, parsePattern, type NamePattern } from '../rules/pattern.ts';
import { printable } from '../text/printable.ts';
import { leftAlone } from './names.ts';
import { slug, uniqueNames, withUniqueNames, type Draft, type DraftRule, type DraftTarget } from './draft.ts';

const maxTests = 40;

/** @throws OperatorError (IMPORT_INVALID) where the draft is no policy */
export function policyText(draft: Draft): string {
  const alone = leftAlone(draft);
  const notes = alone.length === 0 ? [] : [`Images under these are left alone here, because rules write there: ${alone.join(', ')}.`];
  const named = { ...draft, notes: [...draft.notes, ...notes], rules: withUniqueNames(draft.rules) };
  const first = loaded(textOf(named, new Set()));
  const accepted = collidingRules(first);
  const { text, policy } = accepted.size === 0 ? first : loaded(textOf(named, accepted));
  const tests = testsOf(policy, named);
  return tests.length === 0 ? text : `${text}\ntests:\n${tests.map((line) => `  - ${line}\n`).join('')}`;
}

interface Loaded {
  readonly text: string;
  readonly policy: LoadedPolicy;
}

const loaded = (text: string): Loaded => ({ text, policy: loadPolicy(text, 'policy.yaml') });

function textOf(draft: Draft, accepted: ReadonlySet<string>): string {
  const registries = registriesOf(draft);
  const entries = [...registries].map(([host, name]) => `  ${name}: { host: ${quoted(host)} }\n`).join('');
  const exclude = draft.exclude.length === 0 ? '' : `\nexclude:\n  images: ${list(draft.exclude)}\n`;
  const rules = draft.rules.map((rule) => ruleText(rule, registries, accepted.has(rule.name))).join('');
  return `${comments([`Made from ${draft.origin} by transship import. Read the comments: they say what differs.`, ...draft.notes], '')}apiVersion: transship.dev/v1
kind: RewritePolicy
${registries.size === 0 ? '' : `\nregistries:\n${entries}`}${exclude}
rules:${rules === '' ? ' []\n' : `\n${rules}`}`;
}

/** The name of each host's registry. */
function registriesOf({ rules }: Draft): Map<string, string> {
  const names = new Map<string, string>();
  const unique = uniqueNames();
  for (const { target, alternatives = [] } of rules)
    for (const each of [target, ...alternatives])
      if ('host' in each && !names.has(each.host)) names.set(each.host, unique(slug(each.host)));
  return names;
}

function ruleText(rule: DraftRule, registries: ReadonlyMap<string, string>, isAccepted: boolean): string {
  const { exclude = [], namespaces = [], alternatives = [], pullSecrets = [] } = rule;
  const match = [
    `images: ${list(rule.images)}`,
    ...(exclude.length === 0 ? [] : [`exclude: ${list(exclude)}`]),
    ...(namespaces.length === 0 ? [] : [`namespaces: ${list(namespaces)}`]),
  ];
  const lines = [
    `name: ${quoted(rule.name)}`,
    `match: { ${match.join(', ')} }`,
    `rewrite: ${targetText(rule.target, registries, isAccepted)}`,
    ...(alternatives.length === 0
      ? []
      : [`alternatives: [${alternatives.map((each) => targetText(each, registries, isAccepted)).join(', ')}]`]),
    ...(pullSecrets.length === 0 ? [] : [`pullSecrets: ${list(pullSecrets)}`]),
  ];
  const notes = isAccepted ? [...rule.notes, 'Different images may get one name, as they do there.'] : rule.notes;
  return `${comments(notes, '  ')}  - ${lines.join('\n    ')}\n`;
}

function targetText(target: DraftTarget, registries: ReadonlyMap<string, string>, isAccepted: boolean): string {
  const accept = isAccepted ? ', collisions: accept' : '';
  if (target.as === 'original') return '{ as: original }';
  if (target.as === 'image') return `{ as: image, image: ${quoted(target.image)} }`;
  if (target.as === 'template') return `{ as: template, template: ${quoted(target.template)}${accept} }`;
  const prefix = target.prefix === '' ? '' : `, prefix: ${quoted(target.prefix)}`;
  const spelling = target.spelling === undefined ? '' : `, spelling: ${target.spelling}`;
  return `{ registry: ${registries.get(target.host)}, as: ${target.as}${prefix}${spelling}${accept} }`;
}

function comments(texts: readonly string[], indent: string): string {
  return texts.map((text) => `${indent}# ${printable(text)}\n`).join('');
}

function list(entries: readonly PatternSource[]): string {
  return `[${entries.map((entry) => (typeof entry === 'string' ? quoted(entry) : `{ regex: ${quoted(entry.regex)} }`)).join(', ')}]`;
}

/** As people write YAML; a JSON string where that would be read as something else. */
function quoted(text: string): string {
  return /^[a-z][a-z0-9./-]*$/.test(text) && !/^(?:true|false|null|yes|no|on|off|y|n)$/.test(text) ? text : JSON.stringify(text);
}

/** Rules that the linter warns about because two images may get one name. */
function collidingRules({ policy: { findings } }: Loaded): Set<string> {
  const found = findings.filter(({ code }) => code === 'collision' || code === 'possible-collision');
  return new Set(found.map(({ message }) => /^rule (\S+): /.exec(message)?.[1] ?? ''));
}

function testsOf({ compiled, findings }: LoadedPolicy, draft: Draft): string[] {
  if (compiled === null)
    throw new OperatorError(
      'IMPORT_INVALID',
      `what ${draft.origin} says is no policy`,
      'correct it there; the places are those of the policy',
      { findings },
    );
  const ofRules = draft.rules.flatMap(({ images, exclude = [], samples = [], namespaces }) =>
    [...samples, ...images.flatMap(samplesFor), ...exclude.flatMap((each) => samplesFor(each).slice(0, 1))].map((image) => ({
      image,
      namespace: namespaces?.[0]?.replaceAll('*', 'x') ?? 'default',
    })),
  );
  const all = [...ofRules, ...draft.exclude.flatMap(samplesFor).map((image) => ({ image, namespace: 'default' }))];
  const lines = all.map(({ image, namespace }) => {
    const { outcome, result, rule } = decideImage(compiled.table, image, { namespace, podLabels: {} });
    const where = namespace === 'default' ? '' : `, namespace: ${quoted(namespace)}`;
    const wanted = result === null ? `outcome: ${outcome}` : `becomes: ${quoted(result)}, rule: ${quoted(rule ?? '')}`;
    return `{ image: ${quoted(image)}, ${wanted}${where} }`;
  });
  return [...new Set(lines)].slice(0, maxTests);
}

/** Images that people know, for patterns that are no names. */
const known = [
  'nginx:1.27',
  'ubuntu:24.04',
  'grafana/grafana:11.0.0',
  'quay.io/prometheus/prometheus:v3.0.0',
  'ghcr.io/fluxcd/source-controller:v1.3.0',
  'registry.k8s.io/pause:3.10',
];

/** Images of a pattern. */
function samplesFor(source: PatternSource): string[] {
  const parsed = parsePattern(source);
  if (!parsed.ok) return [];
  const { pattern } = parsed;
  const matching = [...known, ...(pattern.kind === 'name' ? [nameSample(pattern)] : samplesOf(pattern).map(({ text }) => text))].filter(
    (image) => {
      const reference = referenceOf(image);
      return reference !== null && matchPattern(pattern, reference) !== null;
    },
  );
  return matching.slice(0, pattern.kind === 'name' ? 2 : 1);
}

function nameSample({ text, path, tag, digest }: NamePattern): string {
  const name = text.replace(/:\*/, ':5000').replaceAll('*', 'x');
  if (tag !== null || digest !== null) return name;
  return `${name}${['/acme/app', '/app'][path.length] ?? ''}:1.0`;
}
