/** The pull secrets of rules with alternatives, in CEL: a new pod gets those of all targets, since it cannot get more of them later. */
import { indented, lines, literal } from './cel.ts';
import type { Variable } from './entries.ts';
import { isReference, partsOf } from './reference.ts';
import type { Table } from './table.ts';
import { targetLists } from './targets.ts';
import { transformed, type Use } from './transforms.ts';

/** Whether rules have alternatives that bring pull secrets. */
export function hasTargets({ rules }: Table): boolean {
  return rules.some(({ targets }) => targets.length > 0);
}

/** Steps of `alternativesOf` in src/rules/alternatives.ts: a target without a name for the image counts for nothing, nor does a name that came before. */
export function alternativeVariables(table: Table): Variable[] {
  if (!hasTargets(table)) return [];
  const lists = [...targetLists(table.rules)].map(([text, key]) => `${literal(key)}: ${text}`);
  return [
    { name: 'ruleTargets', comment: 'All targets of rules with alternatives, in order.', expression: lines('{', lists, '}') },
    {
      name: 'targetImages',
      comment: 'For each image: where it may be pulled from, now and later, if it is rewritten in a new pod.',
      expression: `variables.parts.transformMap(i, m, variables.change == "create" && i in variables.becomes && has(variables.matched[i][0].targets),
    [variables.ruleTargets[variables.matched[i][0].targets]].map(l, [l.map(e,
${indented(transformed(usesOf(table)), '        ')}).map(n, n != "" && ${indented(isReference('n'), '        ').trimStart()} ? n : "")]
      .map(names, names.transformList(j, n, n != "" && !names.slice(0, j).exists(o, o == n),
        {"image": n, "secrets": string(has(l[j].secrets) ? l[j].secrets : "")}))[0])[0])`,
    },
    { name: 'targetParts', expression: `variables.targetImages.transformMap(i, l, l${indented(partsOf('t.image', 't'))})` },
  ];
}

function usesOf({ rules }: Table): Use[] {
  return rules.flatMap(({ targets, entries }) => targets.map((target) => [target, entries] as const));
}

/** Of the image of index `i`, in the order of its targets. @param lists of names, in CEL, of its target of index `k` */
export function secretsOfTargets(lists: readonly string[]): string {
  return `variables.targetImages[i].transformList(k, t,
      ${['t.secrets.split(",").filter(n, n != "")', ...lists].join(' + ')}).flatten()`;
}
