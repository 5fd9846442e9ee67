/** Pods and reviews as the API server sends them, with only what a test is about spelled out. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface PodParts {
  readonly metadata?: Json;
  /** Beside the containers. */
  readonly spec?: { [key: string]: Json };
  /** Name to image. */
  readonly containers?: Readonly<Record<string, string>>;
  readonly initContainers?: Readonly<Record<string, string>>;
  readonly ephemeralContainers?: Readonly<Record<string, string>>;
  /** Volume name to the reference of its image. */
  readonly imageVolumes?: Readonly<Record<string, string>>;
}

export function pod({ metadata = { name: 'web', namespace: 'shop' }, spec = {}, ...parts }: PodParts): Json {
  const volumes = Object.entries(parts.imageVolumes ?? {}).map(([name, reference]) => ({
    name,
    image: { reference, pullPolicy: 'IfNotPresent' },
  }));
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata,
    spec: { ...containerLists(parts), ...(volumes.length === 0 ? {} : { volumes }), restartPolicy: 'Always', ...spec },
  };
}

function containerLists(parts: PodParts): { [key: string]: Json } {
  const lists = ['containers', 'initContainers', 'ephemeralContainers'] as const;
  return Object.fromEntries(lists.flatMap((list) => (parts[list] === undefined ? [] : [[list, containers(parts[list])]])));
}

function containers(images: Readonly<Record<string, string>>): Json[] {
  return Object.entries(images).map(([name, image]) => ({
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    terminationMessagePath: '/dev/termination-log',
  }));
}

export interface RequestParts {
  readonly uid?: Json;
  readonly operation?: Json;
  readonly subResource?: Json;
  readonly resource?: Json;
  readonly namespace?: Json;
  readonly dryRun?: Json;
  readonly object?: Json;
  readonly oldObject?: Json;
}

export interface ReviewBody {
  readonly apiVersion: string;
  readonly kind: string;
  readonly request: RequestParts;
}

const uid = 'c2f1f6a4-6b1c-4b6e-9d5b-2f8a7f0e1d3c';
const resource = { group: '', version: 'v1', resource: 'pods' };

/** A CREATE of a pod in namespace `shop` unless told. */
export function reviewOf(parts: RequestParts): ReviewBody {
  const request = { uid, operation: 'CREATE', namespace: 'shop', resource, dryRun: false, ...parts };
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request };
}
