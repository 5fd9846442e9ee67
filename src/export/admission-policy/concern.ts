/** A condition by which a pod is passed over that no rule and no pull secret concerns: by the text of its images, before anything is parsed. */
import { originalImagesAnnotation, rewrittenByAnnotation } from '../../pod/annotations.ts';
import { literal, quoted } from './cel.ts';
import type { Condition } from './scope.ts';
import type { Table } from './table.ts';

/** Names in the expression. With more it would cost more than it saves, and only hosts are compared. */
const maxNames = 40;

/** Null where any image may concern the policy. */
export function concernCondition({ rules, secrets }: Table): Condition | null {
  const prefixes = [
    ...new Set([...rules.flatMap(({ entries }) => entries.map(({ prefix }) => prefix)), ...secrets.map(([prefix]) => prefix)]),
  ];
  if (prefixes.includes('')) return null;
  const outer = prefixes.filter((prefix) => !prefixes.some((other) => other !== prefix && prefix.startsWith(other)));
  const names = outer.length <= maxNames ? outer : [...new Set(outer.map((prefix) => prefix.slice(0, prefix.indexOf('/') + 1)))];
  if (names.length > maxNames || names.length === 0) return names.length === 0 ? nothing : null;
  const test = `matches(${literal(`^(?:${names.toSorted().map(nameRegex).join('|')})`)})`;
  const lists = ['containers', 'initContainers', 'ephemeralContainers'].map(
    (list) => `object.spec.?${list}.orValue([]).exists(c, string(c.?image.orValue("")).${test})`,
  );
  const volumes = `object.spec.?volumes.orValue([]).exists(v, string(v.?image.?reference.orValue("-")).${test})`;
  const records = [originalImagesAnnotation, rewrittenByAnnotation].map(
    (annotation) => `${literal(annotation)} in object.metadata.?annotations.orValue({})`,
  );
  return {
    name: 'an-image-is-concerned',
    comment: 'From the rules: other images are left alone, and need no mutation.',
    expression: [...lists, volumes, `request.operation == "UPDATE" && (${records.join(' || ')})`].join('\n|| '),
  };
}

const nothing: Condition = { name: 'an-image-is-concerned', comment: 'No rule is exported.', expression: 'false' };

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
