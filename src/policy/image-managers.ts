/**
 * Operators that manage the images of their pods: they compare a pod's images with the requested ones, and restart, move or report the pod
 * when they differ. A rewritten pod would restart for ever, so these pods are left alone; configure the images of such an operator in its
 * own settings. A policy can disable an entry and add others.
 *
 * Not included, since no label identifies their pods: sidecars of OpenKruise with `hotUpgradeEmptyImage`, whose image is compared
 * (pkg/control/sidecarcontrol/sidecarset_control.go, IsPodReady); exclude that image instead. CloneSets compare revisions of their template
 * and no images, so their pods can be rewritten.
 */
import { requirementsOf } from './label-selector.ts';
import type { LabelRequirement, LabelSelector } from './types.ts';

export interface ImageManager {
  readonly name: string;
  /** All of these must match the pod. */
  readonly requirements: readonly LabelRequirement[];
  /** Whether its pods are left alone; false rewrites them, with a warning. */
  readonly exclude: boolean;
}

/** An entry of `imageManagers` in a policy. Without a selector it configures the built-in one of that name. */
export interface ImageManagerPolicy {
  readonly name: string;
  readonly podSelector?: LabelSelector | undefined;
  readonly exclude: boolean;
}

interface Shipped {
  readonly name: string;
  readonly podSelector: LabelSelector;
  /** Where the operator compares images and sets the label. */
  readonly source: string;
}

const hasLabel = (key: string): LabelSelector => ({ matchExpressions: [{ key, operator: 'Exists' }] });
const hasLabels = (matchLabels: Readonly<Record<string, string>>): LabelSelector => ({ matchLabels });

/** As of August 2026. */
export const shippedImageManagers: readonly Shipped[] = [
  {
    name: 'cloudnative-pg',
    podSelector: hasLabel('cnpg.io/cluster'),
    // Recreates an instance: "the instance is using a different image".
    source:
      'cloudnative-pg/cloudnative-pg: internal/controller/cluster_upgrade.go, checkPodImageIsOutdated; pkg/utils/labels_annotations.go',
  },
  {
    name: 'kubevirt',
    podSelector: hasLabels({ 'kubevirt.io': 'virt-launcher' }),
    // Marks the machine as outdated, and with workloadUpdateMethods migrates or evicts it repeatedly.
    source:
      'kubevirt/kubevirt: pkg/virt-controller/watch/vmi/lifecycle.go, setLauncherContainerInfo; pkg/virt-controller/watch/workload-updater/workload-updater.go, isOutdated',
  },
  {
    name: 'zalando-postgres',
    // Default of its option cluster_labels.
    podSelector: hasLabels({ application: 'spilo' }),
    source: 'zalando/postgres-operator: pkg/cluster/sync.go, syncStatefulSet; pkg/util/config/config.go, ClusterLabels',
  },
  {
    name: 'olm',
    podSelector: hasLabel('olm.catalogSource'),
    // Deletes a registry pod whose images are not those of its CatalogSource.
    source: 'operator-framework/operator-lifecycle-manager: pkg/controller/registry/reconciler/grpc.go, correctImages',
  },
  {
    name: 'percona-mongodb',
    podSelector: hasLabels({ 'app.kubernetes.io/managed-by': 'percona-server-mongodb-operator' }),
    // Never finds its backup agents up to date.
    source: 'percona/percona-server-mongodb-operator: pkg/controller/perconaservermongodb/backup.go, isPodUpToDate; pkg/naming/labels.go',
  },
  {
    name: 'aerospike',
    podSelector: {
      matchLabels: { app: 'aerospike-cluster' },
      matchExpressions: [{ key: 'aerospike.com/cr', operator: 'Exists' }],
    },
    source: 'aerospike/aerospike-kubernetes-operator: internal/controller/cluster/statefulset.go, IsImageEqual; api/v1/utils.go',
  },
  {
    name: 'kubeblocks',
    podSelector: hasLabels({ 'app.kubernetes.io/managed-by': 'kubeblocks' }),
    // Newer releases ignore the registry, and still compare the last component and the tag.
    source: 'apecloud/kubeblocks: pkg/controllerutil/image_util.go, EqualContainerImageInSpec; pkg/constant/labels.go',
  },
];

/** The built-in entries with the policy's changes, then those that it adds. */
export function imageManagersOf(entries: readonly ImageManagerPolicy[]): ImageManager[] {
  const byName = new Map<string, ImageManager>(
    shippedImageManagers.map(({ name, podSelector }) => [name, { name, requirements: requirementsOf(podSelector), exclude: true }]),
  );
  for (const { name, podSelector, exclude } of entries) {
    const requirements = podSelector === undefined ? byName.get(name)?.requirements : requirementsOf(podSelector);
    if (requirements !== undefined) byName.set(name, { name, requirements, exclude });
  }
  return [...byName.values()];
}
