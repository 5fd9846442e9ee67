/**
 * For manifests in every style of YAML, and mangled ones: what kubectl reads in the output differs from what it reads in the input in the
 * decided places and nowhere else, and every comment is still there. `rewrite` once wrote whole documents anew, where `defaultMode: 0400`
 * became 400. TRANSSHIP_MANIFESTS=100000 is how many are made (a few minutes).
 */
import { test } from 'tap';
import { openPolicy } from '../../src/cli/policy-file.ts';
import { outdented } from '../builders/outdented.ts';
import { generated, mangled } from '../builders/yaml-writer.ts';
import { locate } from '../cluster/binaries.ts';
import { policy as policyFile } from '../cli/terminal.ts';
import { judge, type Judged, type Verdict } from './conformance.ts';
import { Decoder } from './decoder.ts';

const count = Number(process.env['TRANSSHIP_MANIFESTS'] ?? 2000);
const program = locate('decoder');
const skip = program === undefined ? 'the decoder is not built: run "npm run cluster:build" (needs Go)' : false;
const batch = 500;

type Make = (seed: number) => string;

async function tally(make: Make, use: (judged: Judged, seed: number) => void): Promise<Map<Verdict, number>> {
  const policy = await openPolicy(
    { policy: policyFile, 'resolved-hosts': null },
    { stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, env: {} },
  );
  const decoder = new Decoder(String(program));
  const verdicts = new Map<Verdict, number>();
  for (let from = 0; from < count; from += batch) {
    const seeds = Array.from({ length: Math.min(batch, count - from) }, (_, index) => from + index);
    for (const [index, judged] of (await judge(policy, decoder, seeds.map(make))).entries()) {
      verdicts.set(judged.verdict, (verdicts.get(judged.verdict) ?? 0) + 1);
      use(judged, from + index);
    }
  }
  await decoder.close();
  return verdicts;
}

for (const [name, make] of [
  ['generated', generated],
  ['mangled', mangled],
  ['outdented', outdented],
] as const) {
  test(`${name} manifests, read by kubectl before and after`, { skip }, async (t) => {
    const problems: string[] = [];
    const verdicts = await tally(make, ({ problem, text, output }, seed) => {
      if (problem !== null && problems.length < 3) problems.push(`seed ${seed}: ${problem}\n${text}\n=>\n${output}`);
    });
    t.comment(`${count} ${name} manifests: ${JSON.stringify(Object.fromEntries(verdicts))}`);
    t.same(problems, []);
    // Brackets whose lines stand no deeper than their key were refused.
    if (make !== mangled) t.equal(verdicts.get('refused') ?? 0, 0, 'what kubectl reads is read');
    t.ok((verdicts.get('changed') ?? 0) > count / 4, 'a good part of them is changed');
  });
}
