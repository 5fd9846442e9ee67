/**
 * Machine-readable reasons of a decision. Each decision has a code and a sentence; the code is stable, the sentence is not.
 */
import type { Outcome } from './outcome.ts';

export const reasons = {
  'rule-matched': { outcome: 'rewritten', description: 'a rule matched' },
  'under-target': { outcome: 'already-there', description: 'the image is already under the target of a rule' },
  'same-name': { outcome: 'already-there', description: 'the rule results in the same name' },
  'original-first': {
    outcome: 'already-there',
    description: 'nodes do not reach the first target of the rule, and its next alternative is the image as written',
  },
  'pull-secrets-only': { outcome: 'already-there', description: 'the rule has no `rewrite` and only attaches pull secrets' },
  'no-rule-matches': { outcome: 'no-rule', description: 'no rule names the image' },
  'conditions-not-met': {
    outcome: 'no-rule',
    description: 'a rule names the image, but its `exclude`, `namespaces` or `podLabels` keep it from matching',
  },
  'excluded-by-policy': { outcome: 'excluded', description: '`exclude` of the policy names the image' },
  placeholder: { outcome: 'excluded', description: 'the text stands for an image that an injector fills in' },
  'never-pulled': {
    outcome: 'excluded',
    description: '`imagePullPolicy: Never`: the node must have the image under its written name',
  },
  'kept-by-rule': { outcome: 'excluded', description: '`imagePullPolicy: Never`, and the rule says `onPullPolicyNever: keep`' },
  'pod-excluded': { outcome: 'excluded', description: 'the pod as a whole is left alone' },
  'invalid-reference': { outcome: 'invalid', description: 'the text is not an image reference' },
  'registry-unresolved': { outcome: 'refused', description: 'the host of the registry is not resolved yet' },
  'transform-failed': { outcome: 'refused', description: 'the transform has no result for this image' },
  'invalid-result': { outcome: 'refused', description: 'the result would not be an image reference' },
  'missing-pull-secret': {
    outcome: 'refused',
    description: 'the pod lacks a pull secret of the registry and cannot get it any more; the rule says `onMissingSecret: keep`',
  },
  'not-idempotent': { outcome: 'refused', description: 'a rule would rewrite the result again' },
  unchanged: { outcome: 'unchanged', description: 'an update that does not change the image' },
  'moved-by-fallback': {
    outcome: 'unchanged',
    description: 'an update by the controller, which moved the container to an alternative of its rule',
  },
} as const satisfies Readonly<Record<string, { readonly outcome: Outcome; readonly description: string }>>;

export type ReasonCode = keyof typeof reasons;
