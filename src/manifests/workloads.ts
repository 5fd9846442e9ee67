/**
 * Finds the pods in manifests: Pods, the templates of the workload kinds
 * (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/), templates in objects of other kinds, and lists of these.
 */
import { token } from '../patch/pointer.ts';
import { isObject, list, member, text } from '../pod/json.ts';

export interface Workload {
  /** Kind of the object that contains the pod. */
  readonly kind: string;
  /** Name or generateName of that object; empty when it has neither. */
  readonly name: string;
  /** Null if the manifest has none. */
  readonly namespace: string | null;
  /** JSON Pointer of the pod or template in the document, empty for the document itself. */
  readonly pointer: string;
  /** The pod, or a template, which has the same shape. */
  readonly pod: unknown;
  /**
   * False for containers in an object of another kind that are not in a template: only its controller knows what it creates from them, so
   * the object is not changed.
   */
  readonly isTemplate: boolean;
}

/** Path from the object to its pod template. The version is ignored: the path is the same in all of them. */
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

/** A List in a List is valid but pointless; deeper nesting is an attack on the stack. */
const maxDepth = 8;

/** @param value a document as plain values */
export function workloadsOf(value: unknown): Workload[] {
  return collect(value, { pointer: '', kind: null, depth: 0 });
}

interface Place {
  readonly pointer: string;
  /** The kind that a typed list (PodList) implies for its items, which may omit it. */
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

/** Maximum depth of pod templates in any resource; a JobSet has them at seven. */
const maxTemplateDepth = 12;

/**
 * Pods in an object of any other kind: any `spec` with containers that have images. Below a key that ends in `template` it is a pod
 * template, as in an Argo Rollout, an OpenKruise CloneSet or a Knative Service.
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

/** Fields that the API server writes, and that repeat others. */
const notPods: ReadonlySet<string> = new Set(['status', 'managedFields']);
