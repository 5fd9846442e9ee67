import { test } from 'tap';

import { policyJsonSchema } from '../../src/config/json-schema.ts';
import { chartFolder, helm, release, skipWithoutHelm, template } from './chart.ts';
import { policyHead, stopTheRender, withHostFrom, type Conflict } from './conflicts.ts';

const withCredentials = {
  inline: { registries: { mirror: { host: 'mirror.example.com', pullSecrets: ['pull'], credentials: { secret: 'source' } } } },
};

const rows: readonly Conflict[] = [
  {
    values: { tls: { mode: 'secret', secret: { caBundle: 'YQ==' } } },
    sentence: 'tls.mode is secret and tls.secret.name is empty',
    right: { tls: { mode: 'secret', secret: { name: 'own', caBundle: 'YQ==' } } },
  },
  {
    values: { tls: { mode: 'secret', secret: { name: 'own' } } },
    sentence: 'tls.mode is secret and tls.secret.caBundle is empty',
    right: { tls: { mode: 'secret', secret: { name: 'own', caBundle: 'YQ==' } } },
  },
  {
    values: { tls: { mode: 'controller', previousMode: 'controller' } },
    sentence: 'tls.previousMode is controller, as tls.mode: it is the previous mode.',
    right: { tls: { mode: 'controller', previousMode: 'certManager' } },
  },
  {
    values: { tls: { mode: 'controller', previousMode: 'certManager' }, failurePolicy: 'Fail' },
    sentence: 'Set failurePolicy to Ignore until tls.previousMode is empty again.',
    right: { tls: { mode: 'controller', previousMode: 'certManager' }, failurePolicy: 'Ignore' },
  },
  {
    values: { tls: { mode: 'controller', previousMode: 'certManager' }, service: { clusterIP: '10.0.0.9' } },
    sentence: 'tls.previousMode and service.clusterIP are both set',
    right: { tls: { mode: 'controller' }, service: { clusterIP: '10.0.0.9' } },
  },
  {
    values: { optIn: { value: 'blue', shadowValue: 'blue' } },
    sentence:
      'optIn.value, optIn.shadowValue, optIn.otherValues and the value disabled, which excludes a namespace from every release, must differ; they are blue, blue, disabled.',
    right: { optIn: { value: 'blue', shadowValue: 'blue-shadow', otherValues: ['enabled', 'shadow'] } },
  },
  {
    values: { rewritePolicy: { inline: 'policy.yaml' } },
    sentence: 'rewritePolicy.inline is a text that is not a policy: ',
    right: { rewritePolicy: { inline: policyHead } },
  },
  {
    // It was installed, and every pod ended with an error.
    values: { rewritePolicy: { inline: '\n' } },
    sentence: 'rewritePolicy.inline is an empty text: no pod of the release could start with it.',
    right: { rewritePolicy: { inline: policyHead } },
  },
  {
    values: { rewritePolicy: { inline: 'rules: []' } },
    sentence: 'rewritePolicy.inline is a text without apiVersion: transship.dev/v1. Only an object may leave it out.',
    right: { rewritePolicy: { inline: { rules: [] } } },
  },
  {
    values: { rewritePolicy: { inline: 'apiVersion: transship.dev/v1\nkind: ConfigMap' } },
    sentence: 'rewritePolicy.inline is a text without kind: RewritePolicy.',
    right: {},
  },
  {
    values: { rewritePolicy: { inline: `${policyHead}rule: []` } },
    sentence:
      'rewritePolicy.inline has the unknown key rule; a policy has exclude, imageManagers, placeholders, registries, rules, tests, warnings.',
    right: { rewritePolicy: { inline: `${policyHead}rules: []` } },
  },
  {
    values: { rewritePolicy: { inline: `${policyHead}registries: []` } },
    sentence: 'registries of rewritePolicy.inline must be a map.',
    right: { rewritePolicy: { inline: `${policyHead}registries:` } },
  },
  {
    values: { rewritePolicy: { inline: `${policyHead}rules: [hub]` } },
    sentence: 'rule 1 of rewritePolicy.inline must be a map with name, match and rewrite.',
    right: { rewritePolicy: { inline: `${policyHead}rules: [{ name: hub, match: { images: [docker.io] } }]` } },
  },
  {
    values: { podDisruptionBudget: { maxUnavailable: 0 } },
    sentence: 'podDisruptionBudget.maxUnavailable is 0: no node with a pod of the webhook could be drained.',
    right: { podDisruptionBudget: { maxUnavailable: 1 } },
  },
  {
    values: { podDisruptionBudget: { minAvailable: '51%' } },
    sentence: 'podDisruptionBudget.minAvailable is 51% with 2 replicas: no node with a pod of the webhook could be drained.',
    right: { podDisruptionBudget: { minAvailable: '50%' } },
  },
  {
    values: { podDisruptionBudget: { minAvailable: 3 }, autoscaling: { enabled: true, minReplicas: 3 } },
    sentence: 'podDisruptionBudget.minAvailable is 3 with 3 replicas',
    right: { podDisruptionBudget: { minAvailable: 2 }, autoscaling: { enabled: true, minReplicas: 3 } },
  },
  {
    values: { tls: { secret: { name: 'own' } } },
    sentence: 'tls.secret is set but tls.mode is controller, which ignores it',
    right: {},
  },
  {
    values: { rewritePolicy: withCredentials, controller: { features: { secrets: false } } },
    sentence: 'a registry of the policy has credentials and controller.features.secrets is false: its pull secrets would not be copied.',
    right: { rewritePolicy: withCredentials },
  },
  {
    values: { rewritePolicy: withHostFrom, controller: { features: { hosts: false } } },
    sentence: 'a registry of the policy has hostFrom and controller.features.hosts is false: its host would not be resolved.',
    right: { rewritePolicy: withHostFrom, controller: { features: { hosts: false } }, resolvedHosts: { configMap: 'own' } },
  },
  {
    values: { resolvedHosts: { configMap: 'own' }, controller: { features: { hosts: true } } },
    sentence: 'controller.features.hosts is true and resolvedHosts.configMap is set',
    right: { controller: { features: { hosts: true } } },
  },
  {
    values: { controller: { serviceAccount: { create: false } } },
    sentence: 'controller.serviceAccount.create is false and controller.serviceAccount.name is empty',
    right: { controller: { serviceAccount: { create: false, name: 'own' } } },
  },
  {
    values: { controller: { serviceAccount: { create: false, name: 'default' } } },
    sentence: "the permissions of the controller must not be granted to the namespace's default account. Use another name.",
    right: { controller: { serviceAccount: { create: false, name: 'own' } } },
  },
  {
    values: { controller: { serviceAccount: { name: 'transship' } } },
    sentence: 'the ServiceAccount of the webhook and that of the controller are both transship',
    right: { controller: { serviceAccount: { name: 'transship' } }, engine: 'admissionPolicy' },
  },
  {
    values: { serviceAccount: { create: false, name: 'own' }, controller: { serviceAccount: { create: false, name: 'own' } } },
    sentence: 'the ServiceAccount of the webhook and that of the controller are both own: the webhook must not have the permissions',
    right: { serviceAccount: { create: false, name: 'own' }, controller: { serviceAccount: { create: false, name: 'other' } } },
  },
  {
    values: { localRegistry: { enabled: true, publish: { enabled: true } } },
    sentence: 'localRegistry.publish.enabled is true and localRegistry.nodePort is 0',
    right: { localRegistry: { enabled: true, publish: { enabled: true }, nodePort: 30500 } },
  },
  {
    values: { localRegistry: { enabled: true, nodePort: 30500, auth: { pullSecret: 'pull' } } },
    sentence: 'localRegistry.auth.pullSecret is set and localRegistry.auth.htpasswdSecret is empty',
    right: { localRegistry: { enabled: true, nodePort: 30500, auth: { pullSecret: 'pull', htpasswdSecret: 'users' } } },
  },
  {
    values: { localRegistry: { enabled: true, auth: { pullSecret: 'pull', htpasswdSecret: 'users' } } },
    sentence: 'localRegistry.auth.pullSecret is set and localRegistry.nodePort is 0',
    right: { localRegistry: { enabled: true, auth: { htpasswdSecret: 'users' } } },
  },
  {
    values: { localRegistry: { persistence: { enabled: true } } },
    sentence: 'localRegistry has settings and localRegistry.enabled is false',
    right: { localRegistry: { enabled: true, persistence: { enabled: true } } },
  },
  {
    values: { terminationGracePeriodSeconds: 14 },
    sentence:
      'terminationGracePeriodSeconds is 14: a pod keeps serving for 10 s after SIGTERM and then ends requests of up to timeoutSeconds, so it needs at least 15.',
    right: { terminationGracePeriodSeconds: 15 },
  },
  {
    values: { podDisruptionBudget: { minAvailable: 1, maxUnavailable: 0 } },
    sentence: 'podDisruptionBudget.minAvailable and podDisruptionBudget.maxUnavailable are both set',
    right: { podDisruptionBudget: { minAvailable: 1 } },
  },
  {
    values: { serviceMonitor: { enabled: true }, podMonitor: { enabled: true } },
    sentence: 'serviceMonitor.enabled and podMonitor.enabled are both true: every pod would be counted twice.',
    right: { podMonitor: { enabled: true } },
  },
  {
    values: { autoscaling: { enabled: true, minReplicas: 7 } },
    sentence: 'autoscaling.minReplicas is greater than autoscaling.maxReplicas.',
    right: { autoscaling: { enabled: true, minReplicas: 6 } },
  },
  {
    values: { ports: { metrics: 8443 } },
    sentence: 'ports.https and ports.metrics are the same',
    right: { ports: { metrics: 8444 } },
  },
];

test('a text may have every key of a policy', { skip: skipWithoutHelm }, async (t) => {
  for (const key of Object.keys(policyJsonSchema().properties ?? {})) {
    const inline = ['apiVersion', 'kind'].includes(key) ? policyHead : `${policyHead}${key}:\n`;
    const { code, stderr } = await template({ rewritePolicy: { inline } });
    t.equal(code, 0, `${key} ${stderr}`);
  }
});

test('the namespace default is refused: its pods would never be rewritten', { skip: skipWithoutHelm }, async (t) => {
  const { code, stderr } = await helm(['template', release.name, chartFolder]);
  t.equal(code, 1);
  t.match(stderr, /the release namespace is default, and transship never rewrites pods of its own namespace/);
});

test('values that contradict each other stop the render with a sentence', { skip: skipWithoutHelm }, async (t) => stopTheRender(t, rows));
