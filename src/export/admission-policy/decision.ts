/** What becomes of each image, as variables in CEL: the steps of src/rules/decide.ts, each for all images of the pod at once. */
import { siblingLabels } from '../../policy/never-pulled.ts';
import { alternativeVariables, hasTargets } from './alternatives.ts';
import { indented, literal, strings } from './cel.ts';
import { entriesOf, type Variable } from './entries.ts';
import type { Test } from './patterns.ts';
import { missingVariable, secretTables } from './pull-secrets.ts';
import {
  canonicalText,
  indexedPartsOf,
  isReference,
  isWellFormed,
  isWithinLimits,
  nameText,
  partsOf,
  type WrittenPart,
} from './reference.ts';
import { sites, siteVariables } from './sites.ts';
import { attaches, hasSecrets, type Table, type TableRule } from './table.ts';
import { transformed } from './transforms.ts';

export function decisionVariables(table: Table): Variable[] {
  return [
    ...entriesOf(table).variables,
    ...siteVariables(),
    ...imageVariables(table),
    {
      name: 'matched',
      comment: 'For each image the entries that match it; the first one decides.',
      expression: matched(table, 'variables.parts'),
    },
    resultsVariable(table),
    {
      name: 'resultParts',
      comment: 'Only where a result is long, or where it decides about pull secrets.',
      expression: `variables.results${indented(indexedPartsOf('n', 'n'))}`,
    },
    ...againVariables(table),
    ...secretTables(table),
    becomesVariable(table),
    ...alternativeVariables(table),
    ...(attaches(table) && hasTargets(table)
      ? [{ name: 'targetsAgain', expression: `variables.targetParts.transformMap(i, l, ${matched(table, 'l')})` }]
      : []),
    ...missingVariable(table),
  ];
}

function imageVariables(table: Table): Variable[] {
  const { placeholders } = table.policy.policy;
  const isReal = placeholders.length === 0 ? '' : `!(s.image in ${strings(placeholders)}) && `;
  return [
    {
      name: 'images',
      comment: 'These, and of an update what the record says about them.',
      expression: sites,
    },
    {
      name: 'parts',
      comment: 'Of those that are image references, by index; an image that is none is left alone.',
      expression: `variables.images${indexedPartsOf('s.image', 's', { written: writtenParts(table), only: `${isReal}${isReference('s.image')}` })}`,
    },
  ];
}

/** Parts as written that a transform or a target asks for. */
function writtenParts({ rules, exactTargets }: Table): WrittenPart[] {
  const targets = rules.flatMap((rule) => [rule, ...rule.targets]);
  const isWritten = targets.some(({ spelling }) => spelling === 'written');
  const hasNames = exactTargets.length > 0 || targets.some(({ action }) => action === 'remainder');
  return [...(isWritten || hasNames ? (['host'] as const) : []), ...(isWritten ? (['rest'] as const) : [])];
}

/** For each image of a list. @param list in CEL */
function matched(table: Table, list: string): string {
  const entries = table.rules.flatMap((rule) => rule.entries);
  const conditions = [
    'm.key.startsWith(e.name)',
    ...(entries.some(({ regex }) => regex !== '') ? [`(!has(e.regex) || ${canonicalText('m')}.matches(e.regex))`] : []),
    ...(entries.some(({ except }) => except !== '') ? [`(!has(e.except) || !${canonicalText('m')}.matches(e.except))`] : []),
  ];
  // A result that a rule may attach secrets to is no image of the pod yet.
  const isStaying = list === 'variables.parts' && entries.length > 0 && table.rules.some(({ stays }) => stays !== null && stays !== 'none');
  if (isStaying) conditions.push(`(!has(e.stays) || ${goes})`);
  const filter = `${entriesOf(table).of('m')}.filter(e, ${conditions.join(' && ')})`;
  const each = list.startsWith('variables.') ? 'transformMap(i, m' : 'map(m';
  return table.excluded.length === 0
    ? `${list}.${each}, ${filter})`
    : `${list}.${each}, // exclude of the policy\n  ${table.excluded.map(testText).join('\n  || ')}\n  ? [] : ${filter})`;
}

/** Another registry may have other content under the tag of an image that is pulled at each start. */
const goes = `m.suffix.contains("@") || e.stays != "all" && !(e.stays == "always" && variables.images[i].pull != "" ? variables.images[i].pull == "Always" : m.suffix == "" || m.suffix == ":latest")`;

function testText({ prefix, regex }: Test): string {
  const starts = prefix === '' ? 'true' : `m.key.startsWith(${literal(prefix)})`;
  return regex === '' ? starts : `${starts} && ${canonicalText('m')}.matches(${literal(regex)})`;
}

/** Compared one by one; more are a list. */
const maxInline = 3;

const isBelow = (target: string): string => `m.key.startsWith(${target})`;

function isAtTarget({ targets, exactTargets }: Table): string {
  const tests =
    targets.length <= maxInline ? targets.map((target) => isBelow(literal(target))) : [`${strings(targets)}.exists(t, ${isBelow('t')})`];
  if (exactTargets.length > 0) tests.push(`((${nameText('m')} + m.suffix) in ${strings(exactTargets)})`);
  return tests.map((test) => ` && !${test}`).join('');
}

/** Whether rules have targets in front of their first one. */
function isDiverted({ rules }: Table): boolean {
  return rules.some(({ stays }) => stays !== null);
}

function resultsVariable(table: Table): Variable {
  const { rules } = table;
  return {
    name: 'results',
    comment: 'What the rule makes of each image that is not below a target of the rules already; empty where it has no result.',
    expression: `variables.parts.transformMap(i, m, variables.matched[i].size() > 0${isAtTarget(table)},
  ${isDiverted(table) ? firstResult(rules) : onlyResult(rules)})`,
  };
}

/** What the API server takes for a name for the entry, it takes for reading it without one some four times. */
const maxReads = 3;
const readsEntry = /\be\./g;

/** Of the first entry. */
function onlyResult(rules: Table['rules']): string {
  const text = transformed(rules.map((rule) => [rule, rule.entries]));
  const reads = text.match(readsEntry) ?? [];
  return reads.length <= maxReads
    ? indented(text.replace(readsEntry, 'variables.matched[i][0].')).trimStart()
    : `[variables.matched[i][0]].map(e,\n${indented(text, '      ')})[0]`;
}

/** Of the targets that the first entry has: one with a name of its own for the image, and none where the first target of the rule has none. */
function firstResult(rules: Table['rules']): string {
  const same = ['rule', 'name', 'regex'].map((member) => `e.?${member} == variables.matched[i][0].?${member}`).join(' && ');
  const isImage = `n != "" && ${isWellFormed('n')} && [n]${indented(partsOf('t', 't'))}.all(m, ${isWithinLimits('m')})`;
  return `[variables.matched[i].filter(e, ${same}).map(e,
${indented(transformed(rules.map((rule) => [rule, rule.entries])), '      ')}).map(n, ${isImage} ? n : "")]
    .map(l, l[l.size() - 1] == "" ? "" : (l.filter(n, n != "" && n != l[l.size() - 1]) + [l[l.size() - 1]])[0])[0]`;
}

function againVariables(table: Table): Variable[] {
  if (!attaches(table)) return [];
  return [
    {
      name: 'again',
      comment: 'For each result the entries that match it: a rule that only attaches pull secrets may.',
      expression: matched(table, 'variables.resultParts'),
    },
  ];
}

function becomesVariable(table: Table): Variable {
  const keepsMissing = hasSecrets(table) && table.rules.some(({ policy }) => policy.onMissingSecret === 'keep');
  const missing = `variables.secretsOfResults[i].exists(n, !(n in variables.present))`;
  const isValid = `${isWellFormed('n')} && ${isWithinLimits('variables.resultParts[i]')}`;
  const isShort = table.rules.some(maybeNoReference) ? null : 'n.size() <= 200';
  const conditions = [
    'n != ""',
    'n != variables.images[i].image',
    isShort === null ? isValid : `(${isShort} || ${isValid})`,
    `!(variables.images[i].pull == "Never" && ${neverCondition(table)})`,
    ...(keepsMissing
      ? [`!(variables.change != "create" && variables.images[i].at != "" && has(variables.matched[i][0].missingSecret) && ${missing})`]
      : []),
  ];
  return {
    name: 'becomes',
    comment: 'The new text of each image that does not stay as it is.',
    expression: `variables.results.transformMap(i, n,
  ${conditions.join('\n  && ')},
  n)`,
  };
}

/** What is below a target is a reference if it is not too long. These may put together something else, such as a path with the port of a host. */
function maybeNoReference({ action, entries }: TableRule): boolean {
  return action === 'escape' || action === 'image' || (action === 'remainder' && entries.some(({ depth }) => depth === 0));
}

/** With `imagePullPolicy: Never` the node must have the image under its written name. */
function neverCondition({ rules }: Table): string {
  const auto = `!(${siblingLabels.map((label) => `${literal(label)} in object.metadata.?labels.orValue({})`).join(' || ')})`;
  if (rules.every(({ policy }) => policy.onPullPolicyNever === 'auto')) return auto;
  const chosen = 'variables.matched[i][0].?never.orValue("auto")';
  return `(${chosen} == "keep" || ${chosen} == "auto" && ${auto})`;
}
