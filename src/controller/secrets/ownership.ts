/**
 * Whose a Secret is. Labels alone do not say it: whoever copies a copy (`kubectl get -o yaml | kubectl apply -n`, replicators,
 * restored backups) copies its labels. So a copy names itself, and a Secret that names another one is somebody else's.
 */
import { keyOf } from '../../cluster/object-store.ts';
import { adoptAnnotation, copyAnnotation, managedBy, managedByLabel, ownerLabel } from '../labels.ts';
import type { SecretObject } from './seen-secret.ts';

/**
 * - `own`: written by this controller.
 * - `unmarked`: has the labels and names nothing. Version 0.1.0 wrote copies in this way.
 * - `offered`: its owner gives it to the controller.
 * - `foreign`: somebody else's.
 */
export type Ownership = 'own' | 'unmarked' | 'offered' | 'foreign';

/** @param owner value of the label that says which controller a copy belongs to */
export function ownershipOf(secret: SecretObject, owner: string): Ownership {
  const { labels = {}, annotations = {} } = secret.metadata ?? {};
  const hasLabels = labels[managedByLabel] === managedBy && labels[ownerLabel] === owner;
  const named = annotations[copyAnnotation];
  if (hasLabels && named === keyOf(secret)) return 'own';
  if (annotations[adoptAnnotation] === 'true') return 'offered';
  return hasLabels && named === undefined ? 'unmarked' : 'foreign';
}
