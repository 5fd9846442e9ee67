/** Which target of a rule comes first while nodes do not reach the registry of the one that the policy has first. */
import type { Reference } from '../image/reference.ts';
import type { RulePolicy } from '../policy/types.ts';
import { targetName } from './alternatives.ts';
import { imageDecision, type ImageDecision } from './decision.ts';
import type { Rule } from './rule.ts';

interface Diverted {
  readonly rule: Rule;
  /** The image as written. */
  readonly reference: Reference;
  /** Of the image in its pod; null where it is not written. */
  readonly pullPolicy: string | null;
  /** The pull secrets of the first target. */
  readonly ownSecrets: readonly string[];
}

/**
 * The decision that begins with the first target that nodes reach and that has a name for the image. The targets before it follow at the end,
 * so that a pod that cannot pull from any of the others goes back to them: the order is the same in a circle, wherever it begins.
 *
 * @param decision with the targets in the order of the rule
 */
export function divert(decision: ImageDecision, { rule, reference, pullPolicy, ownSecrets }: Diverted): ImageDecision {
  const { policy, alternatives } = rule;
  if (policy.onMutableTag === 'keep' && mayHaveOtherContent(policy, reference, pullPolicy)) return decision;
  const start = decision.alternatives.findIndex(({ image }, position) => image !== null && alternatives[position]?.isUnavailable === false);
  const chosen = decision.alternatives[start];
  if (chosen === undefined) return decision;
  const turned = [
    ...decision.alternatives.slice(start + 1),
    { target: targetNameOf(policy), image: decision.result, pullSecrets: ownSecrets, problem: null },
    ...decision.alternatives.slice(0, start),
  ];
  const reason = `${decision.reason}; ${chosen.target} comes first, since nodes do not reach ${targetNameOf(policy)}`;
  if (chosen.image !== decision.image) return { ...decision, result: chosen.image, alternatives: turned, reason };
  const { pullSecrets } = decision;
  return imageDecision(decision.image, 'original-first', reason, { rule: policy.name, pullSecrets, alternatives: turned });
}

function targetNameOf({ rewrite }: RulePolicy): string {
  return rewrite === undefined ? '' : targetName(rewrite);
}

/** Of an image that is pulled at each start, by a tag: another registry may have other content under it. */
function mayHaveOtherContent({ pullPolicy: set }: RulePolicy, { tag, digest }: Reference, written: string | null): boolean {
  if (digest !== null) return false;
  // kubernetes/kubernetes, pkg/apis/core/v1/defaults.go, SetDefaults_Container
  const byDefault = tag === null || tag === 'latest' ? 'Always' : 'IfNotPresent';
  const pullPolicy = set === 'keep' ? (written ?? byDefault) : set === 'derive' ? byDefault : set;
  return pullPolicy === 'Always';
}
