/** Which values have an effect without a webhook, as the comment on `engine` in values.yaml says. */
import { test } from 'tap';

import { render, skipWithoutHelm, type Rendered, type Values } from './chart.ts';
import { policyText } from './exported-policy.ts';

const withoutEffect: Values = {
  timeoutSeconds: 7,
  webhookAnnotations: { a: 'b' },
  service: { port: 8443, annotations: { a: 'b' } },
  networkPolicy: { webhookFrom: [{ ipBlock: { cidr: '10.0.0.0/28' } }] },
  tls: { mode: 'secret', clientCA: { configMap: 'own' } },
  replicaCount: 3,
  reviewCache: false,
  extraEnv: [{ name: 'A' }],
  extraArgs: ['--a'],
  extraVolumes: [{ name: 'a' }],
  extraVolumeMounts: [{ name: 'a', mountPath: '/a' }],
  ports: { https: 1, metrics: 2 },
  hostNetwork: true,
  terminationGracePeriodSeconds: 1,
  podLabels: { a: 'b' },
  podAnnotations: { a: 'b' },
  affinity: { a: {} },
  topologySpreadConstraints: [],
  podDisruptionBudget: { enabled: false },
  autoscaling: { enabled: true },
  serviceAccount: { name: 'own' },
};
const withEffect: Values = {
  logLevel: 'debug',
  revisionHistoryLimit: 1,
  listenAddress: '::',
  resources: { limits: { memory: '1Gi' } },
  podSecurityContext: { runAsUser: 1 },
  nodeSelector: { a: 'b' },
  tolerations: [{ operator: 'Exists' }],
  priorityClass: { create: false },
};

const objectsOf = async (values: Values): Promise<readonly Rendered[]> =>
  (await render({ rewritePolicy: { inline: policyText, check: { enabled: true } }, engine: 'admissionPolicy', ...values })).objects;

test('without a webhook its values have no effect, and those of all pods have one', { skip: skipWithoutHelm }, async (t) => {
  const before = await objectsOf({});
  t.strictSame(await objectsOf(withoutEffect), before);
  for (const [name, value] of Object.entries(withEffect)) t.notSame(await objectsOf({ [name]: value }), before, name);
});
