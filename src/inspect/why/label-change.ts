/** When the opt-in label of an object was last set, from its managed fields (https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management). */
import type { V1ObjectMeta } from '@kubernetes/client-node';
import { member } from '../../pod/json.ts';
import { rewriteLabel } from '../../pod/labels.ts';

/** An upper bound: the manager of the label may have written other fields later. Null when it has no such label, or nobody says when. */
export function changeOfLabel(metadata: V1ObjectMeta | undefined): Date | null {
  if (metadata?.labels?.[rewriteLabel] === undefined) return null;
  const times = (metadata.managedFields ?? []).flatMap(({ fieldsV1, time }) => {
    const labels = member(member(fieldsV1, 'f:metadata'), 'f:labels');
    return member(labels, `f:${rewriteLabel}`) === undefined || time === undefined ? [] : [new Date(time).getTime()];
  });
  return times.length === 0 ? null : new Date(Math.min(...times));
}
