import { test } from 'tap';
import { readReview } from '../../src/admission/review.ts';
import { reasonToSkip, type Scope } from '../../src/admission/scope.ts';
import { pod, reviewOf, type Json, type RequestParts } from '../builders/pod.ts';
import { installedScope } from '../builders/webhook.ts';

interface Row {
  readonly says: string;
  readonly request?: RequestParts;
  readonly metadata?: Json;
  readonly scope?: Scope;
  readonly reason: string | null;
}

const outside: Scope = { releaseNamespace: null, excludedOperators: [] };
const cnpg = { labels: { 'cnpg.io/cluster': 'example' } };

const rows: readonly Row[] = [
  { says: 'a pod is created', reason: null },
  { says: 'a pod is changed', request: { operation: 'UPDATE', oldObject: pod({}) }, reason: null },
  {
    says: 'a debug container is added',
    request: { operation: 'UPDATE', oldObject: pod({}), subResource: 'ephemeralcontainers' },
    reason: null,
  },
  { says: 'an update of unknown origin', request: { operation: 'UPDATE' }, reason: 'an UPDATE without oldObject cannot be compared' },
  { says: 'a pod is deleted', request: { operation: 'DELETE' }, reason: 'DELETE changes no image' },
  { says: 'somebody attaches', request: { operation: 'CONNECT', subResource: 'attach' }, reason: 'CONNECT changes no image' },
  { says: 'a pod is bound', request: { subResource: 'binding' }, reason: 'pods/binding changes no image' },
  {
    says: 'a pod is resized',
    request: { operation: 'UPDATE', oldObject: pod({}), subResource: 'resize' },
    reason: 'pods/resize changes no image',
  },
  {
    says: 'another resource',
    request: { resource: { group: 'apps', version: 'v1', resource: 'deployments' } },
    reason: 'apps/deployments is not pods',
  },
  {
    says: 'pods of another group',
    request: { resource: { group: 'metrics.k8s.io', version: 'v1', resource: 'pods' } },
    reason: 'metrics.k8s.io/pods is not pods',
  },
  { says: 'no resource at all', request: { resource: null }, reason: 'the resource is not pods' },
  ...['kube-system', 'kube-public', 'kube-node-lease'].map((namespace) => ({
    says: namespace,
    request: { namespace },
    reason: `namespace ${namespace} belongs to Kubernetes`,
  })),
  { says: 'a namespace that only begins alike', request: { namespace: 'kube-system-tools' }, reason: null },
  { says: 'our own namespace', request: { namespace: 'transship' }, reason: 'namespace transship is that of transship itself' },
  { says: 'that namespace outside a cluster', request: { namespace: 'transship' }, scope: outside, reason: null },
  { says: 'no namespace outside a cluster', request: { namespace: null }, scope: outside, reason: null },
  {
    says: 'a mirror pod',
    metadata: { annotations: { 'kubernetes.io/config.mirror': '' } },
    reason: 'it is a mirror pod; the kubelet runs it from a file',
  },
  {
    says: 'opted out',
    metadata: { labels: { 'transship.dev/rewrite': 'disabled' } },
    reason: 'the pod has the label transship.dev/rewrite: disabled',
  },
  { says: 'opted in', metadata: { labels: { 'transship.dev/rewrite': 'enabled' } }, reason: null },
  { says: 'the label as an annotation', metadata: { annotations: { 'transship.dev/rewrite': 'disabled' } }, reason: null },
  {
    says: 'a pod of CloudNativePG',
    metadata: cnpg,
    reason: 'the pod is managed by cloudnative-pg, which would recreate it with the image it asked for',
  },
  {
    says: 'an operator that nobody knows',
    metadata: { labels: { '': 'x' } },
    scope: { ...outside, excludedOperators: ['nobody', 'constructor'] },
    reason: null,
  },
  { says: 'that exclusion switched off', metadata: cnpg, scope: outside, reason: null },
];

for (const { says, request = {}, metadata = { name: 'web' }, scope = installedScope, reason } of rows) {
  test(says, (t) => {
    const read = readReview(reviewOf({ object: pod({ metadata }), ...request }));
    t.equal(read.ok ? reasonToSkip(read.review, scope) : read.problem, reason);
    t.end();
  });
}
