/** The rules as a list in CEL: an entry for each pattern, in the order in which they are tried. */
import { matchesGlob } from '../../rules/glob.ts';
import { rewriterText } from '../../pod/annotations.ts';
import { asciiJson } from '../../pod/records.ts';
import { commentText, indented, lines, literal, quoted } from './cel.ts';
import type { Entry, Table, TableRule } from './table.ts';
import { completeText, listText, mapText, targetList, targetLists, type Members } from './targets.ts';
import { actionText, isExpressed } from './transforms.ts';

/** Of one variable, in characters. The API server takes `maxExpression`. */
const maxPart = 60_000;

/** In characters: Kubernetes 1.36.3 takes 100,000 and refuses one more (cel-go: expression code point size exceeds limit). */
export const maxExpression = 100_000;

export interface Variable {
  readonly name: string;
  readonly comment?: string;
  readonly expression: string;
}

/** One list literal, since nested operators are limited (250 of them); it is flattened where rules have conditions. */
function joined(rules: readonly RuleText[]): string {
  // An empty literal has no type, and members of its elements have none either.
  if (rules.length === 0) return '[{"name": ""}].filter(e, e.name != "")';
  const isConditional = rules.some(({ condition }) => condition !== null);
  const texts = rules.map(({ label, entries, condition }) => {
    if (!isConditional) return `// ${label}\n${entries.join(',\n')}`;
    return `// ${label}\n${condition === null ? '' : `${condition} ? `}${lines('[', entries, ']')}${condition === null ? '' : ' : []'}`;
  });
  return `[\n${indented(texts.join(',\n'))}\n]${isConditional ? '.flatten()' : ''}`;
}

/** With more entries they are kept by host, so that an image is compared with those of its own host only. */
const maxUnindexed = 8;

export interface Entries {
  readonly variables: readonly Variable[];
  /** The entries that an image may match, in CEL. @param image a map of `partsOf` */
  readonly of: (image: string) => string;
}

export function entriesOf({ rules, policy: { revision } }: Table): Entries {
  const context = { revision, lists: targetLists(rules) };
  const texts = rules.map((rule) => ruleText(rule, context));
  const comment = 'The rules, in order: images whose name begins with `name` go to `to`.';
  const count = texts.reduce((sum, { entries }) => sum + entries.length, 0);
  const expression = joined(texts);
  if (count <= maxUnindexed && expression.length <= maxPart)
    return { variables: [{ name: 'entries', comment, expression }], of: () => 'variables.entries' };
  const parts = partsOf(texts).map(({ hosts, rules: own }, index) => ({ hosts, own, name: `entries${index + 1}` }));
  return {
    variables: parts.map(({ name, hosts, own }, index) => ({
      name,
      ...(index === 0 ? { comment: `${comment} By host.` } : {}),
      expression:
        hosts === null
          ? joined(own)
          : lines(
              '{',
              hosts.map((host) => `${literal(host)}: ${joined(ofHost(own, host))}`),
              '}',
            ),
    })),
    of: (image) =>
      `(${parts.map(({ name, hosts }) => (hosts === null ? `variables.${name}` : `variables.${name}[?${image}.key.split("/", 2)[0]].orValue([])`)).join(' + ')})`,
  };
}

interface Part {
  /** Null for entries that match images of any host. */
  readonly hosts: readonly string[] | null;
  readonly rules: readonly RuleText[];
}

/** In order; an expression is not longer than the API server takes. */
function partsOf(rules: readonly RuleText[]): Part[] {
  const parts: { hosts: string[] | null; rules: RuleText[]; length: number }[] = [];
  for (const rule of rules)
    for (const [index, entry] of rule.entries.entries()) {
      const host = rule.hosts[index] ?? '';
      const length = entry.length + rule.label.length + (rule.condition?.length ?? 0) + host.length + 30;
      let part = parts.at(-1);
      if (part === undefined || (part.hosts === null) !== (host === '') || part.length + length > maxPart) {
        part = { hosts: host === '' ? null : [], rules: [], length: 0 };
        parts.push(part);
      }
      if (part.hosts !== null && !part.hosts.includes(host)) part.hosts.push(host);
      part.rules.push({ ...rule, entries: [entry], hosts: [host] });
      part.length += length;
    }
  return parts;
}

function ofHost(rules: readonly RuleText[], host: string): readonly RuleText[] {
  return rules.filter(({ hosts }) => hosts[0] === host);
}

interface RuleText {
  readonly label: string;
  readonly entries: readonly string[];
  /** Of each entry; empty for any. */
  readonly hosts: readonly string[];
  /** In CEL, on the pod; null for every pod. */
  readonly condition: string | null;
}

interface Context {
  readonly revision: string | null;
  /** Keys of the lists of targets. */
  readonly lists: ReadonlyMap<string, string>;
}

function ruleText(rule: TableRule, context: Context): RuleText {
  return {
    label: `rule ${commentText(rule.name)}${noteOf(rule)}`,
    entries: rule.entries.map((entry) => mapText(membersOf(rule, entry, context))),
    hosts: rule.entries.map(({ prefix }) => prefix.split('/')[0] ?? ''),
    condition: conditionOf(rule),
  };
}

function noteOf({ action, stays }: TableRule): string {
  if (action === 'left') return ', left to the webhook';
  if (action === 'inactive') return ', whose registry has no host yet';
  return stays === null ? '' : ', while nodes do not reach its first target';
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

function membersOf(rule: TableRule, entry: Entry, { revision, lists }: Context): Members {
  const { prefix, regex, except, depth } = entry;
  return {
    name: prefix,
    regex: regex === '' ? null : regex,
    except: except === '' ? null : except,
    rule: rule.name,
    as: actionText(rule, entry),
    stays: rule.stays === 'none' ? null : rule.stays,
    depth: rule.action === 'remainder' ? String(depth) : null,
    targets: rule.targets.length === 0 ? null : (lists.get(targetList(rule, entry)) ?? null),
    ...(isExpressed(rule.action) || rule.action === 'secrets' ? { secrets: listText(rule.policy.pullSecrets) } : {}),
    ...(isExpressed(rule.action) ? transformMembers(rule, revision) : {}),
  };
}

function transformMembers(rule: TableRule, revision: string | null): Record<string, string | null> {
  const { pullPolicy, onPullPolicyNever, onMissingSecret } = rule.policy;
  return {
    to: rule.base,
    complete: completeText(rule),
    quoted: quotedRewriter(rule.name, revision),
    never: onPullPolicyNever === 'auto' ? null : onPullPolicyNever,
    pullPolicy: pullPolicy === 'keep' ? null : pullPolicy,
    missingSecret: onMissingSecret === 'keep' ? 'keep' : null,
    registrySecrets: listText(rule.registrySecrets),
  };
}

/** The text of the rule in a record, where CEL would quote it otherwise. */
export function quotedRewriter(rule: string, revision: string | null): string | null {
  const text = rewriterText({ rule, revision });
  const json = asciiJson(text);
  return json === `"${text}"` ? null : json;
}

/** Whether the webhook decides the image of that index, and looks after its pull secrets and record. */
export function isLeft(index: string): string {
  return `variables.matched[${index}].size() > 0 && variables.matched[${index}][0].as == "left"`;
}
