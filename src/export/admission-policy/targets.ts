/** The targets of rules with alternatives, as lists in CEL. */
import { parseReference } from '../../image/reference.ts';
import { lines, literal } from './cel.ts';
import type { Entry, TableRule, TableTarget } from './table.ts';
import { actionText, isAfterMatch } from './transforms.ts';

/** Each list of targets once, with its key: of most rules all entries have the same. */
export function targetLists(rules: readonly TableRule[]): ReadonlyMap<string, string> {
  const texts = rules.flatMap((rule) => (rule.targets.length === 0 ? [] : rule.entries.map((entry) => targetList(rule, entry))));
  return new Map([...new Set(texts)].map((text, index) => [text, String(index)]));
}

export function targetList({ targets }: TableRule, entry: Entry): string {
  return lines(
    '[',
    targets.map((target) => mapText(targetMembers(target, entry))),
    ']',
  );
}

function targetMembers(target: TableTarget, entry: Entry): Members {
  return {
    as: actionText(target, entry),
    depth: target.action === 'remainder' ? String(entry.depth) : null,
    regex: isAfterMatch(target, entry) ? entry.regex : null,
    to: target.base,
    complete: completeText(target),
    secrets: listText(target.registrySecrets),
  };
}

/** Null where there is none. */
export type Members = Readonly<Record<string, string | null>>;

/** A map of strings. */
export function mapText(members: Members): string {
  const written = Object.entries(members).flatMap(([key, value]) => (value === null ? [] : [`${literal(key)}: ${literal(value)}`]));
  return `{${written.join(', ')}}`;
}

export function listText(names: readonly string[]): string | null {
  return names.length === 0 ? null : names.join(',');
}

/** Of one image that has a tag or a digest, so that those of the written image do not follow. */
export function completeText({ action, base }: TableTarget): string | null {
  return action === 'image' && isComplete(base) ? 'true' : null;
}

function isComplete(image: string): boolean {
  const parsed = parseReference(image);
  return parsed.ok && (parsed.reference.tag !== null || parsed.reference.digest !== null);
}
