/** The match condition of the chart's `matchImages`, by which the webhook is not asked about pods that no rule concerns. */
import { revisionOf } from '../config/revision.ts';
import { concernName } from '../export/admission-policy/concern.ts';
import type { Release } from './releases.ts';

export interface MatchImages {
  /** Of the policy that the condition was made from; null where it does not say. */
  readonly revision: string | null;
  /** Of the policy in the ConfigMap; null where it cannot be seen. */
  readonly present: string | null;
}

/** Null where the webhook has no such condition. The chart takes no policy whose hosts are resolved in the cluster, so they are no part of the revision. */
export function matchImagesOf({ configuration, policy }: Pick<Release, 'configuration' | 'policy'>): MatchImages | null {
  const conditions = (configuration?.webhooks ?? []).flatMap(({ matchConditions = [] }) => matchConditions);
  const found = conditions.find(({ name }) => name === concernName);
  if (found === undefined) return null;
  const revision = /^\/\/ Of revision ([0-9a-f]{12}) /.exec(found.expression)?.[1] ?? null;
  return { revision, present: policy === null ? null : revisionOf(policy.text, '') };
}
