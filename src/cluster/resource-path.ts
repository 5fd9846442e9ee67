/** URL path of an object in the API, for the kinds that transship reads or writes by name. */
import type { KubernetesObject } from '@kubernetes/client-node';

interface Resource {
  readonly plural: string;
  readonly namespaced: boolean;
}

/** A table instead of discovery: discovery is one more call, and its cache may be stale after an upgrade, for names that never change. */
const resources: Readonly<Record<string, Resource>> = {
  'coordination.k8s.io/v1 Lease': { plural: 'leases', namespaced: true },
  'v1 ConfigMap': { plural: 'configmaps', namespaced: true },
  'apps/v1 Deployment': { plural: 'deployments', namespaced: true },
  'v1 Pod': { plural: 'pods', namespaced: true },
  'v1 Secret': { plural: 'secrets', namespaced: true },
  'admissionregistration.k8s.io/v1 MutatingAdmissionPolicy': { plural: 'mutatingadmissionpolicies', namespaced: false },
  'admissionregistration.k8s.io/v1 MutatingWebhookConfiguration': { plural: 'mutatingwebhookconfigurations', namespaced: false },
};

export class ResourcePathError extends Error {
  readonly code = 'RESOURCE_PATH_UNKNOWN';
}

/**
 * `/api/v1/namespaces/shop/secrets/name`. https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
 *
 * @throws ResourcePathError for a kind that is not in the table, or an object without the names that its path needs
 */
export function resourcePath({ apiVersion = '', kind = '', metadata }: KubernetesObject): string {
  const resource = resources[`${apiVersion} ${kind}`];
  if (resource === undefined)
    throw new ResourcePathError(`no path is known for ${apiVersion} ${kind}; add it to the table in resource-path.ts`);
  const { name, namespace } = metadata ?? {};
  if (name === undefined) throw new ResourcePathError(`a ${kind} without metadata.name has no path; name it`);
  if (resource.namespaced !== (namespace !== undefined)) {
    throw new ResourcePathError(`${kind} ${name} ${resource.namespaced ? 'needs a' : 'takes no'} metadata.namespace`);
  }
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${scope}/${resource.plural}/${encodeURIComponent(name)}`;
}
