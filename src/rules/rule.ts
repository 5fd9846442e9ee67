/** One rule, ready to run: its patterns parsed, its registry resolved, its transform chosen. */
import type { RulePolicy } from '../policy/types.ts';
import type { Reference } from '../image/reference.ts';
import type { PodContext } from './decision.ts';
import { matchesGlob } from './glob.ts';
import { matchPattern, type Pattern } from './pattern.ts';
import type { Target } from './targets.ts';
import type { Transform } from '../policy/transform/transform.ts';

export interface Rule {
  readonly policy: RulePolicy;
  readonly images: readonly Pattern[];
  readonly exclude: readonly Pattern[];
  /** Null for a rule that only attaches secrets, and while its registry has no host. */
  readonly rewrite: { readonly transform: Transform; readonly target: Target | null } | null;
  /** The registry without a host that keeps the rule from working yet; null when nothing does. */
  readonly waitsFor: string | null;
  /** Secrets of the registry that an `image` or `template` rule names; others follow from where the result points. */
  readonly registrySecrets: readonly string[];
}

/** Whether the conditions on the pod hold; the images are the table's affair. */
export function appliesTo(rule: Rule, context: PodContext): boolean {
  const { namespaces, podLabels } = rule.policy.match;
  if (namespaces !== undefined && !namespaces.some((glob) => matchesGlob(glob, context.namespace))) return false;
  if (podLabels === undefined) return true;
  return Object.entries(podLabels).every(([key, value]) => context.podLabels[key] === value);
}

/** The pattern by which the rule passes over the image, null when it does not. */
export function excludedBy(rule: Rule, reference: Reference): Pattern | null {
  return rule.exclude.find((pattern) => matchPattern(pattern, reference) !== null) ?? null;
}
