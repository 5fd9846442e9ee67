/** What becomes of each image, as variables in CEL: the steps of src/rules/decide.ts, each for all images of the pod at once. */
import { siblingLabels } from '../../policy/never-pulled.ts';
import { indented, lines, literal, strings } from './cel.ts';
import { entriesOf, type Variable } from './entries.ts';
import type { Test } from './patterns.ts';
import { canonicalText, isReference, isWellFormed, isWithinLimits, nameText, partsOf, type WrittenPart } from './reference.ts';
import { sites, siteVariables } from './sites.ts';
import type { Table, TableRule } from './table.ts';
import { transformed } from './transforms.ts';

export function decisionVariables(table: Table): Variable[] {
  return [
    ...entriesOf(table).variables,
    ...siteVariables(),
    ...imageVariables(table),
    { name: 'matched', comment: 'For each image the entries that match it; the first one decides.', expression: matched(table, 'parts') },
    resultsVariable(table),
    {
      name: 'resultParts',
      comment: 'Only where a result is long, or where it decides about pull secrets.',
      expression: `variables.results${indented(partsOf('n', 'n'))}`,
    },
    ...againVariables(table),
    ...secretTables(table),
    becomesVariable(table),
    ...missingVariable(table),
  ];
}

function imageVariables(table: Table): Variable[] {
  const { placeholders } = table.policy.policy;
  const isReal = placeholders.length === 0 ? '' : `!(s.image in ${strings(placeholders)}) && `;
  return [
    {
      name: 'images',
      comment: 'Those that are image references; an image that is none is left alone.',
      expression: `${sites}
.filter(s, ${isReal}${isReference('s.image')})`,
    },
    { name: 'parts', expression: `variables.images${partsOf('s.image', 's', writtenParts(table))}` },
  ];
}

/** Parts as written that a transform or a target asks for. */
function writtenParts({ rules, exactTargets }: Table): WrittenPart[] {
  const isWritten = rules.some(({ spelling }) => spelling === 'written');
  const hasNames = exactTargets.length > 0 || rules.some(({ action }) => action === 'remainder');
  return [...(isWritten || hasNames ? (['host'] as const) : []), ...(isWritten ? (['rest'] as const) : [])];
}

/** For each image of a variable, in CEL. */
function matched(table: Table, variable: string): string {
  const entries = table.rules.flatMap((rule) => rule.entries);
  const conditions = [
    'm.key.startsWith(e.name)',
    ...(entries.some(({ regex }) => regex !== '') ? [`(!has(e.regex) || ${canonicalText('m')}.matches(e.regex))`] : []),
    ...(entries.some(({ except }) => except !== '') ? [`(!has(e.except) || !${canonicalText('m')}.matches(e.except))`] : []),
  ];
  const isStaying = entries.length > 0 && table.rules.some(({ stays }) => stays !== null && stays !== 'none');
  if (isStaying) conditions.push(`(!has(e.stays) || ${goes})`);
  const filter = `${entriesOf(table).of('m')}.filter(e, ${conditions.join(' && ')})`;
  const each = isStaying ? 'transformList(i, m' : 'map(m';
  return table.excluded.length === 0
    ? `variables.${variable}.${each}, ${filter})`
    : `variables.${variable}.${each}, // exclude of the policy\n  ${table.excluded.map(testText).join('\n  || ')}\n  ? [] : ${filter})`;
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
  if (exactTargets.length > 0) tests.push(`(${nameText('m')} + m.suffix) in ${strings(exactTargets)}`);
  return tests.map((test) => ` || ${test}`).join('');
}

/** Whether rules have targets in front of their first one. */
function isDiverted({ rules }: Table): boolean {
  return rules.some(({ stays }) => stays !== null);
}

function resultsVariable(table: Table): Variable {
  const { rules } = table;
  return {
    name: 'results',
    comment: 'What the rule makes of each image; empty where it has no result.',
    expression: `variables.parts.transformList(i, m,
  // Rules write below these: such images are there already.
  variables.matched[i].size() == 0${isAtTarget(table)} ? ""
  : ${isDiverted(table) ? firstResult(rules) : `[variables.matched[i][0]].map(e,\n${indented(transformed(rules), '      ')})[0]`})`,
  };
}

/** Of the targets that the first entry has: one with a name for the image, and none where the first target of the rule has none. */
function firstResult(rules: Table['rules']): string {
  const same = ['rule', 'name', 'regex'].map((member) => `e.?${member} == variables.matched[i][0].?${member}`).join(' && ');
  const isImage = `n != "" && ${isWellFormed('n')} && [n]${indented(partsOf('t', 't'))}.all(m, ${isWithinLimits('m')})`;
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
  const isValid = `${isWellFormed('n')} && ${isWithinLimits('variables.resultParts[i]')}`;
  // What is below a target is a reference if it is not too long; the other two may put together something else.
  const isShort = table.rules.some(({ action }) => action === 'escape' || action === 'image') ? null : 'n.size() <= 200';
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
    comment: 'The new text of each image; empty where it stays as it is.',
    expression: `variables.results.transformList(i, n,
  ${conditions.join('\n  && ')}
  ? n : "")`,
  };
}

/** With `imagePullPolicy: Never` the node must have the image under its written name. */
function neverCondition({ rules }: Table): string {
  const auto = `!(${siblingLabels.map((label) => `${literal(label)} in object.metadata.?labels.orValue({})`).join(' || ')})`;
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
  const first = 'variables.matched[i][0]';
  const isAttaching = attaches(table);
  const attached = `(variables.matched[i].size() > 0 && ${first}.as == "secrets" ? ${ofEntry('secrets', first)} : [])`;
  const stays = [secretsAt(table, 'm.key'), ...(isAttaching ? [attached] : [])];
  const ofLeft = hasLeft(table) ? `\n  : ${isLeft('i')} ? []` : '';
  return [
    {
      name: 'missing',
      comment: 'Pull secrets that the pod lacks. They cannot be added to an existing one.',
      expression: `variables.change != "create" ? [] : variables.parts.transformList(i, m,
  variables.becomes[i] != ""
  ? ${secretsOfRewritten(table).join('\n    + ')}${ofLeft}
  : ${stays.join('\n    + ')}
).flatten().distinct().filter(n, !(n in variables.present))`,
    },
  ];
}

/** Of an image that is rewritten: a list where the rules say it all, else an expression by its result. */
function secretsOfRewritten(table: Table): string[] {
  const { rules } = table;
  const rewriting = rules.filter(({ action }) => action !== 'secrets' && action !== 'left');
  const known = rewriting.map((rule) => knownSecrets(table, rule));
  const [one] = known;
  if (one != null && !attaches(table) && known.every((each) => each?.join() === one.join())) return [strings(one)];
  const first = 'variables.matched[i][0]';
  const own = rules.some(({ policy }) => policy.pullSecrets.length > 0) ? [ofEntry('secrets', first)] : [];
  const named = rules.some(({ registrySecrets }) => registrySecrets.length > 0) ? [ofEntry('registrySecrets', first)] : [];
  return [...named, secretsAt(table, 'variables.resultParts[i].key'), ...own, ...(attaches(table) ? [again] : [])];
}

/** Null where they depend on more of the result than what the rule puts in front. */
function knownSecrets({ secrets }: Table, { action, base, registrySecrets, policy }: TableRule): string[] | null {
  const [host, ...path] = base.split('/');
  // An image of Docker Hub gets library/ in front, and the host is compared without regard to case.
  if (action === 'image' || host === undefined || host === 'docker.io' || host !== host.toLowerCase()) return null;
  const key = [host, ...path, ''].join('/');
  if (secrets.some(([prefix]) => prefix.startsWith(key) && prefix !== key)) return null;
  const at = secrets.flatMap(([prefix, secret]) => (key.startsWith(prefix) ? [secret] : []));
  return [...new Set([...registrySecrets, ...at, ...policy.pullSecrets])];
}
