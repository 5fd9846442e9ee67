/** Steps that the record of a pod lacks, or that were taken before. */
import { test } from 'tap';

import { nextTarget } from '../../../src/controller/fallback/next-target.ts';
import { OwnSteps } from '../../../src/controller/fallback/own-steps.ts';
import type { SeenPod } from '../../../src/controller/fallback/seen-pod.ts';
import { nextStep, type FallbackStep } from '../../../src/pod/fallback-record.ts';
import { decideImage } from '../../../src/rules/decide.ts';
import { compiled } from '../../rules/policy.ts';

const at = '2026-06-01T12:00:00.000Z';
const failing = (image: string, steps: readonly (readonly [string, FallbackStep])[] = []): SeenPod =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what steps are read of
  ({ metadata: { uid: 'u' }, failing: [{ name: 'app', image }], steps: new Map(steps) }) as unknown as SeenPod;

test('a pod whose record is always removed goes once round its list', (t) => {
  const policy = compiled({
    registries: { mirror: { host: 'mirror.example' }, backup: { host: 'backup.example' } },
    rules: [
      {
        name: 'hub',
        match: { images: ['docker.io'] },
        rewrite: { registry: 'mirror', as: 'path' },
        alternatives: [{ registry: 'backup', as: 'path' }, { as: 'original' }],
      },
    ],
  });
  const decision = decideImage(policy.table, 'nginx:1', { namespace: '', podLabels: {} });
  const own = new OwnSteps();
  let image = decision.result ?? '';
  const went = [image];
  for (let round = 0; round < 10; round++) {
    const pod = own.complete(failing(image));
    const last = pod.steps.get('app');
    const next = nextTarget({ image, last }, decision, policy);
    if (next === null || next === 'exhausted') break;
    const step = nextStep(last, { step: next.step, from: image, to: next.image, at });
    t.equal(own.took(pod, new Map([['app', step]]), ['app']), 0);
    image = next.image;
    went.push(image);
  }
  t.strictSame(went, ['mirror.example/library/nginx:1', 'backup.example/library/nginx:1', 'nginx:1']);
  t.end();
});

test('a step to the target that new pods begin with had no target in the metric and the log', (t) => {
  const policy = compiled(
    {
      registries: { mirror: { host: 'mirror.example' }, backup: { host: 'backup.example' } },
      rules: [
        {
          name: 'hub',
          match: { images: ['docker.io'] },
          rewrite: { registry: 'mirror', as: 'path' },
          alternatives: [{ registry: 'backup', as: 'path' }, { registry: 'mirror', as: 'path', prefix: 'old' }, { as: 'original' }],
        },
      ],
    },
    { mirror: { unavailable: true } },
  );
  const decision = decideImage(policy.table, 'nginx:1', { namespace: '', podLabels: {} });
  t.match(nextTarget({ image: 'mirror.example/library/nginx:1', last: undefined }, decision, policy), {
    target: 'backup',
    image: 'backup.example/library/nginx:1',
    step: 1,
  });
  t.end();
});

test('what is on the pod counts, and a step that is taken again is counted', (t) => {
  const own = new OwnSteps();
  const step: FallbackStep = { step: 1, from: 'a', to: 'b', at };
  const pod = failing('b', [['app', { ...step, at: '2020-01-01T00:00:00Z' }]]);
  t.equal(own.complete(pod), pod, 'of a pod that it has not seen');
  t.equal(own.took(failing('a'), new Map([['app', step]]), ['app']), 0);
  t.equal(own.complete(pod).steps.get('app')?.at, '2020-01-01T00:00:00Z');
  t.equal(own.complete(failing('b')).steps.get('app')?.at, at);
  t.equal(own.complete(failing('a')).steps.get('app'), undefined, 'an image that another one brought back');
  t.equal(own.took(failing('a'), new Map([['app', step]]), ['app']), 1);
  t.equal(own.took(failing('a'), new Map([['app', step]]), ['app', 'other']), 2);
  t.equal(own.took(failing('b'), new Map([['app', nextStep(step, { step: 2, from: 'b', to: 'c', at })]]), ['app']), 2);
  const whole: SeenPod = { ...failing('b'), failing: [] };
  t.equal(own.complete(whole), whole);
  t.end();
});
