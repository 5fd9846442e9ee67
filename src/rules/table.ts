/** The table of a policy: its exclusions, rules and targets, indexed so that finding a rule does not cost more with every rule. */
import type { Reference } from '../image/reference.ts';
import type { PodContext } from './decision.ts';
import type { PatternMatch } from '../policy/transform/transform.ts';
import { matchPattern } from './pattern.ts';
import { firstAccepted, type PatternIndex } from './pattern-index.ts';
import type { Place, Registry } from './registries.ts';
import { appliesTo, excludedBy, type Rule } from './rule.ts';
import type { TargetIndex } from './targets.ts';

/** Immutable; a new policy is a new table. */
export interface Table {
  readonly excluded: PatternIndex<string>;
  readonly rules: PatternIndex<Rule>;
  readonly targets: TargetIndex;
  /** Whether some rule asks for more than the image: the same image may then be decided differently in another pod. */
  readonly isConditional: boolean;
  /** Keys of the labels that some rule asks for. */
  readonly labelKeys: readonly string[];
  /** The registries that have pull secrets, with their places. */
  readonly registries: readonly { readonly registry: Registry; readonly place: Place }[];
}

export interface Fired {
  readonly rule: Rule;
  readonly match: PatternMatch;
}

/** The pattern by which the policy never touches the image, null when it may. */
export function excludingPattern(table: Table, reference: Reference): string | null {
  return firstAccepted(table.excluded, reference, (entry) => (matchPattern(entry.pattern, reference) === null ? null : entry.value));
}

/**
 * The first rule that matches, null when none does.
 *
 * @param passedOver collects the sentences of rules whose own `exclude` kept them from matching
 */
export function findRule(table: Table, reference: Reference, context: PodContext, passedOver: string[] = []): Fired | null {
  return firstAccepted(table.rules, reference, ({ pattern, value: rule }) => {
    const match = matchPattern(pattern, reference);
    if (match === null || !appliesTo(rule, context)) return null;
    const excluding = excludedBy(rule, reference);
    if (excluding === null) return { rule, match };
    const why = `rule ${rule.policy.name} excludes ${excluding.text}`;
    if (!passedOver.includes(why)) passedOver.push(why);
    return null;
  });
}
