/** What the controller found missing in registries with `verify: true`, as it wrote it down. */
import type { V1ConfigMap, V1Deployment, V1Lease } from '@kubernetes/client-node';
import { managedBy, managedByLabel } from '../cluster/copy-labels.ts';
import { emptyStatus, parseStatus, verifyStatusKey, type MissingImage, type VerifyStatus } from '../registry/verify-status.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import type { ClusterView } from './view.ts';

/** Whether a registry of the policy is to be asked at all. */
export function asksRegistries({ policy }: CompiledPolicy): boolean {
  return Object.values(policy.registries).some(({ verify }) => verify);
}

/** Of one release. @returns null when it may not be read, or nobody keeps it up to date */
export async function readVerifyStatus(view: ClusterView, namespace: string, fullName: string): Promise<VerifyStatus | null> {
  const name = `${fullName}-verify`;
  const path = `/api/v1/namespaces/${namespace}/configmaps/${name}`;
  const found = await view.get<V1ConfigMap>(path, `ConfigMap ${name} in namespace ${namespace}`);
  if (found?.data !== undefined && (await isLeftBehind(view, namespace, name))) return null;
  // The controller makes it when there is something to tell.
  return found === null ? null : (parseStatus(found?.data?.[verifyStatusKey]) ?? emptyStatus);
}

/** Of all releases, for registries of this policy: none where it asks none. What may not be read is told as not seen. */
export async function missingImages(view: ClusterView, compiled: CompiledPolicy | null): Promise<readonly MissingImage[]> {
  if (compiled === null || !asksRegistries(compiled)) return [];
  const { registries } = compiled.policy;
  const what = 'configmaps of the controller, with the images that registries lack';
  const found = await view.list<V1ConfigMap>('/api/v1/configmaps', what, { labelSelector: `${managedByLabel}=${managedBy}` });
  const missing: MissingImage[] = [];
  for (const { metadata, data } of found ?? []) {
    const told = (parseStatus(data?.[verifyStatusKey])?.missing ?? []).filter(
      ({ registry }) => Object.hasOwn(registries, registry) && registries[registry]?.verify === true,
    );
    if (told.length > 0 && !(await isLeftBehind(view, metadata?.namespace ?? '', metadata?.name ?? ''))) missing.push(...told);
  }
  return missing;
}

/**
 * Whether the controller that wrote the ConfigMap has ended, or runs without the feature by now: nobody keeps it up to date, and nobody has
 * the right to delete it. Told as not seen. A controller without a Deployment that holds its Lease, or one that may not be seen, is not known to.
 */
async function isLeftBehind(view: ClusterView, namespace: string, name: string): Promise<boolean> {
  const controller = name.replace(/-verify$/, '-controller');
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${controller}`;
  const deployment = await view.get<V1Deployment>(path, `Deployment ${controller} in namespace ${namespace}`);
  const isOff = deployment === undefined ? await hasEnded(view, namespace, controller) : runsWithout(deployment);
  if (!isOff) return false;
  const remedy = `kubectl --namespace ${namespace} delete configmap ${name}`;
  view.notSeen(
    'images that registries lack',
    `ConfigMap ${name} in namespace ${namespace} was left behind when the feature verify, or the controller, was disabled; ${remedy}`,
  );
  return true;
}

function runsWithout(deployment: V1Deployment | null): boolean {
  const args = (deployment?.spec?.template.spec?.containers ?? []).flatMap((container) => container.args ?? []);
  const features = args.find((arg) => arg.startsWith(featuresFlag))?.slice(featuresFlag.length);
  return features !== undefined && !features.split(',').includes('verify');
}

/** A controller releases its Lease when it ends, and the Lease stays. */
async function hasEnded(view: ClusterView, namespace: string, name: string): Promise<boolean> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`;
  const lease = await view.get<V1Lease>(path, `Lease ${name} in namespace ${namespace}`);
  return lease?.spec !== undefined && (lease.spec.holderIdentity ?? '') === '';
}

const featuresFlag = '--features=';
