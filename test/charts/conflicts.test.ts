import { test } from 'tap'

import { skipWithoutHelm, template, type Values } from './chart.ts'

/** Values that must stop the render with this sentence, and how little makes them right. */
const rows: readonly { readonly values: Values; readonly sentence: string; readonly right: Values }[] = [
  {
    values: { rewritePolicy: { inline: { rules: [] }, existingConfigMap: 'own' } },
    sentence: 'rewritePolicy.inline and rewritePolicy.existingConfigMap are both set: give the policy in one place.',
    right: { rewritePolicy: { existingConfigMap: 'own' } },
  },
  {
    values: { finalState: { enabled: true } },
    sentence: 'finalState.enabled is true and finalState.registries is empty: no pod could be created.',
    right: { finalState: { enabled: true, registries: ['gcr.io'] } },
  },
  {
    values: { finalState: { validationActions: ['Deny', 'Warn'] } },
    sentence: 'finalState.validationActions has both Deny and Warn',
    right: { finalState: { validationActions: ['Deny', 'Audit'] } },
  },
  {
    values: { matchConditions: [{ name: 'an-image-changes', expression: 'true' }] },
    sentence: 'matchConditions has an entry named an-image-changes, which is the name of a condition of the chart',
    right: { matchConditions: [{ name: 'mine', expression: 'true' }] },
  },
  {
    values: { tls: { mode: 'controller' } },
    sentence: 'tls.mode controller comes with the transship controller, which this version does not have yet: use certManager or secret.',
    right: { tls: { mode: 'certManager' } },
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
    values: { tls: { secret: { name: 'own' } } },
    sentence: 'tls.secret is set but tls.mode is certManager, which ignores it',
    right: {},
  },
  {
    values: { terminationGracePeriodSeconds: 14 },
    sentence: 'terminationGracePeriodSeconds is 14: a pod serves on for 10 s after SIGTERM and then ends requests of up to timeoutSeconds, so it needs at least 15.',
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
]

test('values that contradict each other stop the render with a sentence', { skip: skipWithoutHelm }, async (t) => {
  for (const { values, sentence, right } of rows) {
    const refused = await template(values)
    t.equal(refused.code, 1, sentence)
    t.ok(refused.stderr.includes(sentence), refused.stderr)
    const accepted = await template(right)
    t.equal(accepted.code, 0, `${JSON.stringify(right)} ${accepted.stderr}`)
  }
})
