/** Rules that name an image and do not match it because of another condition. */
import type { Reference } from '../image/reference.ts';
import type { PodContext } from './decision.ts';
import { matchesGlob } from './glob.ts';
import { matchPattern } from './pattern.ts';
import type { Rule } from './rule.ts';

/** The condition of `match` that does not hold, with the actual value. */
export type FailedCondition =
  | { readonly condition: 'namespaces'; readonly namespace: string }
  | { readonly condition: 'podLabels'; readonly label: string; readonly wanted: string; readonly found: string | null }
  | { readonly condition: 'exclude'; readonly pattern: string };

export type NearMiss = FailedCondition & { readonly rule: string };

/** Limits how many are collected: a table may have a rule for each of a thousand namespaces. */
export const maxNearMisses = 8;

/** The first condition of a rule, other than its images, that does not hold; null where the rule matches. */
export function failedCondition({ policy, exclude }: Rule, reference: Reference, context: PodContext): FailedCondition | null {
  const { namespaces, podLabels } = policy.match;
  if (namespaces !== undefined && !namespaces.some((glob) => matchesGlob(glob, context.namespace)))
    return { condition: 'namespaces', namespace: context.namespace };
  if (podLabels !== undefined) {
    for (const [label, wanted] of Object.entries(podLabels)) {
      const found = Object.hasOwn(context.podLabels, label) ? context.podLabels[label] : undefined;
      if (found !== wanted) return { condition: 'podLabels', label, wanted, found: found ?? null };
    }
  }
  const excluding = exclude.find((pattern) => matchPattern(pattern, reference) !== null);
  return excluding === undefined ? null : { condition: 'exclude', pattern: excluding.text };
}

export function addNearMiss(nearMisses: NearMiss[], rule: string, failed: FailedCondition): void {
  // A rule is visited once for each of its patterns.
  if (nearMisses.length < maxNearMisses && !nearMisses.some((other) => other.rule === rule)) nearMisses.push({ rule, ...failed });
}

export function describeNearMiss(nearMiss: NearMiss): string {
  switch (nearMiss.condition) {
    case 'namespaces':
      return `rule ${nearMiss.rule} names it, but not namespace ${nearMiss.namespace === '' ? '(none)' : nearMiss.namespace}`;
    case 'podLabels': {
      const { label, wanted, found } = nearMiss;
      const instead = found === null ? `the pod has no label ${label}` : `the pod's label ${label} is ${found}`;
      return `rule ${nearMiss.rule} names it, but ${instead} (wanted: ${wanted})`;
    }
    case 'exclude':
      return `rule ${nearMiss.rule} excludes ${nearMiss.pattern}`;
  }
}
