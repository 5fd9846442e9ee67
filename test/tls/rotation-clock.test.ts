/** Clocks that are set while certificates rotate: the controller's alone, as of a node without NTP, or those of the whole cluster. */
import * as fc from '../random/fast-check.ts';
import { test } from 'tap';

import type { RotationStep } from '../../src/tls/rotation.ts';
import { Model, times } from './rotation-model.ts';

const second = 1_000;

/** Every life and delay there is lies between two of them. */
const distances = [2, 10, 30, 70, 160, 320, 5_000].map((seconds) => seconds * second);
const ahead = fc.constantFrom(...distances, ...distances.map((distance) => -distance));

/** A clock that is wrong for a while and then right for long enough to make good for it. */
const fault = fc.record({
  ahead,
  /** It is set after so many seconds, or in the middle of a write: after so many of them have been planned. */
  after: fc.oneof(fc.record({ seconds: fc.integer({ min: 20, max: 70 }) }), fc.record({ writes: fc.integer({ min: 1, max: 7 }) })),
  seconds: fc.integer({ min: 1, max: 10 }),
  /** The controller begins anew with the wrong clock. */
  restarts: fc.boolean(),
});
const faults = fc.array(fault, { minLength: 1, maxLength: 6 });
type Fault = typeof fault extends fc.Arbitrary<infer T> ? T : never;

class Story {
  readonly model = new Model();
  readonly #check: (model: Model) => void;
  #controller = this.model.begin();

  /** @param check called after everything that happens */
  constructor(check: (model: Model) => void) {
    this.#check = check;
    this.#moment();
    this.model.forget();
  }

  run({ ahead: distance, after, seconds, restarts }: Fault, whose: readonly ('controller' | 'verifiers')[]): void {
    const set = (value: number): void => {
      for (const who of whose) this.model.ahead[who] = value;
      if (restarts) this.#controller = this.model.begin();
    };
    if ('seconds' in after) this.pass(after.seconds);
    else this.#writes(after.writes, () => set(distance));
    set(distance);
    this.pass(seconds);
    set(0);
    this.pass(20);
  }

  pass(seconds: number): void {
    for (let passed = 0; passed < seconds; passed++) {
      this.#moment();
      this.model.now += second;
      this.#check(this.model);
    }
  }

  /** Ends with the given write, before which, and after its planning, something happens. */
  #writes(count: number, before: () => void): void {
    for (let passed = 0, written = 0; passed < 200; passed++, this.model.now += second) {
      for (let step = this.#controller.step(); step.do !== 'wait'; step = this.#controller.step()) {
        if (++written === count) before();
        this.#apply(step);
        if (written === count) return;
      }
    }
  }

  #moment(): void {
    for (let writes = 0; writes < 20; writes++) {
      const step = this.#controller.step();
      if (step.do === 'wait') return;
      this.#apply(step);
    }
    throw new Error(`still not at rest: ${this.model.steps.slice(-20).join(' ')}`);
  }

  #apply(step: RotationStep): void {
    this.model.apply(step);
    this.#check(this.model);
  }
}

function none(failures: readonly string[]): void {
  if (failures.length > 0) throw new Error(failures.join(', '));
}

/** A renewal is one write in 40 s, a rotation of the CA six in 100 s. */
function boundedWrites({ steps, now }: Model, began: number, changes: number): void {
  const most = 12 * (changes + 1) + (now - began) / second / 10;
  if (steps.length > most) throw new Error(`${steps.length} writes, ${most} are enough: ${steps.join(' ')}`);
}

test("the controller's clock is set: all that is served is valid and trusted at every moment", async (t) => {
  const taken = new Set<string>();
  fc.assert(
    fc.property(faults, (all) => {
      const story = new Story((model) => none(model.failures()));
      const began = story.model.now;
      for (const one of all) story.run(one, ['controller']);
      boundedWrites(story.model, began, all.length * 2);
      for (const step of story.model.steps) taken.add(step);
    }),
    { numRuns: 1_000 },
  );
  t.same([...taken].toSorted(), ['create-ca', 'issue', 'publish', 'retire', 'store']);
});

test('every clock is set: what is served is trusted all the time, and soon valid again', async (t) => {
  let broken = 0;
  fc.assert(
    fc.property(faults, (all) => {
      let invalidSince: number | null = null;
      const story = new Story((model) => {
        none(model.distrusted());
        const invalid = model.invalid();
        if (invalid.length === 0) invalidSince = null;
        else invalidSince ??= model.now;
        const limit = times.bundleDelay + times.reloadDelay + 2 * second;
        if (invalidSince !== null && model.now - invalidSince > limit)
          throw new Error(`for ${(model.now - invalidSince) / second} s: ${invalid.join(', ')}`);
        if (invalidSince === model.now) broken += 1;
      });
      const began = story.model.now;
      for (const one of all) story.run(one, ['controller', 'verifiers']);
      boundedWrites(story.model, began, all.length * 2);
    }),
    { numRuns: 1_000 },
  );
  t.ok(broken > 100, 'clocks were set beyond what certificates can last');
});

test('a clock that goes to and fro does not make a loop of writes', async (t) => {
  for (const distance of [...distances, ...distances.map((one) => -one)]) {
    const story = new Story(() => {});
    for (let round = 0; round < 30; round++) {
      story.model.ahead.controller = round % 2 === 0 ? distance : 0;
      story.pass(1);
    }
    const { length } = story.model.steps;
    t.ok(length <= 12, `${distance / second} s: ${length} writes in 30 rounds`);
  }
});
