import { test } from 'tap';

import { render, skipWithoutHelm, type Values } from './chart.ts';

const options = { skip: skipWithoutHelm };

/** Where a value ends up: what the object named by `kind` must at least have. */
interface Row {
  readonly says: string;
  readonly values: Values;
  readonly kind: string;
  readonly name?: string;
  readonly has: object;
}

const container = (fields: object) => ({ spec: { template: { spec: { containers: [fields] } } } });
const podSpec = (fields: object) => ({ spec: { template: { spec: fields } } });
const digest = `sha256:${'a'.repeat(64)}`;
const certManager = { tls: { mode: 'certManager' } };
const ready = { tls: { mode: 'secret', secret: { name: 'own', caBundle: 'YQ==' } } };

const rows: readonly Row[] = [
  { says: 'the image is the app version', values: {}, kind: 'Deployment', has: container({ image: /^transship:\d+\.\d+\.\d+$/ }) },
  {
    says: 'registry and tag',
    values: { image: { registry: 'r.example:5000/', tag: 'x' } },
    kind: 'Deployment',
    has: container({ image: 'r.example:5000/transship:x' }),
  },
  { says: 'a digest needs no tag', values: { image: { digest } }, kind: 'Deployment', has: container({ image: `transship@${digest}` }) },
  {
    says: 'tag and digest',
    values: { image: { tag: 'x', digest } },
    kind: 'Deployment',
    has: container({ image: `transship:x@${digest}` }),
  },
  {
    says: 'two replicas, one more while rolling',
    values: {},
    kind: 'Deployment',
    has: { spec: { replicas: 2, strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } } },
  },
  {
    says: 'a node port cannot be shared',
    values: { hostNetwork: true },
    kind: 'Deployment',
    has: {
      spec: {
        strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } },
        template: { spec: { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' } },
      },
    },
  },
  { says: 'no token of the API', values: {}, kind: 'Deployment', has: podSpec({ automountServiceAccountToken: false }) },
  { says: 'no token by the account either', values: {}, kind: 'ServiceAccount', has: { automountServiceAccountToken: false } },
  {
    says: 'nothing of the node',
    values: {},
    kind: 'Deployment',
    has: podSpec({
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [{ securityContext: { readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } }],
    }),
  },
  {
    says: 'spread over nodes and zones by its own labels',
    values: {},
    kind: 'Deployment',
    has: podSpec({
      topologySpreadConstraints: [
        { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { 'app.kubernetes.io/component': 'webhook' } } },
        { topologyKey: 'topology.kubernetes.io/zone' },
      ],
    }),
  },
  {
    says: "a constraint's own selector stays",
    values: { topologySpreadConstraints: [{ topologyKey: 'rack', labelSelector: { matchLabels: { a: 'b' } } }] },
    kind: 'Deployment',
    has: podSpec({ topologySpreadConstraints: [{ topologyKey: 'rack', labelSelector: { matchLabels: { a: 'b' } } }] }),
  },
  {
    says: "pod labels do not take away the Service's",
    values: { podLabels: { 'app.kubernetes.io/name': 'x', team: 'y' } },
    kind: 'Deployment',
    has: { spec: { template: { metadata: { labels: { 'app.kubernetes.io/name': 'transship', team: 'y' } } } } },
  },
  {
    says: 'probes over HTTPS',
    values: {},
    kind: 'Deployment',
    has: container({
      startupProbe: { httpGet: { path: '/healthz', scheme: 'HTTPS' } },
      livenessProbe: { httpGet: { path: '/healthz', scheme: 'HTTPS' } },
      readinessProbe: { httpGet: { path: '/readyz', scheme: 'HTTPS' } },
    }),
  },
  {
    says: 'its namespace, for the guard in code',
    values: {},
    kind: 'Deployment',
    has: container({ env: [{ name: 'TRANSSHIP_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } }] }),
  },
  {
    says: 'a key of an own ConfigMap',
    values: { rewritePolicy: { existingConfigMap: 'own', key: 'a.yaml' } },
    kind: 'Deployment',
    has: podSpec({ volumes: [{ name: 'policy', configMap: { name: 'own', items: [{ key: 'a.yaml', path: 'policy.yaml' }] } }] }),
  },
  {
    says: 'an own certificate',
    values: ready,
    kind: 'Deployment',
    has: podSpec({ volumes: [{}, { name: 'tls', secret: { secretName: 'own' } }] }),
  },
  {
    says: 'the CA of an own certificate',
    values: ready,
    kind: 'MutatingWebhookConfiguration',
    has: { webhooks: Array.from({ length: 4 }, () => ({ clientConfig: { caBundle: 'YQ==' } })) },
  },
  {
    says: 'the CA as PEM',
    values: { tls: { mode: 'secret', secret: { name: 'own', caBundle: '-----BEGIN X' } } },
    kind: 'MutatingWebhookConfiguration',
    has: { webhooks: [{ clientConfig: { caBundle: 'LS0tLS1CRUdJTiBY' } }, {}, {}, {}] },
  },
  {
    says: 'nobody else sets what the controller does',
    values: {},
    kind: 'MutatingWebhookConfiguration',
    has: { webhooks: Array.from({ length: 4 }, () => ({ clientConfig: { caBundle: undefined } })) },
  },
  {
    says: 'the certificate that the controller makes',
    values: {},
    kind: 'Deployment',
    has: podSpec({ volumes: [{}, { name: 'tls', secret: { secretName: 'transship-tls' } }] }),
  },
  {
    says: 'whose CA has a Secret that no pod mounts',
    values: {},
    kind: 'Secret',
    name: 'transship-tls-ca',
    has: { type: 'Opaque', data: undefined },
  },
  {
    says: 'resolved hosts may be late',
    values: { controller: { features: { hosts: true } } },
    kind: 'Deployment',
    has: podSpec({ volumes: [{}, {}, { name: 'hosts', configMap: { name: 'transship-hosts', optional: true } }] }),
  },
  {
    says: 'the hosts that the controller decides with',
    values: { controller: { features: { fallback: true } }, resolvedHosts: { configMap: 'theirs' } },
    kind: 'Deployment',
    has: podSpec({ volumes: [{}, {}, { name: 'hosts', configMap: { name: 'theirs', optional: true } }] }),
  },
  {
    says: 'the token of the API, for the controller',
    values: {},
    kind: 'Deployment',
    name: 'transship-controller',
    has: podSpec({ serviceAccountName: 'transship-controller', automountServiceAccountToken: true }),
  },
  {
    says: 'an identity in the cloud',
    values: { controller: { podLabels: { a: 'b' }, serviceAccount: { name: 'own', annotations: { c: 'd' } } } },
    kind: 'ServiceAccount',
    name: 'own',
    has: { metadata: { annotations: { c: 'd' } } },
  },
  {
    says: 'cert-manager fills in the CA',
    values: certManager,
    kind: 'MutatingWebhookConfiguration',
    has: { metadata: { annotations: { 'cert-manager.io/inject-ca-from': 'images/transship' } } },
  },
  {
    says: "the Service's name in the certificate",
    values: certManager,
    kind: 'Certificate',
    name: 'transship',
    has: {
      spec: {
        dnsNames: ['transship-cert-manager.images.svc', 'transship-cert-manager.images.svc.cluster.local'],
        issuerRef: { name: 'transship-ca', kind: 'Issuer' },
      },
    },
  },
  {
    says: 'an issuer of the organisation',
    values: { tls: { mode: 'certManager', certManager: { issuerRef: { name: 'org', kind: 'ClusterIssuer' } } } },
    kind: 'Certificate',
    has: { spec: { issuerRef: { name: 'org', kind: 'ClusterIssuer' } } },
  },
  {
    says: 'the port the API server calls',
    values: { service: { port: 8443, clusterIP: '10.0.0.9' } },
    kind: 'Service',
    has: { spec: { clusterIP: '10.0.0.9', ports: [{ name: 'https', port: 8443 }] } },
  },
  {
    says: 'the same port in the webhooks',
    values: { service: { port: 8443 } },
    kind: 'MutatingWebhookConfiguration',
    has: {
      webhooks: Array.from({ length: 4 }, () => ({ clientConfig: { service: { namespace: 'images', name: 'transship', port: 8443 } } })),
    },
  },
  {
    says: 'a port for the ServiceMonitor',
    values: { serviceMonitor: { enabled: true } },
    kind: 'Service',
    has: { spec: { ports: [{ name: 'https' }, { name: 'metrics', port: 9464 }] } },
  },
  { says: 'one pod may be missing', values: {}, kind: 'PodDisruptionBudget', has: { spec: { maxUnavailable: 1 } } },
  {
    says: 'half must be there',
    values: { podDisruptionBudget: { minAvailable: '50%' } },
    kind: 'PodDisruptionBudget',
    has: { spec: { minAvailable: '50%' } },
  },
  {
    says: 'the webhook calls nobody',
    values: {},
    kind: 'NetworkPolicy',
    // An empty list would be the same, and a difference at every diff: the API server drops it.
    has: { spec: { policyTypes: ['Ingress', 'Egress'], egress: undefined } },
  },
  {
    says: 'a priority of its own',
    values: {},
    kind: 'PriorityClass',
    has: { metadata: { name: 'transship' }, value: 1e9, globalDefault: false },
  },
  {
    says: 'a registry of the parent chart wins',
    values: { global: { imageRegistry: 'global.example.com' }, image: { registry: 'own.example.com' } },
    kind: 'Deployment',
    has: container({ image: /^global\.example\.com\/transship:/ }),
  },
  {
    says: 'also over the host of the local registry',
    values: { global: { imageRegistry: 'global.example.com' }, localRegistry: { enabled: true } },
    kind: 'Deployment',
    name: 'transship-registry',
    has: container({ image: 'global.example.com/library/registry:3' }),
  },
  {
    says: 'labels of everything do not take away the own ones',
    values: { commonLabels: { team: 'platform', 'app.kubernetes.io/name': 'x' } },
    kind: 'Deployment',
    has: {
      metadata: { labels: { team: 'platform', 'app.kubernetes.io/name': 'transship' } },
      spec: { template: { metadata: { labels: { team: 'platform', 'app.kubernetes.io/name': 'transship' } } } },
    },
  },
  {
    says: "the enforcer of AKS leaves the webhook's selectors alone",
    values: { webhookAnnotations: { 'admissions.enforcer/disabled': 'true' }, ...certManager },
    kind: 'MutatingWebhookConfiguration',
    has: { metadata: { annotations: { 'admissions.enforcer/disabled': 'true', 'cert-manager.io/inject-ca-from': 'images/transship' } } },
  },
  {
    says: 'a configuration calls only pods with the certificate that it trusts',
    values: { tls: { mode: 'certManager', previousMode: 'controller' } },
    kind: 'Service',
    name: 'transship',
    has: { spec: { selector: { 'transship.dev/tls-mode': 'controller' } } },
  },
  {
    says: 'so it does in the other mode',
    values: { tls: { mode: 'certManager', previousMode: 'controller' } },
    kind: 'Service',
    name: 'transship-cert-manager',
    has: { spec: { selector: { 'transship.dev/tls-mode': 'cert-manager' } } },
  },
  {
    says: 'and new pods have the new certificate',
    values: { tls: { mode: 'certManager', previousMode: 'controller' } },
    kind: 'Deployment',
    has: podSpec({ volumes: [{}, { name: 'tls', secret: { secretName: 'transship-cert-manager-tls' } }] }),
  },
  {
    says: 'the controller goes where the webhook does',
    values: { nodeSelector: { a: 'b' }, tolerations: [{ key: 'c' }] },
    kind: 'Deployment',
    name: 'transship-controller',
    has: podSpec({ nodeSelector: { a: 'b' }, tolerations: [{ key: 'c' }] }),
  },
  {
    says: 'unless it is told otherwise',
    values: { nodeSelector: { a: 'b' }, tolerations: [{ key: 'c' }], controller: { nodeSelector: {}, tolerations: [] } },
    kind: 'Deployment',
    name: 'transship-controller',
    has: podSpec({ nodeSelector: undefined, tolerations: undefined }),
  },
  {
    says: 'two controllers have a budget',
    values: { controller: { replicaCount: 2 } },
    kind: 'PodDisruptionBudget',
    name: 'transship-controller',
    has: { spec: { maxUnavailable: 1 } },
  },
  {
    says: 'a pod that cannot start says why',
    values: {},
    kind: 'Deployment',
    has: container({ terminationMessagePolicy: 'FallbackToLogsOnError' }),
  },
  {
    says: 'OpenShift chooses the user, and the group of the volume',
    values: { podSecurityContext: { runAsUser: null, runAsGroup: null }, localRegistry: { enabled: true } },
    kind: 'Deployment',
    name: 'transship-registry',
    has: podSpec({ securityContext: { runAsUser: undefined, fsGroup: undefined, runAsNonRoot: true } }),
  },
  { says: 'which the pods have', values: {}, kind: 'Deployment', has: podSpec({ priorityClassName: 'transship' }) },
];

test('values end up where they belong', options, async (t) => {
  for (const { says, values, kind, name, has } of rows) t.match((await render(values)).one(kind, name), has, says);
});
