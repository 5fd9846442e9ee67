/** A bounded number of executions of each fuzzer; run.ts has the unbounded ones, and the same seed gives the same inputs there. */
import { test } from 'tap';
import { damagedBytes } from './bytes.ts';
import { Finding, type Target } from './finding.ts';
import { fuzzPolicy } from './policy-target.ts';
import { Random } from './random.ts';
import { fuzzReference } from './reference-target.ts';
import { fuzzReview, reviewBody } from './review-target.ts';

const seed = 8;

interface Bounded {
  readonly name: string;
  readonly target: Target;
  readonly executions: number;
  /** What must have come out at least this often, or the inputs are too broken to reach anything. */
  readonly atLeast: Readonly<Record<string, number>>;
}

const table: readonly Bounded[] = [
  {
    name: 'reviews',
    target: fuzzReview,
    executions: 2500,
    atLeast: { patched: 400, unpatched: 400, BODY_NOT_JSON: 300, REVIEW_INVALID: 20 },
  },
  { name: 'references', target: fuzzReference, executions: 50_000, atLeast: { read: 10_000, refused: 10_000 } },
  { name: 'policies', target: fuzzPolicy, executions: 300, atLeast: { refused: 100, loaded: 25 } },
];

for (const { name, target, executions, atLeast } of table) {
  test(`${executions} ${name}`, (t) => {
    const counts: Record<string, number> = {};
    for (let execution = 0; execution < executions; execution += 1) {
      const outcome = found(target, execution);
      counts[outcome] = (counts[outcome] ?? 0) + 1;
    }
    for (const [outcome, least] of Object.entries(atLeast)) t.ok((counts[outcome] ?? 0) >= least, `${outcome}: ${counts[outcome]}`);
    t.end();
  });
}

/** A finding says all that is needed to have it again. */
function found(target: Target, execution: number): string {
  try {
    return target(seed, execution);
  } catch (error) {
    if (!(error instanceof Finding)) throw error;
    throw new Error(`seed ${seed}, execution ${execution}: ${error.message}\n${error.input.subarray(0, 4000).toString('base64')}`, {
      cause: error,
    });
  }
}

const body = (ofSeed: number, execution: number): string => reviewBody(new Random(ofSeed, execution)).toString('latin1');

test('a seed and a number give the same input, others give another', (t) => {
  t.equal(body(1, 7), body(1, 7));
  t.not(body(1, 7), body(1, 8));
  t.not(body(1, 7), body(2, 7));
  const inputs = new Set(Array.from({ length: 500 }, (_value, execution) => body(1, execution)));
  t.ok(inputs.size > 490, `${inputs.size} of 500 differ`);
  t.end();
});

test('damage leaves the bytes it is given as they are', (t) => {
  const bytes = Buffer.from('{"kind":"AdmissionReview"}');
  for (let execution = 0; execution < 200; execution += 1) damagedBytes(bytes, new Random(1, execution), bytes);
  t.equal(bytes.toString(), '{"kind":"AdmissionReview"}');
  t.end();
});
