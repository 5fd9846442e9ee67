import { test } from 'tap';

import { CertificatePace } from '../../../src/controller/certificates/certificate-pace.ts';
import type { WritingStep } from '../../../src/controller/certificates/certificate-writer.ts';

const publish = (bundle: string): WritingStep => ({ do: 'publish', bundle });
const retire: WritingStep = { do: 'retire', previous: [] };

test('a step that is undone again and again comes later each time', async (t) => {
  let now = 0;
  const pace = new CertificatePace(() => now);
  const spacings: number[] = [];
  for (let times = 0; times < 9; times++) {
    pace.taken(publish('one'));
    const pause = pace.pause(publish('one'));
    spacings.push(pause);
    t.equal(pace.pause(publish('two')), 0, 'another bundle is another step');
    t.equal(pace.pause(retire), 0, 'and so is another step');
    now += pause;
    t.equal(pace.pause(publish('one')), 0, 'in the end it comes');
  }
  for (const [index, least] of [1, 2, 4, 8, 16, 32, 60, 60, 60].entries()) {
    const pause = spacings[index] ?? 0;
    t.ok(pause >= least * 1000 && pause <= least * 1500, `${pause} ms, at least ${least} s`);
  }
});

test('one that is asked for much later begins anew', async (t) => {
  let now = 0;
  const pace = new CertificatePace(() => now);
  for (let days = 0; days < 5; days++) {
    t.equal(pace.pause(retire), 0);
    pace.taken(retire);
    t.ok(pace.pause(retire) <= 1500);
    now += 86_400_000;
  }
});
