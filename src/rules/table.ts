/** The table of a policy: its exclusions, rules and targets, indexed so that the cost of finding a rule does not grow with their number. */
import type { Reference } from '../image/reference.ts';
import type { PodContext } from './decision.ts';
import type { PatternMatch } from '../policy/transform/transform.ts';
import { matchPattern } from './pattern.ts';
import { addNearMiss, failedCondition, type NearMiss } from './near-miss.ts';
import { firstAccepted, type PatternIndex } from './pattern-index.ts';
import type { RepositoryPrefix, Registry } from './registries.ts';
import type { Rule } from './rule.ts';
import type { TargetIndex } from './targets.ts';

/** Immutable; a new policy is a new table. */
export interface Table {
  readonly excluded: PatternIndex<string>;
  /** Placeholders that an injector replaces with an image. */
  readonly placeholders: ReadonlySet<string>;
  readonly rules: PatternIndex<Rule>;
  readonly targets: TargetIndex;
  /** Whether a rule depends on more than the image: the same image may then be decided differently in another pod. */
  readonly isConditional: boolean;
  /** Whether an image is decided differently with `imagePullPolicy: Always`. */
  readonly dependsOnPullPolicy: boolean;
  /** Keys of the labels that decisions read. */
  readonly labelKeys: readonly string[];
  /** The registries with pull secrets, with the prefix of their images. */
  readonly registries: readonly { readonly registry: Registry; readonly prefix: RepositoryPrefix }[];
}

export interface RuleMatch {
  readonly rule: Rule;
  readonly match: PatternMatch;
}

/** The pattern that excludes the image from the policy, null if none. */
export function excludingPattern(table: Table, reference: Reference): string | null {
  return firstAccepted(table.excluded, reference, (entry) => (matchPattern(entry.pattern, reference) === null ? null : entry.value));
}

/**
 * The first rule that matches, null when none does.
 *
 * @param nearMisses collects rules that name the image and do not match because of another condition
 */
export function findRule(table: Table, reference: Reference, context: PodContext, nearMisses: NearMiss[] = []): RuleMatch | null {
  return firstAccepted(table.rules, reference, ({ pattern, value: rule }) => {
    const match = matchPattern(pattern, reference);
    if (match === null) return null;
    const failed = failedCondition(rule, reference, context);
    if (failed === null) return { rule, match };
    addNearMiss(nearMisses, rule.policy.name, failed);
    return null;
  });
}
