/**
 * Kyverno's policies that replace the registry of images: the sample replace-image-registry, and those that are made like it.
 * https://github.com/kyverno/policies/blob/main/other/replace-image-registry/replace-image-registry.yaml
 */
import * as z from 'zod';
import { readAddress, type Address } from './address.ts';
import { slug, type Draft, type DraftRule, type DraftTarget } from './draft.ts';
import { kubernetesObjects } from './kubernetes-objects.ts';
import { checked, fail, type Located, type SourceText } from './source.ts';

const rule = z.looseObject({
  name: z.string(),
  match: z.unknown().optional(),
  exclude: z.unknown().optional(),
  preconditions: z.unknown().optional(),
  mutate: z.unknown().optional(),
});
const policy = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
  spec: z.looseObject({ rules: z.array(rule) }),
});
type Policy = z.output<typeof policy>;

export function importKyverno(sources: readonly SourceText[]): Draft {
  const policies = kubernetesObjects(sources, ['ClusterPolicy', 'Policy']).map((object) => checked(object, policy));
  const rules = policies.flatMap((each) => each.value.spec.rules.flatMap((_, index) => ruleOf(each, index)));
  // A rule for containers and one for init containers are one rule here.
  const byTarget = new Map(rules.toReversed().map((each) => [JSON.stringify([each.images, each.namespaces, each.target]), each]));
  return {
    origin: "Kyverno's replacement of registries",
    notes: ['Here, debug containers and image volumes are rewritten too.'],
    exclude: [],
    rules: [...byTarget.values()].toReversed(),
  };
}

function ruleOf(located: Located<Policy>, index: number): DraftRule[] {
  const { metadata, spec } = located.value;
  const { name, match, exclude, preconditions, mutate } = spec.rules[index] ?? { name: '' };
  const path = ['spec', 'rules', index];
  if (mutate === undefined) return fail(located, path, `rule ${name} mutates nothing; keep it in Kyverno`);
  const images = strings(mutate).filter((text) => text.includes('{{') && /image/.test(text) && !/^\{\{\s*element\.name\s*\}\}$/.test(text));
  const targets = images.flatMap((text) => text.split('\n').flatMap(targetIn));
  const [target] = targets;
  if (target === undefined)
    return fail(
      located,
      [...path, 'mutate'],
      `rule ${name}: only a registry before the path or the name of an image can be imported; write a rule for it`,
    );
  if (typeof target === 'string') return fail(located, [...path, 'mutate'], target);
  const namespaces = [...namespacesIn(match), ...(metadata.namespace === undefined ? [] : [metadata.namespace])];
  const notes = [
    ...(exclude === undefined
      ? []
      : [`The exclude of Kyverno's rule ${name} is not imported: use the label transship.dev/rewrite, or match of the rule.`]),
    ...(preconditions === undefined || isCount(preconditions) ? [] : [`The preconditions of Kyverno's rule ${name} are not imported.`]),
    ...(/selector|operations|names|annotations/.test(JSON.stringify(match ?? ''))
      ? [`Of the match of Kyverno's rule ${name} only namespaces are imported.`]
      : []),
  ];
  return [{ name: slug(metadata.name), notes, images: ['*'], exclude: [target.host], namespaces, target: target.target }];
}

interface Replacement {
  readonly host: string;
  readonly target: DraftTarget;
}

/** In characters. The expressions below go back over a line, and one of a megabyte would take hours. */
const longestLine = 4096;

/** The host, perhaps with a path, that a line puts before an image; a text where it is none. */
function targetIn(line: string): (Replacement | string)[] {
  if (line.length > longestLine) return [];
  // Expressions for a registry at the beginning, and what comes after it.
  const replaced =
    /regex_replace_all(?:_literal)?\(\s*'\^(?:\([^']*\)\?\(\.\*\)\$|\[\^\/\]\+)'\s*,\s*'\{\{\s*element\.image\s*\}\}'\s*,\s*'([^'$]*?)\/?(?:\$2)?'\s*\)/.exec(
      line,
    );
  if (replaced !== null)
    return [withTarget(replaced[1] ?? '', (address) => ({ as: 'path', host: address.host, prefix: address.path, spelling: 'written' }))];
  const part = /(?:^|["'\s])([a-z0-9][a-z0-9.:/-]*?)\/\{\{\s*images\.[^}]*?(?:\{\{[^}]*\}\}[^}]*)?\.(path|name)\s*\}\}/.exec(line);
  if (part === null) return [];
  return [
    withTarget(part[1] ?? '', (address) => ({ as: part[2] === 'path' ? 'path' : 'flatten', host: address.host, prefix: address.path })),
  ];
}

function withTarget(text: string, target: (address: Address) => DraftTarget): Replacement | string {
  const address = readAddress(text);
  return typeof address === 'string' ? address : { host: address.host, target: target(address) };
}

/** Every text in a value. */
function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(strings) : [];
}

function namespacesIn(match: unknown): string[] {
  if (typeof match !== 'object' || match === null) return [];
  return Object.entries(match).flatMap(([key, value]: [string, unknown]) =>
    key === 'namespaces' && Array.isArray(value) ? value.map(String) : namespacesIn(value),
  );
}

/** The sample's only condition: that there are init containers. */
function isCount(preconditions: unknown): boolean {
  return strings(preconditions).some((text) => text.includes('length(@)'));
}
