import assert from 'node:assert/strict';
import * as fc from '../random/fast-check.ts';
import { test } from 'tap';
import type { ImageDecision, PodContext } from '../../src/rules/decision.ts';
import { decideImage } from '../../src/rules/decide.ts';
import type { Rule } from '../../src/rules/rule.ts';
import { transforms } from '../../src/policy/transform/transforms.ts';
import { parseReference, referenceOf } from '../../src/image/reference.ts';
import { holds } from '../image/property.ts';
import { context, image, policy } from './arbitrary-policy.ts';
import { becomes, compiled, type PolicyInput } from './policy.ts';

/** Every decision of every image of a random policy that compiles. */
function decisions(
  check: (decision: ImageDecision, again: (image: string) => ImageDecision, rules: readonly Rule[]) => void,
): fc.IProperty<[PolicyInput, PodContext, string[]]> {
  return fc.property(policy, context, fc.array(image, { minLength: 5, maxLength: 15 }), (input, pod, images) => {
    const { table, rules, problems } = compiled(input);
    fc.pre(problems.length === 0);
    for (const written of images) check(decideImage(table, written, pod), (next) => decideImage(table, next, pod), rules);
  });
}

holds(
  'a second pass changes no image',
  decisions((first, again) => {
    const second = again(becomes(first));
    assert.equal(becomes(second), becomes(first), `${first.reason} / ${second.reason}`);
  }),
  { numRuns: 1500 },
);

holds(
  'a second pass adds no pull secret',
  decisions((first, again) => {
    const second = again(becomes(first));
    assert.deepEqual(
      second.pullSecrets.filter((name) => !first.pullSecrets.includes(name)),
      [],
      `${first.reason} / ${second.reason}`,
    );
  }),
  { numRuns: 1500 },
);

holds(
  'an image under an alternative is left there and brings no pull secret that the pod did not get; only the original is rewritten again',
  decisions((first, again) => {
    for (const { target, image: moved, pullSecrets } of first.alternatives) {
      if (moved === null) continue;
      assert.deepEqual(
        pullSecrets.filter((name) => !first.pullSecrets.includes(name)),
        [],
      );
      if (target === 'original') {
        assert.equal(moved, first.image);
        continue;
      }
      const second = again(moved);
      assert.equal(becomes(second), moved, second.reason);
      assert.deepEqual(
        second.pullSecrets.filter((name) => !first.pullSecrets.includes(name)),
        [],
        second.reason,
      );
    }
  }),
  { numRuns: 1500 },
);

holds(
  'alternatives are whole: only for rewritten images, each image once, an image or a problem',
  decisions(({ outcome, result, alternatives }) => {
    if (outcome !== 'rewritten') assert.equal(alternatives.length, 0);
    const images = [result, ...alternatives.map(({ image: moved }) => moved)].filter((moved) => moved !== null);
    assert.equal(new Set(images).size, images.length);
    for (const { image: moved, problem } of alternatives) assert.equal(moved === null, problem !== null);
  }),
  { numRuns: 500 },
);

holds(
  'a policy without its alternatives, and with the same targets, gives images the same names',
  fc.property(policy, context, fc.array(image, { minLength: 5, maxLength: 15 }), (input, pod, images) => {
    // A rule that no image matches holds the targets, so that the same images are already there.
    const rules = (input.rules ?? []).map(({ alternatives = [], ...rule }) => ({ rule, alternatives }));
    const holders = rules.flatMap(({ alternatives }) =>
      alternatives.flatMap((rewrite) =>
        rewrite.as === 'original' ? [] : [{ match: { images: [{ regex: '^never\\.example/()()()$' }] }, rewrite }],
      ),
    );
    const [withThem, without] = [compiled(input), compiled({ ...input, rules: [...rules.map(({ rule }) => rule), ...holders] })];
    fc.pre(withThem.problems.length === 0 && without.problems.length === 0);
    for (const written of images) {
      const [one, other] = [decideImage(withThem.table, written, pod), decideImage(without.table, written, pod)];
      assert.deepEqual([one.outcome, one.result, one.code], [other.outcome, other.result, other.code]);
    }
  }),
  { numRuns: 500 },
);

holds(
  'a digest is never altered, dropped or made up; an image rule that names a whole image is the one that may drop it',
  decisions((decision, _again, rules) => {
    const rule = rules.find(({ policy: { name } }) => name === decision.rule);
    if (rule?.policy.rewrite?.as === 'image' && /:\d+$/.test(rule.policy.rewrite.image)) return;
    const result = parseReference(becomes(decision));
    assert.ok(result.ok);
    assert.equal(result.reference.digest, referenceOf(decision.image)?.digest);
  }),
  { numRuns: 500 },
);

holds(
  'a written tag survives: as it is, inside the tag of a single repository, or as the template of the policy has it',
  decisions((decision, _again, rules) => {
    const as = rules.find(({ policy: { name } }) => name === decision.rule)?.policy.rewrite?.as;
    const written = referenceOf(decision.image)?.tag ?? null;
    if (decision.outcome !== 'rewritten' || as === 'image') return;
    const result = parseReference(becomes(decision));
    assert.ok(result.ok);
    if (as === 'singleRepository') assert.ok(written === null || result.reference.tag?.endsWith(`-${written}`));
    else if (as === 'template') assert.ok(written === null || result.reference.tag !== null);
    else assert.equal(result.reference.tag, written);
  }),
  { numRuns: 500 },
);

holds(
  'every decision is whole: a result exactly when rewritten, a reason always, secrets without repetition',
  decisions((decision) => {
    assert.equal(decision.result === null, decision.outcome !== 'rewritten');
    assert.notEqual(decision.reason, '');
    assert.equal(new Set(decision.pullSecrets).size, decision.pullSecrets.length);
    assert.notEqual(decision.result, decision.image);
    if (decision.outcome === 'rewritten' || decision.outcome === 'refused') assert.ok(decision.rule);
  }),
  { numRuns: 500 },
);

test('the random policies reach every outcome and every transform', (t) => {
  const seen = new Map<string, number>();
  const count = (key: string): void => void seen.set(key, (seen.get(key) ?? 0) + 1);
  fc.assert(
    decisions((decision, _again, rules) => {
      count(decision.outcome);
      const rewrite = rules.find(({ policy: { name } }) => name === decision.rule)?.policy.rewrite;
      if (decision.outcome === 'rewritten') count(rewrite?.as ?? 'none');
      if (decision.reason.includes('again')) count('does not converge');
      for (const { image: moved, target } of decision.alternatives) {
        count(moved === null ? 'alternative without image' : 'alternative');
        if (target === 'original') count('original');
      }
    }),
    { numRuns: 1000, seed: 1 },
  );
  for (const key of [
    'rewritten',
    'already-there',
    'no-rule',
    'excluded',
    'refused',
    'does not converge',
    'alternative',
    'alternative without image',
    'original',
    // A new transform belongs into arbitrary-policy.ts as well.
    ...transforms.map((transform) => transform.as),
  ]) {
    t.ok((seen.get(key) ?? 0) > 10, `${key}: ${seen.get(key) ?? 0}`);
  }
  t.end();
});
