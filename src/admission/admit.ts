/**
 * The whole decision about one request; start reading here: is it in scope, how is each image rewritten, which secrets does the pod need,
 * which warnings does the user get. Pure: the same review and policy always give the same decision, also for a dry run.
 */
import type { CompiledPolicy } from '../rules/compile.ts';
import type { Operation } from '../patch/operations.ts';
import { auditAnnotations, wouldAppend } from './audit.ts';
import type { DecisionInput } from './review.ts';
import { rewritePod, type Change, type SiteDecision } from './rewrite-pod.ts';
import { reasonToSkip, rewrittenManager, scopeLabels, type Scope, type SkipReason } from './scope.ts';
import { warningAboutSkip, warnings } from './warnings.ts';

/** `enforce` patches; `shadow` decides and reports, but does not patch. */
export type Mode = 'enforce' | 'shadow';

export interface Admission {
  readonly mode: Mode;
  /** Why the request was skipped as a whole; null if its images were decided. */
  readonly skipped: SkipReason | null;
  readonly images: readonly SiteDecision[];
  /** Secrets that the patch appends; in shadow mode, those that it would append. */
  readonly pullSecrets: readonly string[];
  /** Empty in shadow mode. */
  readonly operations: readonly Operation[];
  /** At most 120 characters each. */
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

/** Keys of the labels that `admit` reads. */
export function decisionLabels(policy: CompiledPolicy): readonly string[] {
  return [...new Set([...scopeLabels(policy), ...policy.table.labelKeys])];
}

export function admit(review: DecisionInput, policy: CompiledPolicy, scope: Scope, mode: Mode): Admission {
  const skipped = reasonToSkip(review, policy, scope);
  if (skipped !== null) return leftAlone(mode, skipped);
  const context = { namespace: review.namespace, podLabels: review.pod.labels };
  const rewrite = rewritePod(policy, review.pod, context, changeOf(review));
  const { images, pullSecrets, operations } = rewrite;
  return {
    mode,
    skipped,
    images,
    pullSecrets,
    operations: mode === 'shadow' ? [] : operations,
    warnings: warnings(images, { mode, cover: policy.policy.warnings, manager: rewrittenManager(review.pod, policy) }),
    auditAnnotations: { ...auditAnnotations(review.pod, rewrite, policy.revision), ...(mode === 'shadow' ? wouldAppend(pullSecrets) : {}) },
  };
}

/** Warns the user about a pod that was skipped unintentionally. */
export function leftAlone(mode: Mode, skipped: SkipReason | null): Admission {
  const skipWarnings = skipped?.code === 'too-large' ? [warningAboutSkip(skipped.sentence)] : [];
  return { mode, skipped, images: [], pullSecrets: [], operations: [], warnings: skipWarnings, auditAnnotations: {} };
}

function changeOf({ operation, subResource, oldPod }: DecisionInput): Change {
  if (operation === 'CREATE' || oldPod === null) return { kind: 'create' };
  return { kind: subResource === 'ephemeralcontainers' ? 'debug' : 'update', old: oldPod };
}
