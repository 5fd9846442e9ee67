/**
 * A cluster with the webhook and one with the compiled policy get the same random requests, and make the same pods of them.
 * TRANSSHIP_RANDOM_LIVES says of how many pods for each minor, TRANSSHIP_RANDOM_SEED (test/random/seed.ts) of which.
 */
import { readdirSync, readFileSync } from 'node:fs';
import * as fc from '../random/fast-check.ts';
import { seed } from '../random/seed.ts';
import tap, { test } from 'tap';
import { skipReason } from '../cluster/binaries.ts';
import { EngineComparison, unordered, type ComparedPod } from './engine-comparison.ts';
import { compiledEngine, everyday, webhookEngine, type EngineScope } from './engines.ts';
import { loaded } from './equality.ts';
import { podLife } from './pod-lives.ts';
import { expressibleTexts, rewrittenImages } from './policy-texts.ts';
import { probed } from './probed-policy.ts';

const lives = Number(process.env['TRANSSHIP_RANDOM_LIVES'] ?? '80');
const livesOfPolicy = 20;
tap.setTimeout(180_000 + lives * 1_000);

const optOut: EngineScope = {
  optIn: 'OptOut',
  otherValues: ['blue'],
  excludedNamespaces: ['vault', 'shop'],
  matchConditions: [{ name: 'not-of-other', expression: 'object.metadata.?labels[?"app"].orValue("") != "other"' }],
};

/** Where another policy adds a container before or after the compiled one. */
const form = (pod: ComparedPod, namespace: string): unknown => (namespace === 'with-sidecar' ? unordered(pod) : pod);

const minors = ['1.36', '1.37'];

const folder = new URL('../../examples/', import.meta.url);

/** Each on one of the minors, since the tests of examples alone have them on both. */
const examples = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .flatMap((name) => {
    const policy = probed(readFileSync(new URL(name, folder), 'utf8'));
    if (policy === null) return [];
    const images = loaded(policy).policy.tests.map(({ image }) => image);
    const containers = images.map((image, index) => ({ name: `c-${index}`, image }));
    return [{ name, policy, pod: { metadata: {}, spec: { containers, automountServiceAccountToken: false } } }];
  });

for (const minor of minors)
  test(`random requests on Kubernetes ${minor}`, { skip: skipReason({ level: 1, minor }) }, async (t) => {
    t.comment(`TRANSSHIP_RANDOM_SEED=${seed}`);
    const engines = await Promise.all([webhookEngine(t, { minor }), compiledEngine(t, { minor })]);
    const texts = expressibleTexts.map((text) => probed(text)).filter((text) => text !== null);
    const policies = fc.sample(texts, { seed, numRuns: Math.ceil(lives / livesOfPolicy) });
    const comparison = new EngineComparison(engines, form);
    for (const [index, policy] of policies.entries()) {
      // It changes once, since that takes an upgrade of the release.
      const scope = index < policies.length / 2 ? everyday : optOut;
      await Promise.all(engines.map((engine) => engine.enforce(policy, scope)));
      const images = rewrittenImages(loaded(policy));
      for (const life of fc.sample(podLife(images), { seed: seed + index, numRuns: livesOfPolicy })) {
        const difference = await comparison.live(life);
        if (difference !== null) t.fail('another pod', { policy, optIn: scope.optIn, ...difference });
      }
    }
    for (const { name, policy, pod } of examples.filter((_, index) => index % minors.length === minors.indexOf(minor))) {
      await Promise.all(engines.map((engine) => engine.enforce(policy, optOut)));
      t.equal(
        await comparison.live({ namespace: 'unlabelled', pod, isDryRun: true, steps: [] }),
        null,
        `${name} with the images of its tests`,
      );
    }
    const { create, ...changes } = Object.fromEntries(comparison.counts);
    t.comment(JSON.stringify({ create, ...changes }));
    t.ok((create?.rewritten ?? 0) > lives / 10, 'new pods are rewritten');
    t.ok(Object.values(changes).reduce((sum, { rewritten }) => sum + rewritten, 0) > lives / 20, 'changed pods are rewritten');
  });
