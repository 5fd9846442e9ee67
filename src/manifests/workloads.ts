/**
 * Where manifests hold pods: Pods themselves, the templates of the workload kinds
 * (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/), the templates in objects of other kinds, and lists of any
 * of them.
 */
import { token } from '../patch/pointer.ts';
import { isObject, list, member, text } from '../pod/json.ts';

export interface Workload {
  /** Kind of the object that holds the pod. */
  readonly kind: string;
  /** Name or generateName of that object; empty when it has neither. */
  readonly name: string;
  /** Null when the manifest does not say. */
  readonly namespace: string | null;
  /** JSON Pointer of the pod or template in the document, empty for the document itself. */
  readonly pointer: string;
  /** The pod, or a template, which has the same shape. */
  readonly pod: unknown;
  /**
   * False for containers that stand in an object of another kind without a template of their own: what becomes of them is known to its
   * controller alone, so the object is not changed.
   */
  readonly isTemplate: boolean;
}

/** Path from the object to its pod template. The version is not looked at: the shape has been the same in all of them. */
const templatePaths: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  PodTemplate: ['template'],
  Deployment: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  ReplicationController: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};

/** A List in a List is legal and pointless; deeper ones are an attack on the stack. */
const maxDepth = 8;

/** @param value a document as plain values */
export function workloadsOf(value: unknown): Workload[] {
  return collect(value, { pointer: '', kind: null, depth: 0 });
}

interface Place {
  readonly pointer: string;
  /** The kind that a typed list (PodList) gives its items, which may leave it out. */
  readonly kind: string | null;
  readonly depth: number;
}

function collect(value: unknown, { pointer, kind: listKind, depth }: Place): Workload[] {
  const kind = text(value, 'kind') ?? listKind ?? '';
  if (kind.endsWith('List') && depth < maxDepth) {
    const itemKind = kind === 'List' ? null : kind.slice(0, -'List'.length);
    return list(value, 'items').flatMap((item, index) =>
      collect(item, { pointer: `${pointer}/items/${index}`, kind: itemKind, depth: depth + 1 }),
    );
  }
  const path = Object.hasOwn(templatePaths, kind) ? templatePaths[kind] : undefined;
  const metadata = member(value, 'metadata');
  const name = text(metadata, 'name') ?? text(metadata, 'generateName') ?? '';
  const object = { kind, name, namespace: text(metadata, 'namespace') };
  if (path === undefined && kind === '') return [];
  if (path === undefined) return findPods(value, pointer).map((found) => Object.assign(found, object));
  const pod = path.reduce<unknown>(member, value);
  return isObject(pod) ? [{ ...object, pointer: [pointer, ...path].join('/'), pod, isTemplate: true }] : [];
}

type FoundPod = Pick<Workload, 'pointer' | 'pod' | 'isTemplate'>;

/** Deeper than any resource has its pod templates; a JobSet has them at seven. */
const maxTemplateDepth = 12;

/**
 * Pods in an object of any other kind: whatever has a `spec` with containers that have images. Under a key that ends in `template` it
 * is a pod template, as in an Argo Rollout, an OpenKruise CloneSet or a Knative Service.
 */
function findPods(value: unknown, pointer: string, key = '', depth = 0): FoundPod[] {
  if (depth > maxTemplateDepth) return [];
  if (Array.isArray(value)) return value.flatMap((item, index) => findPods(item, `${pointer}/${index}`, key, depth + 1));
  if (!isObject(value) || value['kind'] === 'CustomResourceDefinition') return [];
  const spec = member(value, 'spec');
  const hasImages = containerLists.some((name) => list(spec, name).some((container) => text(container, 'image') !== null));
  if (hasImages) return [{ pointer, pod: value, isTemplate: /template$/i.test(key) }];
  return Object.entries(value).flatMap(([name, child]) =>
    notPods.has(name) ? [] : findPods(child, `${pointer}/${token(name)}`, name, depth + 1),
  );
}

const containerLists = ['containers', 'initContainers'] as const;

/** What the API server writes, and says again what the rest says. */
const notPods: ReadonlySet<string> = new Set(['status', 'managedFields']);
