/**
 * AdmissionReviews of any size, in the shape in which the API server sends them: one line of JSON, most of it managedFields, env,
 * mounts and probes. Size grows by more of those, never by more images, unless more containers are asked for.
 */

export type ReviewImages = 'matching' | 'foreign' | 'digest';

export interface ReviewWish {
  /** Bytes, to a few hundred. */
  readonly size: number;
  readonly images?: ReviewImages;
  /** Containers beside one init container. */
  readonly containers?: number;
}

const digest = 'sha256:8f2b6a0d6c1e4f7a9b3c5d7e9f1a2b4c6d8e0f2a4b6c8d0e2f4a6b8c0d2e4f6a';

const imageOf: Readonly<Record<ReviewImages, (index: number) => string>> = {
  matching: (index) => `quay.io/acme/service-${index}:1.${index}.0-00000`,
  foreign: (index) => `registry.example.com/team/service-${index}:1.${index}.0-00000`,
  digest: (index) => `quay.io/acme/service-${index}:1.${index}.0-00000@${digest}`,
};

/** The review as JSON text. */
export function reviewOf({ size, images = 'matching', containers = 2 }: ReviewWish): string {
  const text = (variables: number): string => JSON.stringify(review(imageOf[images], containers, variables));
  const empty = text(0).length;
  // Each variable costs about the same, so the number that fills the size is found at once.
  const each = (text(100).length - empty) / 100;
  return text(Math.max(0, Math.ceil((size - empty) / each)));
}

/** Digits at each of the places that `changingPlaces` tells. */
export const changingDigits = 5;

/**
 * What differs between the reviews of a run: as between the pods of one ReplicaSet their uid and the service account's volume; as between
 * those of many Jobs their names, a label and an annotation too; with `images` also every image, so that none of them was ever seen before.
 */
export type Difference = 'replicas' | 'names' | 'images';

const marks: Readonly<Record<Difference, readonly string[]>> = {
  replicas: ['3f4f0a1', 'kube-api-access-'],
  names: ['3f4f0a1', 'kube-api-access-', 'shop-'],
  images: ['3f4f0a1', 'kube-api-access-', 'shop-', '.0-'],
};

/** Offsets of digits that are others in every review. */
export function changingPlaces(body: Buffer, difference: Difference): number[] {
  return marks[difference].flatMap((before) => {
    const places: number[] = [];
    const mark = `${before}${'0'.repeat(changingDigits)}`;
    for (let at = body.indexOf(mark); at !== -1; at = body.indexOf(mark, at + 1)) places.push(at + before.length);
    return places;
  });
}

export interface PodWish {
  readonly containers?: number;
  readonly initContainers?: number;
  readonly images?: ReviewImages;
}

/** A pod as a person would create it. */
export function podOf({ containers = 2, initContainers = 1, images = 'matching' }: PodWish): unknown {
  const names = Array.from({ length: initContainers + containers }, (_, index) => `service-${index}`);
  const all = names.map((name, index) => ({
    name,
    image: imageOf[images](index),
    env: [{ name: 'SETTING', value: 'http://backend.shop.svc.cluster.local:8080/v1' }],
  }));
  return {
    metadata: { generateName: 'shop-', labels: { 'app.kubernetes.io/name': 'shop' } },
    spec: { initContainers: all.slice(0, initContainers), containers: all.slice(initContainers) },
  };
}

function review(image: (index: number) => string, containers: number, variables: number): unknown {
  const pods = { group: '', version: 'v1', resource: 'pods' };
  const kind = { group: '', version: 'v1', kind: 'Pod' };
  return {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: {
      uid: 'b2d9a0d2-6a5e-4c43-9d27-3f4f0a100000',
      kind,
      resource: pods,
      requestKind: kind,
      requestResource: pods,
      namespace: 'shop',
      operation: 'CREATE',
      userInfo: {
        username: 'system:serviceaccount:kube-system:replicaset-controller',
        uid: '0c0f6f6e-7f0e-4a2e-8d6e-0d3f3b1b9a10',
        groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
      },
      object: pod(image, containers, variables),
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    },
  };
}

function pod(image: (index: number) => string, containers: number, variables: number): unknown {
  const share = Math.ceil(variables / (containers + 1));
  const names = Array.from({ length: containers + 1 }, (_, index) => (index === 0 ? 'prepare' : `service-${index}`));
  const all = names.map((name, index) => container(name, image(index), Math.min(share, Math.max(0, variables - share * index))));
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      generateName: 'shop-00000-',
      namespace: 'shop',
      labels: { 'app.kubernetes.io/name': 'shop', 'app.kubernetes.io/part-of': 'web', 'pod-template-hash': 'shop-00000' },
      annotations: { 'prometheus.io/scrape': 'true', 'prometheus.io/port': '8080', 'workflows.example.com/run': 'shop-00000' },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: 'shop-00000',
          uid: '5a0c1b5e-43cf-4d0d-9d4e-1f6a3c1f7a55',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      managedFields: [
        {
          manager: 'kube-controller-manager',
          operation: 'Update',
          apiVersion: 'v1',
          time: '2026-11-21T08:00:00Z',
          fieldsType: 'FieldsV1',
          fieldsV1: managed(names, share),
        },
      ],
    },
    spec: {
      volumes: [
        { name: 'settings', configMap: { name: 'settings', defaultMode: 420 } },
        {
          name: 'kube-api-access-00000',
          projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }], defaultMode: 420 },
        },
      ],
      initContainers: all.slice(0, 1),
      containers: all.slice(1),
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: 'default',
      serviceAccount: 'default',
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      schedulerName: 'default-scheduler',
      tolerations: ['not-ready', 'unreachable'].map((state) => ({
        key: `node.kubernetes.io/${state}`,
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 300,
      })),
      priority: 0,
      enableServiceLinks: true,
      preemptionPolicy: 'PreemptLowerPriority',
    },
    status: {},
  };
}

function container(name: string, image: string, variables: number): unknown {
  return {
    name,
    image,
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
    env: Array.from({ length: variables }, (_, index) => ({
      name: `SETTING_NUMBER_${index}`,
      value: `http://backend-${index}.shop.svc.cluster.local:8080/v1`,
    })),
    resources: { limits: { cpu: '1', memory: '512Mi' }, requests: { cpu: '100m', memory: '256Mi' } },
    volumeMounts: [
      { name: 'settings', mountPath: '/etc/settings' },
      { name: 'kube-api-access-00000', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ],
    livenessProbe: {
      httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    },
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'IfNotPresent',
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  };
}

/** FieldsV1 of server-side apply: the longest part of many pods. */
function managed(names: readonly string[], variables: number): unknown {
  const env = Object.fromEntries(
    Array.from({ length: variables }, (_, index) => [`k:{"name":"SETTING_NUMBER_${index}"}`, { '.': {}, 'f:name': {}, 'f:value': {} }]),
  );
  const fields = {
    '.': {},
    'f:env': { '.': {}, ...env },
    'f:image': {},
    'f:imagePullPolicy': {},
    'f:name': {},
    'f:resources': { '.': {}, 'f:limits': { '.': {}, 'f:cpu': {}, 'f:memory': {} } },
    'f:terminationMessagePath': {},
    'f:terminationMessagePolicy': {},
  };
  return {
    'f:metadata': {
      'f:annotations': { '.': {}, 'f:prometheus.io/scrape': {} },
      'f:generateName': {},
      'f:labels': { '.': {}, 'f:app.kubernetes.io/name': {} },
      'f:ownerReferences': { '.': {}, 'k:{"uid":"5a0c1b5e-43cf-4d0d-9d4e-1f6a3c1f7a55"}': {} },
    },
    'f:spec': {
      'f:containers': Object.fromEntries(names.map((name) => [`k:{"name":"${name}"}`, fields])),
      'f:dnsPolicy': {},
      'f:restartPolicy': {},
      'f:schedulerName': {},
      'f:securityContext': {},
      'f:terminationGracePeriodSeconds': {},
    },
  };
}
