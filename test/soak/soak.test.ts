/** The soak itself: a short one passes, and what must make it fail does. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'tap';
import type { ComparedSample } from '../../bench/soak/backend.ts';
import { growth, verdict, type Soaked } from '../../bench/soak/bounds.ts';
import { brokenPolicyText, policyText, revisionsOf } from '../../bench/soak/policy.ts';
import { loadPolicy } from '../../src/config/load.ts';

const program = join(import.meta.dirname, '../../bench/soak.ts');
const megabyte = 1024 * 1024;

test('a few seconds', async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, [program, '--seconds', '6', '--workers', '2', '--pause', '20'], {
    timeout: 240_000,
  });
  t.match(stdout, /\npassed\n$/);
  for (const measure of ['requests answered', 'policies loaded', 'certificates rotated', 'processes replaced'])
    t.match(stdout, new RegExp(`${measure} +[1-9]`), measure);
});

test('numbers that are none', async (t) => {
  await t.rejects(promisify(execFile)(process.execPath, [program, '--minutes', 'x']), {
    code: 2,
    stderr: /every flag takes a number above 0/,
  });
});

const sample: ComparedSample = { memory: 100 * megabyte, handles: 30, lag: 0.02, ownLag: 0.01 };
const steady = Array.from({ length: 40 }, () => sample);
const passed: Soaked = {
  counts: { answered: 100, patched: 50, refused: 10, postponed: 1, failures: [] },
  samples: steady,
  exitCodes: [0, 0],
  errors: [],
  undecided: 0,
  policies: 3,
  refusedPolicies: 1,
  certificates: 2,
};
const series = (change: (sample: ComparedSample, index: number) => Partial<ComparedSample>): Partial<Soaked> => ({
  samples: steady.map((each, index) => Object.assign({}, each, change(each, index))),
});

const failing: readonly (readonly [name: string, part: Partial<Soaked>, measure: RegExp])[] = [
  ['one request without an answer', { counts: { ...passed.counts, failures: ['no answer'] } }, /^failed requests/],
  ['nobody asked', { counts: { ...passed.counts, answered: 0 } }, /^requests answered/],
  ['a review that could not be decided', { undecided: 1 }, /could not be decided/],
  ['a process that was killed', { exitCodes: [0, null] }, /another code/],
  ['a process that drained and failed', { exitCodes: [0, 1] }, /another code/],
  ['nothing was replaced', { exitCodes: [] }, /processes replaced/],
  ['no policy', { policies: 0 }, /policies loaded/],
  ['no certificate', { certificates: 0 }, /certificates rotated/],
  ['an error in the log', { errors: ['x'] }, /errors logged/],
  [
    'a leak of 2 MiB a sample',
    series((_sample, index) => ({ memory: (100 + 2 * index) * megabyte })),
    /growth from the second quarter to the last \(MiB\)/,
  ],
  ['too much memory', series(() => ({ memory: 500 * megabyte })), /resident memory/],
  [
    'two handles more each sample',
    series((_sample, index) => ({ handles: 30 + 2 * index })),
    /growth from the second quarter to the last$/,
  ],
  ['too many handles', series(() => ({ handles: 500 })), /open handles/],
  ['late', series(() => ({ lag: 1 })), /event loop later/],
  ['lateness that was not measured', series(() => ({ lag: Number.NaN })), /event loop later/],
  ['no samples', { samples: [] }, /event loop later/],
];

test('the verdict', (t) => {
  t.same(
    verdict(passed).filter(({ holds }) => !holds),
    [],
    'all is well',
  );
  const jump = series((_sample, index) => ({ memory: (index < 8 ? 60 : 100 + (index % 5) * 10) * megabyte, lag: index === 20 ? 3 : 0.01 }));
  t.same(
    verdict({ ...passed, ...jump }).filter(({ holds }) => !holds),
    [],
    'warming up, a saw and one late moment are well',
  );
  t.same(
    verdict({ ...passed, ...series(() => ({ lag: 1, ownLag: 0.9 })) }).filter(({ holds }) => !holds),
    [],
    'a machine on which every loop is late is no fault',
  );
  for (const [name, part, measure] of failing) {
    const broken = verdict({ ...passed, ...part }).filter(({ holds }) => !holds);
    t.equal(broken.length, 1, name);
    t.match(broken[0]?.measure, measure, name);
  }
  t.equal(growth([9, 9, 1, 1, 5, 5, 4, 4]), 3);
  t.end();
});

test('its policies: whole ones load, broken ones do not, and half of one is seen', (t) => {
  for (let revision = 0; revision < 8; revision += 1) {
    t.ok(loadPolicy(policyText(revision), 'policy.yaml').compiled);
    t.notOk(loadPolicy(brokenPolicyText(revision), 'policy.yaml').compiled, `broken ${revision}`);
  }
  t.same([...revisionsOf('[{"value":"first-3.example.com/a"},{"value":"second-3.example.com/b"}]')], [3]);
  t.equal(revisionsOf('[{"value":"first-3.example.com/a"},{"value":"second-4.example.com/b"}]').size, 2);
  t.end();
});
