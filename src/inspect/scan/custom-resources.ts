/**
 * Images that custom resources name: an operator makes pods of them, which the webhook sees only then. API discovery tells the resources, so
 * that nobody needs the right to read CustomResourceDefinitions.
 */
import type { KubernetesObject, V1APIGroupList, V1APIResource, V1APIResourceList } from '@kubernetes/client-node';
import { describeError, statusOf } from '../../cluster/api-error.ts';
import { fieldPath, unexaminedImages } from '../../manifests/unexamined.ts';
import { tokens } from '../../patch/pointer.ts';
import type { ClusterView } from '../view.ts';
import type { CustomResourceImage } from './report.ts';

/** Groups of Kubernetes itself and of metrics servers: pods of these are seen, and the rest names no image. */
const ownGroups: ReadonlySet<string> = new Set([
  'apps',
  'autoscaling',
  'batch',
  'extensions',
  'policy',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
  'storagemigration.k8s.io',
  'metrics.k8s.io',
  'custom.metrics.k8s.io',
  'external.metrics.k8s.io',
]);

const maxResources = 300;
/** Of one resource. */
const maxObjects = 2_000;
const maxImages = 1_000;
/** An object may have more than a megabyte. */
const pageSize = 50;
const what = 'custom resources';

interface Resource {
  readonly groupVersion: string;
  readonly group: string;
  readonly name: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
}

/** @param namespace null for all */
export async function customResourceImages(view: ClusterView, namespace: string | null): Promise<readonly CustomResourceImage[]> {
  const found = new Map<string, CustomResourceImage>();
  const resources = (await resourcesOf(view)).filter(({ isNamespaced }) => namespace === null || isNamespaced);
  if (resources.length > maxResources) view.notSeen(what, `only the first ${maxResources} of ${resources.length} resources were read`);
  for (const resource of resources.slice(0, maxResources)) {
    await orNotSeen(view, `${what} of ${resource.group}`, () => addImages(view, resource, namespace, found));
    if (found.size < maxImages) continue;
    view.notSeen(what, `only the first ${maxImages} images are reported`);
    break;
  }
  return [...found.values()].toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

async function resourcesOf(view: ClusterView): Promise<readonly Resource[]> {
  const groups = (await view.get<V1APIGroupList>('/apis', 'API groups'))?.groups ?? [];
  const resources: Resource[] = [];
  for (const { name: group, versions, preferredVersion } of groups) {
    const groupVersion = (preferredVersion ?? versions[0])?.groupVersion;
    if (ownGroups.has(group) || groupVersion === undefined) continue;
    await orNotSeen(view, `${what} of ${group}`, async () => {
      const list = await view.get<V1APIResourceList>(`/apis/${groupVersion}`, `${what} of ${group}`);
      resources.push(...(list?.resources ?? []).filter(isListed).map((each) => resourceOf(each, group, groupVersion)));
    });
  }
  return resources;
}

/** Without subresources, such as `prometheuses/status`. */
function isListed({ name, verbs }: V1APIResource): boolean {
  return !name.includes('/') && verbs.includes('list');
}

function resourceOf({ name, kind, namespaced }: V1APIResource, group: string, groupVersion: string): Resource {
  return { groupVersion, group, name, kind, isNamespaced: namespaced };
}

async function addImages(
  view: ClusterView,
  { groupVersion, group, name, kind, isNamespaced }: Resource,
  namespace: string | null,
  found: Map<string, CustomResourceImage>,
): Promise<void> {
  const within = isNamespaced && namespace !== null ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  let objects = 0;
  for await (const page of view.pages(`/apis/${groupVersion}${within}/${name}`, `${what} of ${group}`, { limit: pageSize })) {
    for (const object of page) addOf(object, groupVersion, kind, found);
    objects += page.length;
    if (found.size >= maxImages) return;
    if (objects < maxObjects) continue;
    view.notSeen(`${what} ${name}.${group}`, `only the first ${objects} were read`);
    return;
  }
}

function addOf(object: KubernetesObject, apiVersion: string, kind: string, found: Map<string, CustomResourceImage>): void {
  const { namespace = null, name = '' } = object.metadata ?? {};
  for (const { image, pointer } of unexaminedImages({ ...object, kind }, new Set())) {
    const key = [apiVersion, kind, namespace, image].join(' ');
    // The first object of a namespace stands for the others.
    if (found.has(key) || found.size >= maxImages) continue;
    found.set(key, { apiVersion, kind, namespace, name, field: fieldPath(tokens(pointer)), image });
  }
}

/** What cannot be read, such as that of an API service or a conversion webhook that is down, ends nothing. */
async function orNotSeen(view: ClusterView, name: string, read: () => Promise<void>): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (statusOf(error) === null) throw error;
    view.notSeen(name, describeError(error));
  }
}

const sortKey = ({ namespace, kind, name, image }: CustomResourceImage): string => [namespace ?? '', kind, name, image].join(' ');
