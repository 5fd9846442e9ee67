/** A condition by which a pod is passed over that no rule and no pull secret concerns: by the text of its images, before anything is parsed. */
import { originalImagesAnnotation, rewrittenByAnnotation } from '../../pod/annotations.ts';
import { literal, quoted, strings } from './cel.ts';
import { anyHost } from './reference.ts';
import { containerLists, containersIn } from './sites.ts';
import type { Condition } from './scope.ts';
import type { Table } from './table.ts';

/** Names in one expression of RE2. With more it would cost more than it saves, and hosts are looked up in a list instead. */
const maxNames = 40;

/** Of the condition. */
export const concernName = 'an-image-is-concerned';

/** Null where any image may concern the policy. */
export function concernCondition({ rules, secrets }: Table): Condition | null {
  const prefixes = rules.flatMap(({ entries }) => entries.map(({ prefix }) => prefix));
  if (prefixes.includes('')) return null;
  const names = namesOf(prefixes);
  const registries = registriesOf(secrets).filter(({ prefix }) => !names.some((name) => prefix.startsWith(name)));
  if (registries.length > maxNames) return null;
  const records = [originalImagesAnnotation, rewrittenByAnnotation].map(
    (annotation) => `${literal(annotation)} in object.metadata.?annotations.orValue({})`,
  );
  const parts = [
    ...(names.length === 0 ? [] : [anyImage(names)]),
    ...registries.map((registry) => `(${lacks(registry.secrets)}) && (${anyImage([registry.prefix])})`),
    `request.operation == "UPDATE" && (${records.join(' || ')})`,
  ];
  return {
    name: concernName,
    comment:
      'From the rules: other images are left alone, and need no mutation. Nor do those at their target, in a pod that has the pull secrets.',
    expression: parts.join('\n|| '),
  };
}

/** Those that no other one is a part of; hosts where there are too many. */
function namesOf(prefixes: readonly string[]): readonly string[] {
  const all = new Set(prefixes);
  const outer = [...all].filter((prefix) => !partsOfName(prefix).some((other) => all.has(other)));
  return (outer.length <= maxNames ? outer : [...new Set(outer.map((prefix) => prefix.slice(0, prefix.indexOf('/') + 1)))]).toSorted();
}

/** `a/`, `a/b/` of `a/b/c/`. */
function partsOfName(prefix: string): string[] {
  const components = prefix.split('/').slice(0, -2);
  return components.map((_, index) => `${components.slice(0, index + 1).join('/')}/`);
}

interface SecretRegistry {
  readonly prefix: string;
  readonly secrets: readonly string[];
}

function registriesOf(secrets: Table['secrets']): SecretRegistry[] {
  const prefixes = [...new Set(secrets.map(([prefix]) => prefix))];
  return prefixes.map((prefix) => ({ prefix, secrets: secrets.flatMap(([at, secret]) => (at === prefix ? [secret] : [])) }));
}

function lacks(secrets: readonly string[]): string {
  return secrets
    .map((secret) => `!object.spec.?imagePullSecrets.orValue([]).exists(s, s.?name.orValue("") == ${literal(secret)})`)
    .join(' || ');
}

function anyImage(names: readonly string[]): string {
  const test = names.length <= maxNames ? `.matches(${literal(`^(?:${names.map(nameRegex).join('|')})`)})` : hostTest(names);
  const lists = containerLists.map(containersIn);
  return `(${lists.join(' + ')}).exists(c, string(c.?image.orValue(""))${test})
|| object.spec.?volumes.orValue([]).exists(v, has(v.image) && string(v.image.?reference.orValue(""))${test})`;
}

/** @param hosts each with its slash; without a host an image is of Docker Hub */
function hostTest(hosts: readonly string[]): string {
  const all = hosts.flatMap((host) => (host === 'docker.io/' ? ['', 'docker.io/', 'index.docker.io/'] : [host.toLowerCase()]));
  return `.find(${literal(anyHost)}).lowerAscii() in ${strings(all)}`;
}

/** Every text of an image whose key begins with the prefix; also others. */
function nameRegex(prefix: string): string {
  const slash = prefix.indexOf('/');
  const host = prefix.slice(0, slash);
  const path = prefix.slice(slash + 1, -1);
  const end = '(?:[/:@]|$)';
  if (host !== 'docker.io') return `(?i:${quoted(host)})/${path === '' ? '' : quoted(path) + end}`;
  const hub = '(?i:(?:index[.])?docker[.]io/)';
  // Without a host: one component, or a first one that is none.
  if (path === '') return `${hub}|[^/]*$|[^/.:A-Z]+/`;
  const short = path === 'library' ? `|(?:${hub})?[^/]*$` : path.startsWith('library/') ? `|(?:${hub})?${quoted(path.slice(8))}${end}` : '';
  return `(?:${hub})?${quoted(path)}${end}${short}`;
}
