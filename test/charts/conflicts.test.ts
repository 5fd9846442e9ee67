import { test } from 'tap';

import { revisionOf } from '../../src/config/revision.ts';
import { policyJsonSchema } from '../../src/config/json-schema.ts';
import { chartFolder, helm, release, skipWithoutHelm, template, type Values } from './chart.ts';

const withCredentials = {
  inline: { registries: { mirror: { host: 'mirror.example.com', pullSecrets: ['pull'], credentials: { secret: 'source' } } } },
};
const withHostFrom = { inline: { registries: { dev: { hostFrom: { localRegistryHosting: true } } } } };

const head = 'apiVersion: transship.dev/v1\nkind: RewritePolicy\n';

/** A policy with an alternative, and a validating policy that allows images from these registries. */
const withAlternative = (alternative: object, registries: readonly string[], validationActions = ['Deny']): Values => ({
  controller: { features: { fallback: true } },
  validatingPolicy: { enabled: true, registries, validationActions },
  rewritePolicy: {
    inline: {
      registries: { mirror: { host: 'mirror.example.com' }, backup: { host: 'backup.example.com' } },
      rules: [
        { name: 'hub', match: { images: ['docker.io/library'] }, rewrite: { registry: 'mirror', as: 'path' }, alternatives: [alternative] },
      ],
    },
  },
});

const policyFile = `${head}rules: []\n`;
const matchImages = { revision: revisionOf(policyFile, ''), expression: 'true' };

/** Values that must stop the render with this sentence, and how little makes them right. */
const rows: readonly { readonly values: Values; readonly sentence: string; readonly right: Values }[] = [
  {
    values: { rewritePolicy: { inline: { rules: [] }, existingConfigMap: 'own' } },
    sentence: 'rewritePolicy.inline and rewritePolicy.existingConfigMap are both set: give the policy in one place.',
    right: { rewritePolicy: { existingConfigMap: 'own' } },
  },
  {
    values: { validatingPolicy: { enabled: true } },
    sentence: 'validatingPolicy.enabled is true and validatingPolicy.registries is empty: no pod could be created.',
    right: { validatingPolicy: { enabled: true, registries: ['gcr.io'] } },
  },
  {
    values: { validatingPolicy: { validationActions: ['Deny', 'Warn'] } },
    sentence: 'validatingPolicy.validationActions has both Deny and Warn',
    right: { validatingPolicy: { validationActions: ['Deny', 'Audit'] } },
  },
  {
    values: { controller: { fallback: { dryRun: true } } },
    sentence: 'controller.fallback.dryRun is true and controller.features.fallback is false: enable the feature, or leave dryRun out.',
    right: { controller: { features: { fallback: true }, fallback: { dryRun: true } } },
  },
  {
    values: withAlternative({ registry: 'backup', as: 'path', prefix: 'hub' }, ['mirror.example.com']),
    sentence:
      'rule hub has an alternative at backup.example.com/hub, which validatingPolicy.registries (mirror.example.com) does not allow',
    right: withAlternative({ registry: 'backup', as: 'path', prefix: 'hub' }, ['mirror.example.com', 'backup.example.com/hub']),
  },
  {
    values: withAlternative({ registry: 'backup', as: 'path' }, [
      'mirror.example.com',
      'backup.example.com/hub',
      'backup.example.community',
    ]),
    sentence: 'rule hub has an alternative at backup.example.com, which',
    right: withAlternative({ registry: 'backup', as: 'path' }, ['mirror.example.com', 'backup.example.com/hub'], ['Audit']),
  },
  {
    values: withAlternative({ as: 'original' }, ['mirror.example.com']),
    sentence: 'rule hub has an alternative at docker.io/library, which',
    right: withAlternative({ as: 'original' }, ['mirror.example.com', 'index.docker.io']),
  },
  {
    values: withAlternative({ as: 'image', image: 'other.example.com/a:1' }, ['mirror.example.com']),
    sentence: 'rule hub has an alternative at other.example.com/a:1, which',
    right: withAlternative({ as: 'image', image: 'other.example.com/a:1' }, ['mirror.example.com', 'other.example.com']),
  },
  {
    values: { matchConditions: [{ name: 'not-by-fallback', expression: 'true' }] },
    sentence: 'matchConditions has an entry named not-by-fallback, which is the name of a condition of the chart',
    right: { matchConditions: [{ name: 'mine', expression: 'true' }] },
  },
  {
    values: { matchConditions: [{ name: 'an-image-changes', expression: 'true' }] },
    sentence: 'matchConditions has an entry named an-image-changes, which is the name of a condition of the chart',
    right: { matchConditions: [{ name: 'mine', expression: 'true' }] },
  },
  {
    values: { matchConditions: [{ name: 'an-image-is-concerned', expression: 'true' }] },
    sentence: 'matchConditions has an entry named an-image-is-concerned, which is the name of a condition of the chart',
    right: { matchConditions: [{ name: 'mine', expression: 'true' }] },
  },
  {
    values: {
      matchConditions: [
        { name: 'mine', expression: 'true' },
        { name: 'mine', expression: 'false' },
      ],
    },
    sentence: 'matchConditions has two entries named mine: give each its own name.',
    right: {
      matchConditions: [
        { name: 'mine', expression: 'true' },
        { name: 'example.com/mine', expression: 'false' },
      ],
    },
  },
  {
    values: { matchImages: { expression: 'true' }, rewritePolicy: { inline: policyFile } },
    sentence: 'matchImages needs revision and expression, and has one of them.',
    right: { matchImages, rewritePolicy: { inline: policyFile } },
  },
  {
    values: { matchImages: { revision: matchImages.revision, expression: ' ' }, rewritePolicy: { inline: policyFile } },
    sentence: 'matchImages needs revision and expression, and has one of them.',
    right: { rewritePolicy: { inline: policyFile } },
  },
  {
    values: { matchImages, rewritePolicy: { inline: `${policyFile}# changed\n` } },
    sentence: `matchImages is of revision ${matchImages.revision} of the policy, and rewritePolicy.inline has revision ${revisionOf(`${policyFile}# changed\n`, '')}`,
    right: { matchImages, rewritePolicy: { inline: policyFile } },
  },
  {
    values: { matchImages },
    sentence: `matchImages is of revision ${matchImages.revision} of the policy, and rewritePolicy.inline has revision`,
    right: { matchImages, rewritePolicy: { inline: policyFile } },
  },
  {
    values: { matchImages, rewritePolicy: { existingConfigMap: 'own' } },
    sentence: 'matchImages is set and rewritePolicy.existingConfigMap too',
    right: { rewritePolicy: { existingConfigMap: 'own' } },
  },
  {
    values: { matchImages, rewritePolicy: withHostFrom },
    sentence: 'matchImages is set, and hosts of the policy are resolved in the cluster (dev)',
    right: { rewritePolicy: withHostFrom },
  },
  {
    values: { matchImages, localRegistry: { enabled: true }, rewritePolicy: { inline: { rules: [] } } },
    sentence: 'matchImages is set, and hosts of the policy are resolved in the cluster (local)',
    right: { localRegistry: { enabled: true }, rewritePolicy: { inline: { rules: [] } } },
  },
  {
    values: { matchImages, resolvedHosts: { configMap: 'hosts' }, rewritePolicy: { inline: policyFile } },
    sentence: 'matchImages is set, and hosts of the policy are resolved in the cluster (resolvedHosts.configMap)',
    right: { matchImages, rewritePolicy: { inline: policyFile } },
  },
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
    right: { rewritePolicy: { inline: head } },
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
    values: { rewritePolicy: { inline: `${head}rule: []` } },
    sentence:
      'rewritePolicy.inline has the unknown key rule; a policy has exclude, imageManagers, placeholders, registries, rules, tests, warnings.',
    right: { rewritePolicy: { inline: `${head}rules: []` } },
  },
  {
    values: { rewritePolicy: { inline: `${head}registries: []` } },
    sentence: 'registries of rewritePolicy.inline must be a map.',
    right: { rewritePolicy: { inline: `${head}registries:` } },
  },
  {
    values: { rewritePolicy: { inline: `${head}rules: [hub]` } },
    sentence: 'rule 1 of rewritePolicy.inline must be a map with name, match and rewrite.',
    right: { rewritePolicy: { inline: `${head}rules: [{ name: hub, match: { images: [docker.io] } }]` } },
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
    const inline = ['apiVersion', 'kind'].includes(key) ? head : `${head}${key}:\n`;
    const { code, stderr } = await template({ rewritePolicy: { inline } });
    t.equal(code, 0, `${key} ${stderr}`);
  }
});

test('the namespace default is refused: its pods would never be rewritten', { skip: skipWithoutHelm }, async (t) => {
  const { code, stderr } = await helm(['template', release.name, chartFolder]);
  t.equal(code, 1);
  t.match(stderr, /the release namespace is default, and transship never rewrites pods of its own namespace/);
});

test('values that contradict each other stop the render with a sentence', { skip: skipWithoutHelm }, async (t) => {
  for (const { values, sentence, right } of rows) {
    const refused = await template(values);
    t.equal(refused.code, 1, sentence);
    t.ok(refused.stderr.includes(sentence), refused.stderr);
    const accepted = await template(right);
    t.equal(accepted.code, 0, `${JSON.stringify(right)} ${accepted.stderr}`);
  }
});
