/** `--partial` and the webhook on one API server make the same pods as the webhook alone. */
import * as fc from '../random/fast-check.ts';
import { seed } from '../random/seed.ts';
import tap, { test, type Test } from 'tap';
import { exportAdmissionPolicy } from '../../src/export/admission-policy/admission-policy.ts';
import { eventually } from '../charts/installed.ts';
import { skipReason } from '../cluster/binaries.ts';
import { EngineComparison, unordered } from './engine-comparison.ts';
import { counted, imagesOf, originalsOf, pullSecretsOf, type CreatedPod } from '../contract/running.ts';
import { everyday, partialEngine, webhookEngine, type Engine, type PartialEngine } from './engines.ts';
import { defaults, loaded } from './equality.ts';
import { podLife } from './pod-lives.ts';
import { policyTexts, rewrittenImages } from './policy-texts.ts';
import { probed } from './probed-policy.ts';

const lives = Number(process.env['TRANSSHIP_RANDOM_LIVES'] ?? '40');
const livesOfPolicy = 20;
tap.setTimeout(180_000 + lives * 1_000);

/** Policies of which a part can be compiled. */
const partialTexts = policyTexts
  .map((text) => probed(text, true))
  .filter((text) => text !== null && exportAdmissionPolicy(loaded(text), defaults).files.length > 0);

const policy =
  probed(
    `apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: mirror.example.com, pullSecrets: [mirror-pull] }
  vendor: { host: vendor.example.com, pullSecrets: [vendor-pull] }
rules:
  - { name: quay, match: { images: [{ regex: '^quay\\.io/(.*)$' }] }, rewrite: { as: template, template: vendor.example.com/$1 } }
  - { name: envoy, match: { images: [{ regex: '^docker\\.io/envoyproxy/(.*)$' }] }, rewrite: { as: template, template: vendor.example.com/$1 } }
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path } }
`,
    true,
  ) ?? '';
const left = 'quay.io/acme/app:1';
const compiled = 'nginx:1';

async function created({ plane }: Engine, namespace: string, images: readonly string[]): Promise<CreatedPod> {
  const containers = images.map((image, index) => ({ name: `c-${index}`, image }));
  const pod = { metadata: { name: 'web' }, spec: { containers, automountServiceAccountToken: false } };
  const { body } = await plane.api.send<CreatedPod>('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, pod);
  return body;
}

/** How many images the webhook rewrites meanwhile, by rule. */
async function rewrittenBy({ installed }: PartialEngine, during: () => Promise<unknown>): Promise<Record<string, number>> {
  const read = async () => {
    const rules = ['quay', 'envoy', 'hub'];
    const counts = await Promise.all(rules.map((rule) => counted(installed, 'transship_images_total', { rule, outcome: 'rewritten' })));
    return Object.fromEntries(rules.map((rule, index) => [rule, counts[index] ?? 0]));
  };
  const before = await read();
  await during();
  return Object.fromEntries(Object.entries(await read()).map(([rule, count]) => [rule, count - (before[rule] ?? 0)]));
}

async function ignoreFailures({ plane, installed }: PartialEngine): Promise<void> {
  const url = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${installed.service}`;
  const { body } = await plane.api.send<{ webhooks: object[] }>('GET', url);
  const webhooks = body.webhooks.map((webhook) => Object.assign(webhook, { failurePolicy: 'Ignore' }));
  await plane.api.send('PUT', url, { ...body, webhooks });
}

test('what can be compiled, and the webhook', { skip: skipReason({ level: 1 }) }, async (group) => {
  const [webhook, partial] = await Promise.all([webhookEngine(group), partialEngine(group)]);

  await group.test('random requests', (t) => random(t, [webhook, partial]));

  await Promise.all([webhook, partial].map((engine) => engine.enforce(policy)));
  for (const [namespace, expected] of Object.entries({
    shop: { quay: 1, envoy: 0, hub: 0 },
    'with-injector': { quay: 1, envoy: 1, hub: 0 },
  }))
    await group.test(`each image is decided once: ${namespace}`, async (t) => {
      const counts = await rewrittenBy(partial, () => created(partial, namespace, [left, compiled]));
      t.strictSame(counts, expected, 'the webhook rewrites those that are left to it, and no other');
      const [alone, both] = await Promise.all([webhook, partial].map((engine) => created(engine, namespace, [left, compiled])));
      t.strictSame(both?.spec?.containers, alone?.spec?.containers);
    });

  await group.test('a container that another policy adds is decided once, by whichever is asked next', async (t) => {
    const counts = await rewrittenBy(partial, () => created(partial, 'with-sidecar', [left, compiled]));
    t.match(counts, { quay: 1, envoy: 0 });
    t.ok((counts['hub'] ?? 0) <= 1, 'the other policy may come between the compiled one and the webhook');
    t.equal(imagesOf(await created(partial, 'with-sidecar', [left]))['sidecar'], 'mirror.example.com/library/sidecar:1');
  });

  await group.test('the order of records and of pull secrets', async (t) => {
    const pods = await Promise.all([webhook, partial].map((engine) => created(engine, 'shop', [left, compiled])));
    t.strictSame(
      pods.map((pod) => Object.keys(Object(originalsOf(pod)))),
      [
        ['c-0', 'c-1'],
        ['c-1', 'c-0'],
      ],
    );
    t.strictSame(pods.map(pullSecretsOf), [
      ['vendor-pull', 'mirror-pull'],
      ['mirror-pull', 'vendor-pull'],
    ]);
  });

  await group.test('a pod that costs more than the budget of an expression is decided by the webhook', async (t) => {
    await partial.enforce(policy, { ...everyday, failurePolicy: 'Ignore' });
    // The budget goes by the length of images.
    const tag = 'a'.repeat(100);
    const many = Array.from({ length: 8000 }, () => `nginx:${tag}`);
    let pod: CreatedPod | undefined;
    await eventually('failures are ignored', async () => (await created(partial, 'shop', many)).spec !== undefined);
    const counts = await rewrittenBy(partial, async () => {
      pod = await created(partial, 'shop', many);
    });
    t.strictSame(counts, { quay: 0, envoy: 0, hub: 8000 });
    t.equal(pod?.spec?.containers[0]?.image, `mirror.example.com/library/nginx:${tag}`);
  });

  await group.test('the webhook is down', async (t) => {
    await partial.installed.serving.kill();
    t.match(await created(partial, 'shop', [left, compiled]), { status: 'Failure', message: /failed calling webhook/ }, 'Fail');
    await ignoreFailures(partial);
    await eventually('failures are ignored', async () => (await created(partial, 'shop', [compiled])).spec !== undefined);
    const pod = await created(partial, 'shop', [left, compiled]);
    t.strictSame(imagesOf(pod), { 'c-0': left, 'c-1': 'mirror.example.com/library/nginx:1' }, 'Ignore');
  });
});

async function random(t: Test, engines: readonly Engine[]): Promise<void> {
  t.comment(`TRANSSHIP_RANDOM_SEED=${seed}`);
  const policies = fc.sample(partialTexts, { seed, numRuns: Math.ceil(lives / livesOfPolicy) });
  const comparison = new EngineComparison(engines, unordered);
  for (const [index, text] of policies.entries()) {
    if (text === null) continue;
    await Promise.all(engines.map((engine) => engine.enforce(text)));
    for (const life of fc.sample(podLife(rewrittenImages(loaded(text))), { seed: seed + index, numRuns: livesOfPolicy })) {
      const difference = await comparison.live(life);
      if (difference !== null) t.fail('another pod', { policy: text, ...difference });
    }
  }
  t.comment(JSON.stringify(Object.fromEntries(comparison.counts)));
  const rewritten = [...comparison.counts.values()].reduce((sum, count) => sum + count.rewritten, 0);
  t.ok(rewritten > lives / 10, `${rewritten} requests were rewritten`);
}
