/** Facts of a healthy cluster, for the checks: one release, one opted-in namespace. */
import type { V1MutatingWebhook } from '@kubernetes/client-node';
import { runChecks } from '../../src/inspect/doctor/check.ts';
import { checks } from '../../src/inspect/doctor/checks.ts';
import type { Facts, ReleaseFacts } from '../../src/inspect/doctor/facts.ts';
import { policyOf } from '../../src/inspect/policy.ts';
import type { Release } from '../../src/inspect/releases.ts';
import { createCa, issueServing } from '../../src/tls/certificate.ts';

const day = 24 * 60 * 60_000;
const key = 'transship.dev/rewrite';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

export const ca = await createCa('doctor', { lifetime: day });
export const otherCa = await createCa('other', { lifetime: day });
export const serving = await issueServing(ca, ['transship.images.svc'], { lifetime: day });

export const policyText = `apiVersion: transship.dev/v1
kind: RewritePolicy
registries: { mirror: { host: mirror.example.com, pullSecrets: [mirror-pull] } }
imageManagers: [{ name: olm, exclude: false }]
rules: [{ name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path } }]
`;

function webhook(name: string, values: readonly string[], isOfPod: boolean): V1MutatingWebhook {
  const chosen = [{ key, operator: 'In', values: [...values] }];
  const none = [{ key, operator: 'NotIn', values: ['enabled', 'shadow', 'disabled'] }];
  return {
    name,
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    clientConfig: { caBundle: base64(ca.cert), service: { namespace: 'images', name: 'transship' } },
    rules: [{ operations: ['CREATE', 'UPDATE'], resources: ['pods'] }],
    namespaceSelector: { matchExpressions: isOfPod ? [] : chosen },
    objectSelector: { matchExpressions: isOfPod ? chosen : none },
  };
}

export const release: Release = {
  name: 'transship',
  fullName: 'transship',
  namespace: 'images',
  service: 'transship',
  configuration: {
    metadata: { name: 'transship', creationTimestamp: new Date('2026-01-01') },
    webhooks: [
      webhook('enforce.transship.dev', ['enabled'], false),
      webhook('shadow.transship.dev', ['shadow'], false),
      webhook('pod-enforce.transship.dev', ['enabled'], true),
      webhook('pod-shadow.transship.dev', ['shadow'], true),
    ],
  },
  bindings: [],
  admissionPolicy: undefined,
  deployment: { spec: { replicas: 2, selector: {}, template: {} }, status: { readyReplicas: 2 } },
  pods: [],
  policy: { configMap: 'transship-policy', key: 'policy.yaml', text: policyText, changed: null },
  hosts: '',
  revised: null,
};

const loaded = policyOf(release);
const revision = loaded?.compiled?.revision ?? '';

export const healthy: ReleaseFacts = {
  ...release,
  loaded,
  probe: {
    probe: { namespace: 'shop', podLabels: {}, image: 'nginx', expected: 'mirror.example.com/library/nginx' },
    image: 'mirror.example.com/library/nginx',
    revision,
  },
  revisions: [
    { pod: 'transship-a', revision },
    { pod: 'transship-b', revision },
  ],
  copies: { wanted: [], sources: [], events: [] },
  verify: undefined,
  endpoints: [{ addressType: 'IPv4', endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true } }] }],
  certificate: { metadata: { name: 'transship-tls' }, data: { 'tls.crt': base64(serving.cert) } },
  controller: 'present',
  lease: { spec: { renewTime: new Date(), leaseDurationSeconds: 15, holderIdentity: 'a' } },
  optedIn: [{ namespace: 'shop', pods: [], secrets: new Set(['mirror-pull']) }],
};

export const facts: Facts = {
  releases: [healthy],
  namespaces: [{ metadata: { name: 'shop', labels: { [key]: 'enabled' } } }],
  workloads: [],
  policies: [{ metadata: { name: 'transship-labels' } }],
  bindings: [{ spec: { policyName: 'transship-labels', validationActions: ['Warn'] } }],
  version: 'v1.36.3',
  metrics: '',
  nodeLeases: [{ metadata: { name: 'node-a' }, spec: { renewTime: new Date() } }],
  clock: { ahead: 100, uncertainty: 600 },
  now: new Date(),
};

export const withRelease = (change: Partial<ReleaseFacts>): Facts => ({ ...facts, releases: [{ ...healthy, ...change }] });

/** The configuration of the release, with each webhook changed. */
export function configurationWith(change: (webhook: V1MutatingWebhook, index: number) => void): Release['configuration'] {
  const configuration = structuredClone(release.configuration);
  for (const [index, each] of (configuration?.webhooks ?? []).entries()) change(each, index);
  return configuration;
}

/** What the checks find: of each that is not fulfilled its sentences, or its state. */
export const found = (of: Facts): string[] =>
  runChecks(checks, of).flatMap(({ id, state, problems }) =>
    state === 'ok'
      ? []
      : state === 'not-seen' || state === 'none'
        ? [`${id} ${state}`]
        : problems.map(({ sentence }) => `${id}: ${sentence}`),
  );
