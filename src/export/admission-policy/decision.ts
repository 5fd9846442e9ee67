/** What becomes of each image, as variables in CEL: the steps of src/rules/decide.ts, each for all images of the pod at once. */
import { siblingLabels } from '../../policy/never-pulled.ts';
import { indented, lines, literal, strings } from './cel.ts';
import { entriesOf, type Variable } from './entries.ts';
import type { Test } from './patterns.ts';
import { canonicalText, isWellFormed, isWithinLimits, nameText, partsOf } from './reference.ts';
import { siteVariables } from './sites.ts';
import type { Table } from './table.ts';
import { transformed } from './transforms.ts';

export function decisionVariables(table: Table): Variable[] {
  return [
    ...entriesOf(table).variables,
    {
      name: 'targets',
      comment: 'Rules write below these: such images are there already.',
      expression: lines('[', table.targets.map(literal), ']'),
    },
    ...siteVariables(),
    imagesVariable(table),
    { name: 'matched', comment: 'For each image the entries that match it; the first one decides.', expression: matched(table, 'images') },
    resultsVariable(table),
    {
      name: 'resultParts',
      expression: `variables.results.map(n, ${indented(partsOf('n')).trimStart()})`,
    },
    ...againVariables(table),
    ...secretTables(table),
    becomesVariable(table),
    ...missingVariable(table),
  ];
}

function imagesVariable({ policy }: Table): Variable {
  const placeholders = policy.policy.placeholders.length === 0 ? '' : `!(s.image in ${strings(policy.policy.placeholders)}) && `;
  const members = '"at": s.at, "record": s.record, "image": s.image, "pull": s.pull, "policyAt": s.policyAt, ';
  return {
    name: 'images',
    comment: 'Those that are image references, with their parts; an image that is none is left alone.',
    expression: `variables.sites
.filter(s, ${placeholders}${isWellFormed('s.image')})
.map(s, ${indented(partsOf('s.image', members)).trimStart()})
.filter(m, ${isWithinLimits('m')})`,
  };
}

/** For each image of a variable, in CEL. */
function matched(table: Table, variable: string): string {
  const entries = table.rules.flatMap((rule) => rule.entries);
  const conditions = [
    'm.key.startsWith(e.name)',
    ...(entries.some(({ regex }) => regex !== '') ? [`(!has(e.regex) || ${canonicalText('m')}.matches(e.regex))`] : []),
    ...(entries.some(({ except }) => except !== '') ? [`(!has(e.except) || !${canonicalText('m')}.matches(e.except))`] : []),
  ];
  if (entries.length > 0 && table.rules.some(({ stays }) => stays !== null && stays !== 'none'))
    conditions.push(`(!has(e.stays) || ${goes})`);
  const filter = `${entriesOf(table).of('m')}.filter(e, ${conditions.join(' && ')})`;
  return table.excluded.length === 0
    ? `variables.${variable}.map(m, ${filter})`
    : `variables.${variable}.map(m, // exclude of the policy\n  ${table.excluded.map(testText).join('\n  || ')}\n  ? [] : ${filter})`;
}

/** Another registry may have other content under the tag of an image that is pulled at each start. */
const goes = `m.suffix.contains("@") || e.stays != "all" && !(e.stays == "always" && m.pull != "" ? m.pull == "Always" : m.suffix == "" || m.suffix == ":latest")`;

function testText({ prefix, regex }: Test): string {
  const starts = prefix === '' ? 'true' : `m.key.startsWith(${literal(prefix)})`;
  return regex === '' ? starts : `${starts} && ${canonicalText('m')}.matches(${literal(regex)})`;
}

function resultsVariable({ rules, exactTargets }: Table): Variable {
  const exact = exactTargets.length === 0 ? '' : ` || (${nameText('m')} + m.suffix) in ${strings(exactTargets)}`;
  return {
    name: 'results',
    comment: 'What the rule makes of each image; empty where it has no result.',
    expression: `variables.images.transformList(i, m,
  variables.matched[i].size() == 0 || variables.targets.exists(t, m.key.startsWith(t))${exact} ? ""
  : ${rules.some(({ stays }) => stays !== null) ? firstResult(rules) : `[variables.matched[i][0]].map(e,\n${indented(transformed(rules), '      ')})[0]`})`,
  };
}

/** Of the targets that the first entry has: one with a name for the image, and none where the first target of the rule has none. */
function firstResult(rules: Table['rules']): string {
  const same = ['rule', 'name', 'regex'].map((member) => `e.?${member} == variables.matched[i][0].?${member}`).join(' && ');
  const isImage = `n != "" && ${isWellFormed('n')} && [${indented(partsOf('n')).trimStart()}].all(p, ${isWithinLimits('p')})`;
  return `[variables.matched[i].filter(e, ${same}).map(e,
${indented(transformed(rules), '      ')}).map(n, ${isImage} ? n : "")]
    .map(l, l[l.size() - 1] == "" ? "" : l.filter(n, n != "")[0])[0]`;
}

/** Whether the webhook decides some images. */
export function hasLeft({ rules }: Table): boolean {
  return rules.some(({ action }) => action === 'left');
}

/** Whether the webhook decides the image of that index, and looks after its pull secrets and record. */
export function isLeft(index: string): string {
  return `variables.matched[${index}].size() > 0 && variables.matched[${index}][0].as == "left"`;
}

/** Rules that only attach secrets may match results too: then a second pass would add these secrets. */
function attaches({ rules }: Table): boolean {
  return rules.some(({ action, policy }) => action === 'secrets' && policy.pullSecrets.length > 0);
}

function againVariables(table: Table): Variable[] {
  if (!attaches(table)) return [];
  return [
    {
      name: 'again',
      comment: 'For each result the entries that match it: a rule that only attaches pull secrets may.',
      expression: matched(table, 'resultParts'),
    },
  ];
}

function becomesVariable(table: Table): Variable {
  const keepsMissing = hasSecrets(table) && table.rules.some(({ policy }) => policy.onMissingSecret === 'keep');
  const missing = `variables.secretsOfResults[i].exists(n, !(n in variables.present))`;
  const conditions = [
    'n != ""',
    'n != variables.images[i].image',
    isWellFormed('n'),
    isWithinLimits('variables.resultParts[i]'),
    `!(variables.images[i].pull == "Never" && ${neverCondition(table)})`,
    ...(keepsMissing
      ? [`!(variables.change != "create" && variables.images[i].at != "" && has(variables.matched[i][0].missingSecret) && ${missing})`]
      : []),
  ];
  return {
    name: 'becomes',
    comment: 'The new text of each image; empty where it stays as it is.',
    expression: `variables.results.transformList(i, n,
  ${conditions.join('\n  && ')}
  ? n : "")`,
  };
}

/** With `imagePullPolicy: Never` the node must have the image under its written name. */
function neverCondition({ rules }: Table): string {
  const auto = `!(${siblingLabels.map((label) => `${literal(label)} in variables.labels`).join(' || ')})`;
  if (rules.every(({ policy }) => policy.onPullPolicyNever === 'auto')) return auto;
  const chosen = 'variables.matched[i][0].?never.orValue("auto")';
  return `(${chosen} == "keep" || ${chosen} == "auto" && ${auto})`;
}

function secretsAt({ secrets }: Table, key: string): string {
  return secrets.length === 0 ? '[]' : `variables.registrySecrets.filter(r, ${key}.startsWith(r[0])).map(r, r[1])`;
}

const ofEntry = (member: string, entry: string): string => `${entry}.?${member}.orValue("").split(",").filter(n, n != "")`;

/** Whether the policy has pull secrets at all. */
export function hasSecrets({ rules, secrets }: Table): boolean {
  return secrets.length > 0 || rules.some(({ policy, registrySecrets }) => policy.pullSecrets.length + registrySecrets.length > 0);
}

const again = `(variables.again[i].size() > 0 && variables.again[i][0].as == "secrets" ? ${ofEntry('secrets', 'variables.again[i][0]')} : [])`;

function secretTables(table: Table): Variable[] {
  if (!hasSecrets(table)) return [];
  const { rules, secrets } = table;
  const registries = {
    name: 'registrySecrets',
    comment: 'The pull secrets of images, by where they are in the end.',
    expression: lines('[', secrets.map(strings), ']'),
  };
  const ofResult = [secretsAt(table, 'm.key'), ...(attaches(table) ? [again] : [])].join('\n  + ');
  return [
    ...(secrets.length === 0 ? [] : [registries]),
    { name: 'present', expression: 'object.spec.?imagePullSecrets.orValue([]).map(s, string(s.?name.orValue("")))' },
    ...(rules.some(({ policy }) => policy.onMissingSecret === 'keep')
      ? [{ name: 'secretsOfResults', expression: `variables.resultParts.transformList(i, m,\n  ${ofResult})` }]
      : []),
  ];
}

function missingVariable(table: Table): Variable[] {
  if (!hasSecrets(table)) return [];
  const { rules } = table;
  const first = 'variables.matched[i][0]';
  const own = rules.some(({ policy }) => policy.pullSecrets.length > 0) ? [ofEntry('secrets', first)] : [];
  const named = rules.some(({ registrySecrets }) => registrySecrets.length > 0) ? [ofEntry('registrySecrets', first)] : [];
  const isAttaching = attaches(table);
  const rewritten = [...named, secretsAt(table, 'variables.resultParts[i].key'), ...own, ...(isAttaching ? [again] : [])];
  const attached = `(variables.matched[i].size() > 0 && ${first}.as == "secrets" ? ${ofEntry('secrets', first)} : [])`;
  const stays = [secretsAt(table, 'm.key'), ...(isAttaching ? [attached] : [])];
  const ofLeft = hasLeft(table) ? `\n  : ${isLeft('i')} ? []` : '';
  return [
    {
      name: 'missing',
      comment: 'Pull secrets that the pod lacks. They cannot be added to an existing one.',
      expression: `variables.change != "create" ? [] : variables.images.transformList(i, m,
  variables.becomes[i] != ""
  ? ${rewritten.join('\n    + ')}${ofLeft}
  : ${stays.join('\n    + ')}
).flatten().distinct().filter(n, !(n in variables.present))`,
    },
  ];
}
