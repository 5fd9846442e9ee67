/**
 * Fuzzing for as long as wanted: `node test/fuzz/run.ts --executions N --seed S [--target reviews|references|policies|costs] [--from I]`.
 * Ends with 1 at the first finding, whose line says how to have that one execution again.
 */
import { parseArgs } from 'node:util';
import { Finding, type Target } from './finding.ts';
import { fuzzCost } from './cost-target.ts';
import { fuzzPolicy } from './policy-target.ts';
import { fuzzReference } from './reference-target.ts';
import { fuzzReview } from './review-target.ts';

const targets: Readonly<Record<string, Target>> = { reviews: fuzzReview, references: fuzzReference, policies: fuzzPolicy, costs: fuzzCost };

const { values } = parseArgs({
  options: {
    executions: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    target: { type: 'string', default: 'reviews' },
    from: { type: 'string', default: '0' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const usage = `usage: node test/fuzz/run.ts [--target ${Object.keys(targets).join('|')}] [--executions N] [--seed S] [--from I]\n`;
if (values.help) process.stdout.write(usage);
else process.exitCode = run(values.target, { seed: Number(values.seed), from: Number(values.from), executions: Number(values.executions) });

function run(name: string, { seed, from, executions }: { seed: number; from: number; executions: number }): number {
  const target = Object.hasOwn(targets, name) ? targets[name] : undefined;
  if (target === undefined || ![seed, from, executions].every((number) => Number.isSafeInteger(number) && number >= 0)) {
    process.stderr.write(
      `fuzz: --target is one of ${Object.keys(targets).join(', ')}; --seed, --from and --executions are whole numbers\n`,
    );
    return 2;
  }
  const counts = new Map<string, number>();
  const began = performance.now();
  for (let execution = from; execution < from + executions; execution += 1) {
    try {
      const outcome = target(seed, execution);
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    } catch (error) {
      report(error, `--target ${name} --seed ${seed} --from ${execution} --executions 1`);
      return 1;
    }
    if ((execution + 1) % 100_000 === 0) process.stderr.write(`${execution + 1}\n`);
  }
  const seconds = (performance.now() - began) / 1000;
  process.stdout.write(`${name}, seed ${seed}: ${executions} executions in ${seconds.toFixed(0)} s, no finding\n`);
  for (const [outcome, count] of [...counts].toSorted(([, one], [, other]) => other - one))
    process.stdout.write(`  ${String(count).padStart(9)}  ${outcome}\n`);
  return 0;
}

function report(error: unknown, again: string): void {
  process.stderr.write(`FOUND by ${again}\n`);
  if (!(error instanceof Finding)) throw error;
  process.stderr.write(
    `${error.message}\n${error.cause instanceof Error ? (error.cause.stack ?? '') : ''}\n${error.input.subarray(0, 20_000).toString('base64')}\n`,
  );
}
