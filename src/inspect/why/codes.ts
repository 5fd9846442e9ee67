/**
 * Every code of `transship why` beside the reasons of the engine (policy/reason.ts). Stable: programs read them. Each has a row in
 * docs/guides/troubleshooting.md, which tools/docs/troubleshooting.ts writes.
 */

import type { PullFailureCode } from '../../pod/pull-failure.ts';

/** The policy would rewrite the image, and the pod does not have the result. */
export type NotRewrittenCode =
  | 'not-opted-in'
  | 'label-value'
  | 'label-key'
  | 'annotation-instead-of-label'
  | 'label-on-workload'
  | 'opted-out'
  | 'namespace-opted-out'
  | 'excluded-namespace'
  | 'system-namespace'
  | 'release-namespace'
  | 'shadow'
  | 'older-than-opt-in'
  | 'webhook-not-asked'
  | 'passed-over'
  | 'policy-not-applied'
  | 'no-webhook'
  | 'not-seen'
  | 'changed-back'
  | 'fell-back'
  | 'rewritten-by-another-policy';

/** The image cannot be pulled, or a pull secret cannot help. */
export type PullCode = PullFailureCode | 'secret-missing' | 'secret-unusable' | 'secret-without-host';
