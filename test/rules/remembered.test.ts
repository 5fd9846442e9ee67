import assert from 'node:assert/strict';
import * as fc from '../random/fast-check.ts';
import { test } from 'tap';
import { decideImage } from '../../src/rules/decide.ts';
import { recallDecision } from '../../src/rules/remembered.ts';
import { holds } from '../image/property.ts';
import { context, image, policy } from './arbitrary-policy.ts';
import { anyPod, compiled, type PolicyInput } from './policy.ts';

const hub: PolicyInput = {
  registries: { local: { host: 'localhost:5000' } },
  rules: [{ name: 'hub', match: { images: ['docker.io'] }, rewrite: { registry: 'local', as: 'path' } }],
};

test('the second time it is the same decision, not a new one', (t) => {
  const { table } = compiled(hub);
  for (const written of ['nginx', 'quay.io/acme/app:1', 'not an image']) {
    const first = recallDecision(table, written, anyPod);
    t.same(first, decideImage(table, written, anyPod));
    t.equal(recallDecision(table, written, { namespace: 'other', podLabels: { app: 'shop' } }), first);
  }
  t.end();
});

test('a new policy decides anew', (t) => {
  const other = { ...hub, registries: { local: { host: 'localhost:6000' } } };
  t.equal(recallDecision(compiled(hub).table, 'nginx', anyPod).result, 'localhost:5000/library/nginx');
  t.equal(recallDecision(compiled(other).table, 'nginx', anyPod).result, 'localhost:6000/library/nginx');
  t.end();
});

test('an evicted decision is made again', (t) => {
  const { table } = compiled(hub);
  const first = recallDecision(table, 'nginx', anyPod);
  for (let index = 0; index < 1_500; index += 1) recallDecision(table, `nginx:${index}`, anyPod);
  const second = recallDecision(table, 'nginx', anyPod);
  t.not(second, first, 'so the memory has an end');
  t.same(second, first);
  t.end();
});

holds(
  'whatever the policy and the pods, it is what deciding gives',
  fc.property(
    policy,
    fc.array(context, { minLength: 2, maxLength: 4 }),
    fc.array(image, { minLength: 3, maxLength: 8 }),
    (input, pods, images) => {
      const { table, problems } = compiled(input);
      fc.pre(problems.length === 0);
      for (const pod of [...pods, ...pods])
        for (const written of images) assert.deepEqual(recallDecision(table, written, pod), decideImage(table, written, pod));
    },
  ),
  { numRuns: 300 },
);
