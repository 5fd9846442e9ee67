import { test } from 'tap';
import { readReview, reviewFields } from '../../src/admission/review.ts';
import { reasonToSkip, scopeLabels, type Scope, type SkipCode } from '../../src/admission/scope.ts';
import { pod, reviewOf, type Json, type RequestParts } from '../builders/pod.ts';
import { installedScope } from '../builders/webhook.ts';
import { compiled, type PolicyInput } from '../rules/policy.ts';

interface Row {
  readonly says: string;
  readonly request?: RequestParts;
  readonly metadata?: Json;
  readonly scope?: Scope;
  readonly managers?: NonNullable<PolicyInput['imageManagers']>;
  readonly reason: string | null;
  /** Null where there is no reason. */
  readonly code?: SkipCode;
}

const outside: Scope = { releaseNamespace: null };
const exists = (key: string): { matchExpressions: { key: string; operator: 'Exists' }[] } => ({
  matchExpressions: [{ key, operator: 'Exists' }],
});
const cnpg = { labels: { 'cnpg.io/cluster': 'example' } };

const rows: readonly Row[] = [
  { says: 'a pod is created', reason: null },
  { says: 'a pod is changed', request: { operation: 'UPDATE', oldObject: pod({}) }, reason: null },
  {
    says: 'a debug container is added',
    request: { operation: 'UPDATE', oldObject: pod({}), subResource: 'ephemeralcontainers' },
    reason: null,
  },
  {
    says: 'an update of unknown origin',
    request: { operation: 'UPDATE' },
    reason: 'an UPDATE without oldObject cannot be compared',
    code: 'no-old-object',
  },
  { says: 'a pod is deleted', request: { operation: 'DELETE' }, reason: 'DELETE changes no image', code: 'operation' },
  {
    says: 'somebody attaches',
    request: { operation: 'CONNECT', subResource: 'attach' },
    reason: 'CONNECT changes no image',
    code: 'operation',
  },
  { says: 'a pod is bound', request: { subResource: 'binding' }, reason: 'pods/binding changes no image', code: 'subresource' },
  {
    says: 'a pod is resized',
    request: { operation: 'UPDATE', oldObject: pod({}), subResource: 'resize' },
    reason: 'pods/resize changes no image',
    code: 'subresource',
  },
  {
    says: 'another resource',
    request: { resource: { group: 'apps', version: 'v1', resource: 'deployments' } },
    reason: 'apps/deployments is not pods',
    code: 'not-pods',
  },
  {
    says: 'pods of another group',
    request: { resource: { group: 'metrics.k8s.io', version: 'v1', resource: 'pods' } },
    reason: 'metrics.k8s.io/pods is not pods',
    code: 'not-pods',
  },
  { says: 'no resource at all', request: { resource: null }, reason: 'the resource is not pods', code: 'not-pods' },
  ...['kube-system', 'kube-public', 'kube-node-lease'].map((namespace) => ({
    says: namespace,
    request: { namespace },
    reason: `namespace ${namespace} belongs to Kubernetes`,
    code: 'system-namespace' as const,
  })),
  { says: 'a namespace that only begins alike', request: { namespace: 'kube-system-tools' }, reason: null },
  {
    says: 'our own namespace',
    request: { namespace: 'transship' },
    reason: 'namespace transship is that of transship itself',
    code: 'release-namespace',
  },
  { says: 'that namespace outside a cluster', request: { namespace: 'transship' }, scope: outside, reason: null },
  { says: 'no namespace outside a cluster', request: { namespace: null }, scope: outside, reason: null },
  {
    says: 'a mirror pod',
    metadata: { annotations: { 'kubernetes.io/config.mirror': '' } },
    reason: 'it is a mirror pod; the kubelet runs it from a file',
    code: 'mirror-pod',
  },
  {
    says: 'opted out',
    metadata: { labels: { 'transship.dev/rewrite': 'disabled' } },
    reason: 'the pod has the label transship.dev/rewrite: disabled',
    code: 'opted-out',
  },
  { says: 'opted in', metadata: { labels: { 'transship.dev/rewrite': 'enabled' } }, reason: null },
  { says: 'the label as an annotation', metadata: { annotations: { 'transship.dev/rewrite': 'disabled' } }, reason: null },
  {
    says: 'a pod of CloudNativePG',
    metadata: cnpg,
    reason: 'the pod is managed by cloudnative-pg, which would recreate it with the image it asked for',
    code: 'image-manager',
  },
  { says: 'that exclusion switched off', metadata: cnpg, managers: [{ name: 'cloudnative-pg', exclude: false }], reason: null },
  {
    says: 'an operator that the policy names',
    metadata: { labels: { 'acme.example/managed': 'true', tier: 'db' } },
    managers: [
      {
        name: 'acme',
        podSelector: {
          matchLabels: { tier: 'db' },
          matchExpressions: [{ key: 'acme.example/managed', operator: 'Exists' }],
        },
      },
    ],
    reason: 'the pod is managed by acme, which would recreate it with the image it asked for',
    code: 'image-manager',
  },
  {
    says: 'a label that every object inherits',
    metadata: { labels: {} },
    managers: [{ name: 'odd', podSelector: exists('toString') }],
    reason: null,
  },
];

for (const { says, request = {}, metadata = { name: 'web' }, scope = installedScope, managers = [], reason, code = null } of rows) {
  test(says, (t) => {
    const policy = compiled({ imageManagers: [...managers] });
    const read = readReview(reviewOf({ object: pod({ metadata }), ...request }), reviewFields(scopeLabels(policy)));
    const skipped = read.ok ? reasonToSkip(read.review, policy, scope) : null;
    t.equal(skipped?.sentence ?? null, reason);
    t.equal(skipped?.code ?? null, code);
    t.end();
  });
}
