/**
 * What to do with `imagePullPolicy: Never`. Such an image must be on the node under the name that the pod says, so two kinds of users
 * want opposite things:
 * - kind, k3d and minikube load an image that was built locally under its written name. Rewritten, it is not found.
 * - Velero's node agent starts pods with the image name of its own DaemonSet and `Never`, since the agent's image is on the node
 *   already (vmware-tanzu/velero: pkg/exposer/image.go, getInheritedPodInfo). Where the agent's pods were rewritten, the node has it
 *   under the new name. Left as written, it is not found.
 *
 * So by default these images are left alone, except in pods with a label of such an operator.
 */
export type OnPullPolicyNever = 'auto' | 'keep' | 'rewrite';

/** vmware-tanzu/velero: pkg/exposer/types.go, and pkg/apis/velero/v1/labels_annotations.go (PVBLabel, PVRLabel). */
export const siblingLabels: readonly string[] = [
  'velero.io/exposer-pod-group',
  'velero.io/pod-volume-backup',
  'velero.io/pod-volume-restore',
];

export function isLeftAlone(choice: OnPullPolicyNever, labels: Readonly<Record<string, string>>): boolean {
  if (choice !== 'auto') return choice === 'keep';
  return !siblingLabels.some((key) => Object.hasOwn(labels, key));
}
