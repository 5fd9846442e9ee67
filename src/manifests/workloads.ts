/**
 * Where manifests hold pods: Pods themselves, the templates of the workload kinds
 * (https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/), and lists of any of them.
 */
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
const maximumDepth = 8;

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
  if (kind.endsWith('List') && depth < maximumDepth) {
    const itemKind = kind === 'List' ? null : kind.slice(0, -'List'.length);
    return list(value, 'items').flatMap((item, index) =>
      collect(item, { pointer: `${pointer}/items/${index}`, kind: itemKind, depth: depth + 1 }),
    );
  }
  const path = Object.hasOwn(templatePaths, kind) ? templatePaths[kind] : undefined;
  if (path === undefined) return [];
  const pod = path.reduce<unknown>(member, value);
  if (!isObject(pod)) return [];
  const metadata = member(value, 'metadata');
  const name = text(metadata, 'name') ?? text(metadata, 'generateName') ?? '';
  return [{ kind, name, namespace: text(metadata, 'namespace'), pointer: [pointer, ...path].join('/'), pod }];
}
