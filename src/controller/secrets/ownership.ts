/**
 * Owner of a Secret. Labels alone do not show it: copying a copy (`kubectl get -o yaml | kubectl apply -n`, replicators, restored backups)
 * copies its labels. So a copy contains its own name, and a Secret that contains another name is foreign.
 */
import { keyOf } from '../../cluster/object-store.ts';
import { adoptAnnotation, copyAnnotation, managedBy, managedByLabel, ownerLabel } from '../../cluster/copy-labels.ts';
import type { SecretObject } from './seen-secret.ts';

/**
 * - `own`: written by this controller.
 * - `unmarked`: has the labels but no name. Version 0.1.0 wrote copies in this way.
 * - `offered`: its owner hands it over to the controller.
 * - `foreign`: belongs to somebody else.
 */
export type Ownership = 'own' | 'unmarked' | 'offered' | 'foreign';

/** @param owner value of the label that identifies the controller */
export function ownershipOf(secret: SecretObject, owner: string): Ownership {
  const { labels = {}, annotations = {} } = secret.metadata ?? {};
  const hasLabels = labels[managedByLabel] === managedBy && labels[ownerLabel] === owner;
  const named = annotations[copyAnnotation];
  if (hasLabels && named === keyOf(secret)) return 'own';
  if (annotations[adoptAnnotation] === 'true') return 'offered';
  return hasLabels && named === undefined ? 'unmarked' : 'foreign';
}
