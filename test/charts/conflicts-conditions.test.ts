/** Values of what is decided before the webhook is called, or after it, that contradict the policy or each other. */
import { test } from 'tap';

import { revisionOf } from '../../src/config/revision.ts';
import { skipWithoutHelm, type Values } from './chart.ts';
import { policyHead, stopTheRender, withHostFrom, type Conflict } from './conflicts.ts';

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

const policyFile = `${policyHead}rules: []\n`;
const matchImages = { revision: revisionOf(policyFile, ''), expression: 'true' };

const rows: readonly Conflict[] = [
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
];

test('the validating policy, the feature fallback and match conditions that do not fit the policy', { skip: skipWithoutHelm }, async (t) =>
  stopTheRender(t, rows),
);
