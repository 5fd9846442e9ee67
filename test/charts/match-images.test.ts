/** `matchImages`: values as `transship export match-images` prints them, with the policy that they were made from. */
import { test } from 'tap';
import { parse } from 'yaml';
import type { V1MutatingWebhookConfiguration } from '@kubernetes/client-node';

import { exportMatchImages } from '../../src/export/match-images.ts';
import { matchImagesOf } from '../../src/inspect/match-images.ts';
import { loaded } from '../export/equality.ts';
import { render, skipWithoutHelm, type Values } from './chart.ts';

const policyText = `# Kept: a comment, and "ü".
apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: mirror.example.com, pullSecrets: [one] }
rules:
  - { name: hub, match: { images: [docker.io, quay.io/acme] }, rewrite: { registry: mirror, as: path } }
`;

/** @param text of the file that is exported */
function printed(text: string): Values {
  return parse(exportMatchImages(loaded(text)).files[0]?.text ?? '') as Values;
}

async function rendered(values: Values): Promise<{ configuration: V1MutatingWebhookConfiguration; policy: string }> {
  const rendering = await render(values);
  const policy: unknown = rendering.objects.flatMap(({ kind, data }) => (kind === 'ConfigMap' ? (data?.['policy.yaml'] ?? []) : []))[0];
  if (typeof policy !== 'string') throw new Error('no ConfigMap has the policy');
  return { configuration: rendering.one('MutatingWebhookConfiguration'), policy };
}

test('every entry has the condition, and doctor reads its revision', { skip: skipWithoutHelm }, async (t) => {
  for (const text of [policyText, policyText.replaceAll('\n', '\r\n'), policyText.trimEnd(), `${policyText}\n\n`, `\uFEFF${policyText}`]) {
    // As src/config/source.ts reads it.
    const withoutMark = text.replace(/^\uFEFF/, '');
    const { configuration, policy } = await rendered({ ...printed(withoutMark), rewritePolicy: { inline: text } });
    t.equal(policy, withoutMark, 'the policy is passed on byte for byte');
    const conditions = (configuration.webhooks ?? []).map(({ matchConditions = [] }) =>
      matchConditions.filter(({ name }) => name === 'an-image-is-concerned').map(({ expression }) => expression),
    );
    t.equal(conditions.length, 4);
    for (const each of conditions) t.strictSame(each, conditions[0]);
    t.match(conditions[0]?.[0], /^\/\/ Of revision [0-9a-f]{12} of the policy\.\n.*object\.spec/);
    const found = matchImagesOf({ configuration, policy: { configMap: 'a', key: 'b', text: policy, changed: null } });
    t.ok(found !== null && found.revision !== null && found.revision === found.present, JSON.stringify(found));
  }
});

test('of an object, the file to export is the text that its ConfigMap has', { skip: skipWithoutHelm }, async (t) => {
  const inline: unknown = parse(policyText);
  const { policy } = await rendered({ rewritePolicy: { inline } });
  const { configuration } = await rendered({ ...printed(policy), rewritePolicy: { inline } });
  t.ok(matchImagesOf({ configuration, policy: null })?.revision);
  await t.rejects(rendered({ ...printed(policyText), rewritePolicy: { inline } }), /matchImages is of revision/);
});

test('without matchImages there is no condition', { skip: skipWithoutHelm }, async (t) => {
  const { configuration } = await rendered({ rewritePolicy: { inline: policyText } });
  t.equal(matchImagesOf({ configuration, policy: null }), null);
});
