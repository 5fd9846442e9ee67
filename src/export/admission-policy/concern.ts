/** A condition by which a pod is passed over that no rule and no pull secret concerns: by the text of its images, before anything is parsed. */
import { originalImagesAnnotation, rewrittenByAnnotation } from '../../pod/annotations.ts';
import { literal, quoted } from './cel.ts';
import type { Condition } from './scope.ts';
import type { Table } from './table.ts';

/** Names in the expression. With more it would cost more than it saves, and only hosts are compared. */
const maxNames = 40;

/** Null where any image may concern the policy. */
export function concernCondition({ rules, secrets }: Table): Condition | null {
  const names = namesOf(rules.flatMap(({ entries }) => entries.map(({ prefix }) => prefix)));
  const registries = registriesOf(secrets).filter(({ prefix }) => names?.some((name) => prefix.startsWith(name)) !== true);
  if (names === null || registries.length > maxNames) return null;
  const records = [originalImagesAnnotation, rewrittenByAnnotation].map(
    (annotation) => `${literal(annotation)} in object.metadata.?annotations.orValue({})`,
  );
  const parts = [
    ...(names.length === 0 ? [] : [anyImage(names)]),
    ...registries.map((registry) => `(${lacks(registry.secrets)}) && (${anyImage([registry.prefix])})`),
    `request.operation == "UPDATE" && (${records.join(' || ')})`,
  ];
  return {
    name: 'an-image-is-concerned',
    comment:
      'From the rules: other images are left alone, and need no mutation. Nor do those at their target, in a pod that has the pull secrets. ' +
      'Containers that others add to such a pod later are left alone as well.',
    expression: parts.join('\n|| '),
  };
}

/** Null where it is not worth it. */
function namesOf(all: readonly string[]): readonly string[] | null {
  const prefixes = [...new Set(all)];
  if (prefixes.includes('')) return null;
  const outer = prefixes.filter((prefix) => !prefixes.some((other) => other !== prefix && prefix.startsWith(other)));
  const names = outer.length <= maxNames ? outer : [...new Set(outer.map((prefix) => prefix.slice(0, prefix.indexOf('/') + 1)))];
  return names.length > maxNames ? null : names.toSorted();
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
  const test = `matches(${literal(`^(?:${names.map(nameRegex).join('|')})`)})`;
  const lists = ['containers', 'initContainers', 'ephemeralContainers'].map(
    (list) => `object.spec.?${list}.orValue([]).exists(c, string(c.?image.orValue("")).${test})`,
  );
  return [...lists, `object.spec.?volumes.orValue([]).exists(v, string(v.?image.?reference.orValue("-")).${test})`].join('\n|| ');
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
