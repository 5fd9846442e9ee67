import * as fc from '../random/fast-check.ts';
import { test } from 'tap';

import {
  bundleOf,
  nextStep,
  timesProblem,
  type Period,
  type RotationState,
  type RotationStep,
  type TrustedCertificate,
} from '../../src/tls/rotation.ts';
import { Model, times } from './rotation-model.ts';

const now = 1_000_000;
const notBefore = now - times.caLifetime;
const ca = (id: string, left = times.caLifetime): TrustedCertificate => ({
  id,
  pem: `<${id}>`,
  notBefore,
  notAfter: now + left,
});
const [one, two, other] = [ca('one'), ca('two'), ca('other')];
const pairOf = (signer: string | null, left = times.certificateLifetime) => ({ signer, notBefore, notAfter: now + left, fits: true });

/** Nothing to do. */
const settled: RotationState = {
  ca: one,
  previous: [],
  adoptable: [],
  serving: pairOf('one'),
  madeFor: { ca: times.caLifetime, serving: times.certificateLifetime },
  stored: '<one>',
  published: ['<one>', '<one>'],
  trustedFor: 0,
  servedFor: 0,
};
/** The new CA is there, and nobody knows of it yet. */
const rotating: RotationState = { ...settled, ca: two, previous: [one] };
const both = bundleOf([two, one]);
const told = { ...rotating, published: [both, both], stored: both };
const issued = { ...told, serving: pairOf('two'), trustedFor: times.bundleDelay };

const life = times.certificateLifetime;
const lasting = (left: number, from = notBefore): Period => ({ notBefore: from, notAfter: now + left });
const [leaf, whole] = [lasting(life), lasting(times.caLifetime)];
const past = ca('past', 0);
const early = { ...one, notBefore: now + 1 };
const rows: readonly (readonly [says: string, state: RotationState, step: RotationStep])[] = [
  ['a new cluster', { ...settled, ca: null, serving: null, stored: '', published: [''] }, { do: 'create-ca', period: whole, previous: [] }],
  [
    'the first pair comes before the bundle: pods wait for it',
    { ...settled, serving: null, stored: '', published: [''] },
    { do: 'issue', period: leaf, bundle: '<one>' },
  ],
  ['the bundle is not there', { ...settled, published: [''] }, { do: 'publish', bundle: '<one>' }],
  ['one entry lost it', { ...settled, published: ['<one>', ''] }, { do: 'publish', bundle: '<one>' }],
  ['all is well until the pair is due', settled, { do: 'wait', milliseconds: (life * 2) / 3 }],
  ['the pair is due at two thirds', { ...settled, serving: pairOf('one', life / 3) }, { do: 'issue', period: leaf, bundle: '<one>' }],
  ['and not before', { ...settled, serving: pairOf('one', life / 3 + 1) }, { do: 'wait', milliseconds: 1 }],
  ['a pair for another name', { ...settled, serving: { ...pairOf('one'), fits: false } }, { do: 'issue', period: leaf, bundle: '<one>' }],
  [
    'the CA is due',
    { ...settled, ca: { ...one, notAfter: now + times.caLifetime / 3 } },
    { do: 'create-ca', period: whole, previous: [{ ...one, notAfter: now + times.caLifetime / 3 }] },
  ],
  [
    'a pair that is due goes first',
    { ...settled, serving: pairOf('one', 1), ca: ca('one', 50_000) },
    { do: 'issue', period: lasting(50_000), bundle: '<one>' },
  ],
  [
    'a pair that cannot last longer is left',
    { ...settled, serving: pairOf('one', 10_000), ca: ca('one', 10_000) },
    { do: 'create-ca', period: whole, previous: [ca('one', 10_000)] },
  ],
  ['both CAs are published', rotating, { do: 'publish', bundle: both }],
  ['and stored', { ...rotating, published: [both, both] }, { do: 'store', bundle: both }],
  ['nothing is signed before all API servers know', { ...told, trustedFor: 1_000 }, { do: 'wait', milliseconds: 2_000 }],
  ['then it is', { ...told, trustedFor: times.bundleDelay }, { do: 'issue', period: leaf, bundle: both }],
  [
    'a lost pair is made at once: without one no pod can start',
    { ...told, serving: null, stored: '' },
    { do: 'issue', period: leaf, bundle: both },
  ],
  ['but not before its CA is published', { ...rotating, serving: null, stored: '' }, { do: 'publish', bundle: both }],
  ['a pair that nobody trusts counts as lost', { ...told, serving: pairOf(null) }, { do: 'issue', period: leaf, bundle: both }],
  ['the old CA stays while pods may serve the old pair', { ...issued, servedFor: 4_000 }, { do: 'wait', milliseconds: 1_000 }],
  ['then it goes', { ...issued, servedFor: times.reloadDelay }, { do: 'retire', previous: [] }],
  ['and from the bundle', { ...issued, previous: [] }, { do: 'publish', bundle: '<two>' }],
  ['an expired CA', { ...settled, ca: ca('one', 0) }, { do: 'create-ca', period: whole, previous: [ca('one', 0)] }],
  [
    'a lost CA stays trusted',
    { ...settled, ca: null, adoptable: [one, ca('old', 0), one] },
    { do: 'create-ca', period: whole, previous: [one, ca('old', 0)] },
  ],
  ['a pair of somebody else', { ...settled, serving: pairOf('other'), adoptable: [other] }, { do: 'adopt', previous: [other] }],
  [
    'whose CA is known by now',
    { ...settled, serving: pairOf('other'), adoptable: [other], previous: [other], published: ['<other>'] },
    { do: 'publish', bundle: '<one><other>' },
  ],
  ['a pair of nobody', { ...settled, serving: pairOf(null), adoptable: [other] }, { do: 'issue', period: leaf, bundle: '<one>' }],
  ['an expired pair of somebody else', { ...settled, serving: pairOf('other', 0), adoptable: [other] }, { do: 'adopt', previous: [other] }],
];

const [longer, shorter] = [times.certificateLifetime + 1_000, times.certificateLifetime - 1_000];
const lifetimeRows: typeof rows = [
  [
    'a pair that was made for longer than is configured now is replaced by a shorter one',
    { ...settled, madeFor: { ...settled.madeFor, serving: longer }, serving: pairOf('one', longer) },
    { do: 'issue', period: leaf, bundle: '<one>' },
  ],
  [
    'one that was made for a shorter time is left until it is due',
    { ...settled, madeFor: { ...settled.madeFor, serving: shorter } },
    { do: 'wait', milliseconds: (life * 2) / 3 },
  ],
  [
    'and so is one of which it is not known',
    { ...settled, madeFor: { ca: null, serving: null } },
    { do: 'wait', milliseconds: (life * 2) / 3 },
  ],
  [
    'a CA that was made for longer is replaced by a shorter one, and trusted meanwhile',
    { ...settled, madeFor: { ...settled.madeFor, ca: 10 * times.caLifetime }, ca: ca('one', 9 * times.caLifetime) },
    { do: 'create-ca', period: whole, previous: [ca('one', 9 * times.caLifetime)] },
  ],
];

const clockRows: typeof rows = [
  ['an expired pair is replaced', { ...settled, serving: pairOf('one', -1) }, { do: 'issue', period: leaf, bundle: '<one>' }],
  [
    'a pair from the future is replaced by one that ends with it',
    { ...settled, serving: { ...pairOf('one', life + 9), notBefore: now + 1 } },
    { do: 'issue', period: lasting(life + 9), bundle: '<one>' },
  ],
  [
    'a pair that lasts longer than it should is left',
    { ...settled, serving: pairOf('one', life + 9) },
    { do: 'wait', milliseconds: (life * 2) / 3 + 9 },
  ],
  [
    'a pair begins with its CA',
    { ...settled, ca: { ...one, notBefore: 5 }, serving: null },
    { do: 'issue', period: lasting(life, 5), bundle: '<one>' },
  ],
  [
    'a CA from the future is replaced by one that ends with it',
    { ...settled, ca: { ...early, notAfter: now + 999_999 } },
    { do: 'create-ca', period: lasting(999_999), previous: [{ ...early, notAfter: now + 999_999 }] },
  ],
  [
    'an expired one by one that begins with it',
    { ...settled, ca: { ...one, notBefore: 5, notAfter: now }, previous: [two], adoptable: [two, other] },
    { do: 'create-ca', period: lasting(times.caLifetime, 5), previous: [{ ...one, notBefore: 5, notAfter: now }, two, other] },
  ],
  [
    'an expired one stays trusted until nobody serves what it signed',
    { ...issued, previous: [past], servedFor: 4_000, published: [bundleOf([two, past])], stored: bundleOf([two, past]) },
    { do: 'wait', milliseconds: 1_000 },
  ],
];

test('the next step', async (t) => {
  for (const [says, state, step] of [...rows, ...lifetimeRows, ...clockRows]) t.same(nextStep(state, times, now), step, says);
  t.match(nextStep({ ...settled, ca: null }, times, 1_000), { period: { notBefore: 0 } }, 'none begins before 1970');
});

test('times that leave no room', async (t) => {
  t.equal(timesProblem(times), null);
  t.match(timesProblem({ ...times, certificateLifetime: 24_000 }), /a third of certificate-lifetime must be longer than .* 8 s/);
  t.match(timesProblem({ ...times, caLifetime: 59_000 }), /ca-lifetime must not be shorter/);
});

/** All steps until there is nothing to do at this moment. */
function settle(model: Model, controller: ReturnType<Model['begin']>): void {
  for (let steps = 0; steps < 20; steps++) {
    const step = controller.step();
    if (step.do === 'wait') return;
    model.apply(step);
  }
  throw new Error(`still not at rest: ${model.steps.slice(-20).join(' ')}`);
}

function install(): Model {
  const model = new Model();
  settle(model, model.begin());
  model.forget();
  return model;
}

/** A controller that dies in its last second, before or after the write that it was about to make, and is away for a while. */
const death = fc.constantFrom('before', 'after');
const shortLife = fc.record({ seconds: fc.integer({ min: 1, max: 6 }), death, away: fc.integer({ min: 0, max: 3 }) });
const longLife = fc.record({ seconds: fc.integer({ min: 12, max: 60 }), death, away: fc.integer({ min: 0, max: 3 }) });
const lives = fc.array(fc.tuple(shortLife, longLife), { minLength: 1, maxLength: 12 }).map((pairs) => pairs.flat());

test('interrupted at any step, the served certificate is always trusted', async (t) => {
  let rotations = 0;
  fc.assert(
    fc.property(lives, (all) => {
      const model = install();
      const trust = () => model.failures().join(', ') === '' || model.failures().join(', ');
      for (const { seconds, death: when, away } of all) {
        const controller = model.begin();
        for (let second = 1; second <= seconds; second++) {
          for (let step = controller.step(); step.do !== 'wait'; step = controller.step()) {
            if (second === seconds && when === 'before') break;
            model.apply(step);
            if (trust() !== true) throw new Error(String(trust()));
            if (second === seconds) break;
          }
          model.now += 1_000;
          if (trust() !== true) throw new Error(String(trust()));
        }
        model.now += away * 1_000;
        if (trust() !== true) throw new Error(String(trust()));
      }
      rotations += model.steps.filter((step) => step === 'retire').length;
    }),
    { numRuns: 500 },
  );
  t.ok(rotations > 100, `${rotations} CAs were replaced on the way`);
});

test('without one of the delays a served certificate is not trusted', async (t) => {
  for (const hurry of ['bundleDelay', 'reloadDelay'] as const) {
    const model = install();
    const controller = model.begin({ ...times, [hurry]: 0 });
    const failures = new Set<string>();
    for (let second = 0; second < 200; second++, model.now += 1_000) {
      for (let step = controller.step(); step.do !== 'wait'; step = controller.step()) {
        model.apply(step);
        for (const failure of model.failures()) failures.add(failure);
      }
    }
    t.not(failures.size, 0, hurry);
  }
});

test('shorter lifetimes take effect within one rotation, and what is served is trusted all the time', async (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 30, max: 59 }),
      fc.integer({ min: 60, max: 149 }),
      fc.integer({ min: 0, max: 30 }),
      (leafLife, caLife, age) => {
        const model = install();
        model.now += age * 1_000;
        const reduced = { ...times, certificateLifetime: leafLife * 1_000, caLifetime: caLife * 1_000 };
        const controller = model.begin(reduced);
        const begin = model.now;
        for (let second = 0; second < 20; second++, model.now += 1_000) {
          for (let step = controller.step(); step.do !== 'wait'; step = controller.step()) {
            model.apply(step);
            if (model.failures().length > 0) throw new Error(model.failures().join(', '));
            if (model.steps.length > 60) throw new Error(`no end: ${model.steps.slice(-12).join(' ')}`);
          }
        }
        const ends = [model.pair?.notAfter ?? 0, model.ca?.notAfter ?? 0].map((end) => end - begin);
        if ((ends[0] ?? 0) > (leafLife + 20) * 1_000 || (ends[1] ?? 0) > (caLife + 20) * 1_000)
          throw new Error(`they last ${ends.join(' and ')}`);
        if (model.previous.length > 0) throw new Error('the CA before is trusted still');
      },
    ),
    { numRuns: 300 },
  );
  t.pass('300 times');
});

/** What people and other programs do to the objects. */
const harms: readonly ((model: Model) => void)[] = [
  (model) => (model.ca = null),
  (model) => (model.previous = []),
  (model) => (model.pair = null),
  (model) => (model.stored = ''),
  (model) => model.publish(''),
  (model) => model.publish(model.createCa().pem),
  (model) => model.serve({ signer: model.createCa().id, notBefore: model.now, notAfter: model.now + 60_000 }),
  (model) => (model.now += times.certificateLifetime),
  (model) => (model.now += times.caLifetime),
];

test('whatever is taken away or changed, it comes to rest with a trusted pair', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...harms), { minLength: 1, maxLength: 6 }), fc.integer({ min: 0, max: 200 }), (some, seconds) => {
      const model = install();
      let controller = model.begin();
      const run = (duration: number): void => {
        for (let second = 0; second < duration; second++, model.now += 1_000) settle(model, controller);
      };
      run(seconds);
      for (const harm of some) harm(model);
      controller = model.begin();
      run(30);
      model.forget();
      if (model.failures().length > 0) throw new Error(model.failures().join(', '));
    }),
    { numRuns: 500 },
  );
  t.pass('500 times');
});

test('a lost pair is there again at once, whatever else is lost, and a restart makes no difference', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...harms), { maxLength: 4 }), fc.boolean(), (some, restarts) => {
      const model = install();
      let controller = model.begin();
      for (const harm of some) {
        harm(model);
        settle(model, controller);
      }
      model.pair = null;
      if (restarts) controller = model.begin();
      // No time passes.
      settle(model, controller);
      if (model.pair === null) throw new Error(`no pair after ${model.steps.slice(-8).join(' ')}`);
    }),
    { numRuns: 500 },
  );
  t.pass('500 times');
});
