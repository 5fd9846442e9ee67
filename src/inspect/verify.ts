/** What the controller found missing in registries with `verify: true`, as it wrote it down. */
import type { V1ConfigMap } from '@kubernetes/client-node';
import { managedBy, managedByLabel } from '../cluster/copy-labels.ts';
import { emptyStatus, parseStatus, verifyStatusKey, type MissingImage, type VerifyStatus } from '../registry/verify-status.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import type { ClusterView } from './view.ts';

/** Whether a registry of the policy is to be asked at all. */
export function asksRegistries({ policy }: CompiledPolicy): boolean {
  return Object.values(policy.registries).some(({ verify }) => verify);
}

/** Of one release. @returns null when it may not be read */
export async function readVerifyStatus(view: ClusterView, namespace: string, fullName: string): Promise<VerifyStatus | null> {
  const name = `${fullName}-verify`;
  const path = `/api/v1/namespaces/${namespace}/configmaps/${name}`;
  const found = await view.get<V1ConfigMap>(path, `ConfigMap ${name} in namespace ${namespace}`);
  // The controller makes it when there is something to tell.
  return found === null ? null : (parseStatus(found?.data?.[verifyStatusKey]) ?? emptyStatus);
}

/** Of all releases, for registries of this policy: none where it asks none. What may not be read is told as not seen. */
export async function missingImages(view: ClusterView, compiled: CompiledPolicy | null): Promise<readonly MissingImage[]> {
  if (compiled === null || !asksRegistries(compiled)) return [];
  const { registries } = compiled.policy;
  const what = 'configmaps of the controller, with the images that registries lack';
  const found = await view.list<V1ConfigMap>('/api/v1/configmaps', what, { labelSelector: `${managedByLabel}=${managedBy}` });
  return (found ?? [])
    .flatMap(({ data }) => parseStatus(data?.[verifyStatusKey])?.missing ?? [])
    .filter(({ registry }) => Object.hasOwn(registries, registry) && registries[registry]?.verify === true);
}
