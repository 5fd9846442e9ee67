/** The rules as a list in CEL: an entry for each pattern, in the order in which they are tried. */
import { parseReference } from '../../image/reference.ts';
import { matchesGlob } from '../../rules/glob.ts';
import { rewriterText } from '../../pod/annotations.ts';
import { asciiJson } from '../../pod/records.ts';
import { printable } from '../../text/printable.ts';
import { indented, literal, quoted } from './cel.ts';
import type { Entry, Table, TableRule } from './table.ts';
import { actionText } from './transforms.ts';

/** Maximum length of the expression of one variable, in characters: see docs. */
export const maxExpression = 60_000;

export interface Variable {
  readonly name: string;
  readonly comment?: string;
  readonly expression: string;
}

function joined(texts: readonly string[]): string {
  return texts.length === 0 ? '[]' : texts.join('\n+ ');
}

/** One variable, or several and the one that joins them. */
export function entryVariables({ rules, policy: { revision } }: Table): Variable[] {
  const groups = rules.map((rule) => ruleText(rule, revision));
  const parts: string[][] = [];
  let length = maxExpression;
  for (const group of groups) {
    length += group.length + 3;
    if (length > maxExpression) {
      parts.push([]);
      length = group.length;
    }
    parts.at(-1)?.push(group);
  }
  const comment = 'The rules, in order: images whose name begins with `name` go to `to`.';
  if (parts.length <= 1) return [{ name: 'entries', comment, expression: joined(parts[0] ?? []) }];
  const variables = parts.map((texts, index) => ({ name: `entries${index + 1}`, expression: joined(texts) }));
  const [first, ...others] = variables;
  return [
    ...(first === undefined ? [] : [{ ...first, comment }]),
    ...others,
    { name: 'entries', expression: variables.map(({ name }) => `variables.${name}`).join(' + ') },
  ];
}

function ruleText(rule: TableRule, revision: string | null): string {
  const entries = rule.entries.map((entry) => `  ${entryText(rule, entry, revision)}`).join(',\n');
  const list = `[ // rule ${printable(rule.name)}${rule.action === 'left' ? ', left to the webhook' : ''}\n${entries}\n]`;
  const condition = conditionOf(rule);
  return condition === null ? list : `(${condition}\n${indented(`? ${list}\n: []`)})`;
}

function conditionOf({ policy: { match } }: TableRule): string | null {
  const { namespaces, podLabels } = match;
  const parts = [];
  if (namespaces !== undefined) parts.push(namespaceCondition(namespaces));
  for (const [label, value] of Object.entries(podLabels ?? {})) parts.push(`${labelValue(label)} == optional.of(${literal(value)})`);
  return parts.length === 0 ? null : parts.join(' && ');
}

function namespaceCondition(globs: readonly string[]): string {
  if (globs.some((glob) => matchesGlob(glob, ''))) return 'true';
  const expression = globs.map((glob) => glob.split('*').map(quoted).join('.*')).join('|');
  return `request.namespace.matches(${literal(`^(?:${expression})$`)})`;
}

/** The value of a label of the pod, if it has it. */
export function labelValue(key: string): string {
  return `object.metadata.?labels[?${literal(key)}]`;
}

function entryText(rule: TableRule, { prefix, regex, except, depth }: Entry, revision: string | null): string {
  const members = {
    name: prefix,
    regex: regex === '' ? null : regex,
    except: except === '' ? null : except,
    rule: rule.name,
    as: actionText(rule),
    depth: rule.action === 'remainder' ? String(depth) : null,
    ...(rule.action === 'left' ? {} : { secrets: listText(rule.policy.pullSecrets) }),
    ...(rule.action === 'left' || rule.action === 'secrets' ? {} : transformMembers(rule, revision)),
  };
  const written = Object.entries(members).flatMap(([key, value]) => (value === null ? [] : [`${literal(key)}: ${literal(value)}`]));
  return `{${written.join(', ')}}`;
}

function transformMembers(rule: TableRule, revision: string | null): Record<string, string | null> {
  const { pullPolicy, onPullPolicyNever, onMissingSecret } = rule.policy;
  return {
    to: rule.base,
    complete: rule.action === 'image' && isComplete(rule.base) ? 'true' : null,
    quoted: quotedRewriter(rule.name, revision),
    never: onPullPolicyNever === 'auto' ? null : onPullPolicyNever,
    pullPolicy: pullPolicy === 'keep' ? null : pullPolicy,
    missingSecret: onMissingSecret === 'keep' ? 'keep' : null,
    registrySecrets: listText(rule.registrySecrets),
  };
}

function listText(names: readonly string[]): string | null {
  return names.length === 0 ? null : names.join(',');
}

function isComplete(image: string): boolean {
  const parsed = parseReference(image);
  return parsed.ok && (parsed.reference.tag !== null || parsed.reference.digest !== null);
}

/** The text of the rule in a record, where CEL would quote it otherwise. */
function quotedRewriter(rule: string, revision: string | null): string | null {
  const text = rewriterText({ rule, revision });
  const json = asciiJson(text);
  return json === `"${text}"` ? null : json;
}
