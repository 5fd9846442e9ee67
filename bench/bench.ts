/** `npm run bench`: measures the working tree, beside references and if asked beside another revision. See docs/reference/performance.md. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { build, buildReference } from './build.ts';
import type { Figure } from './figure.ts';
import { measurePeers } from './peers/run.ts';
import { benchmarkTables } from './peers/table.ts';
import { pinLoad } from './pinning.ts';
import { comparison, table, type Report } from './report.ts';
import { checkOut, commitOf, workingTree, type CheckedOut } from './revision.ts';
import type { Built, Settings, Subject } from './subject.ts';
import { clusterSuite } from './suites/cluster.ts';
import { engineSuite } from './suites/engine.ts';
import { httpsSuite } from './suites/https.ts';
import { memorySuite } from './suites/memory.ts';
import { policyFloorSuite } from './suites/policy-floor.ts';
import { startSuite } from './suites/start.ts';

/** The figures of each subject, or why there are none. */
type Suite = (subjects: readonly Built[], folder: string, settings: Settings) => Promise<Figure[][] | string>;

const suites: Readonly<Record<string, Suite>> = {
  engine: engineSuite,
  https: httpsSuite,
  memory: memorySuite,
  start: startSuite,
  cluster: clusterSuite,
  floor: policyFloorSuite,
};

const help = `npm run bench -- [--only SUITE,…] [--quick] [--against REVISION] [--reviews N] [--peers FOLDER] [--json FILE]

Suites: ${Object.keys(suites).join(', ')}
  --quick              few short rounds, for the order of magnitude
  --against REVISION   measure that revision in the same run and say which figures moved
  --reviews N          how many reviews the memory suite sends (100000)
  --peers FOLDER       measure transship beside other webhooks instead, whose executables are in that folder: docs/reference/benchmark.md
  --json FILE          write every round of every figure
`;

const interruptions = ['SIGINT', 'SIGTERM'] as const;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    against: { type: 'string' },
    reviews: { type: 'string' },
    peers: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(help);
} else if (values.peers !== undefined) {
  process.exitCode = await benchPeers(values.peers);
} else {
  process.exitCode = await bench(values.only?.split(',') ?? Object.keys(suites));
}

async function bench(wanted: readonly string[]): Promise<number> {
  const unknown = wanted.find((name) => !Object.hasOwn(suites, name));
  const reviews = Number(values.reviews ?? (values.quick ? 2_000 : 100_000));
  if (unknown !== undefined || !Number.isSafeInteger(reviews) || reviews < 20) {
    process.stderr.write(unknown === undefined ? '--reviews takes a whole number from 20\n' : `there is no suite ${unknown}\n\n${help}`);
    return 2;
  }
  const commit = values.against === undefined ? null : await commitOf(values.against);
  if (values.against !== undefined && commit === null) {
    process.stderr.write(`git knows no revision ${values.against}\n`);
    return 2;
  }
  return await inFolder(async (folder) => {
    let old: CheckedOut | null = null;
    try {
      old = commit === null ? null : await checkOut(commit, folder);
      const subjects = await Promise.all(
        (old === null ? [workingTree] : [old, workingTree]).map((subject, index) => build(subject, join(folder, `built-${index}`))),
      );
      await show(await run(wanted, subjects, folder, { quick: values.quick, reviews, reference: await buildReference(folder) }), old);
      return 0;
    } finally {
      await old?.remove();
    }
  });
}

/** @returns the exit code */
async function benchPeers(executables: string): Promise<number> {
  const useless = (['only', 'against', 'reviews'] as const).find((name) => values[name] !== undefined);
  if (useless !== undefined || !existsSync(executables)) {
    process.stderr.write(useless === undefined ? `there is no folder ${executables}\n` : `--${useless} has no effect with --peers\n`);
    return 2;
  }
  return await inFolder(async (folder) => {
    const result = await measurePeers(await build(workingTree, join(folder, 'built')), { executables, folder, quick: values.quick });
    if (typeof result === 'string') {
      process.stderr.write(`nothing was measured: ${result}\n`);
      return 1;
    }
    if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(result, null, 2)}\n`);
    process.stdout.write(`${benchmarkTables(result)}\n`);
    return 0;
  });
}

/** Pins the load, and removes the folder whatever happens. @returns what `work` does */
async function inFolder(work: (folder: string) => Promise<number>): Promise<number> {
  if (!pinLoad()) process.stderr.write('not pinned: there is no taskset or only one core, so load and server disturb each other\n');
  const folder = await mkdtemp(join(tmpdir(), 'transship-bench-'));
  for (const signal of interruptions) process.once(signal, exitInterrupted);
  try {
    return await work(folder);
  } finally {
    for (const signal of interruptions) process.removeListener(signal, exitInterrupted);
    await rm(folder, { recursive: true, force: true });
  }
}

/** The servers are killed as this process exits. */
function exitInterrupted(_signal: NodeJS.Signals, number: number): never {
  process.exit(128 + number);
}

async function run(wanted: readonly string[], subjects: readonly Built[], folder: string, settings: Settings): Promise<Report> {
  const figures = subjects.map((): Figure[] => []);
  const skipped: Record<string, string> = {};
  for (const name of wanted) {
    process.stderr.write(`${name} …\n`);
    const measured = await suites[name]?.(subjects, folder, settings);
    if (typeof measured === 'string') skipped[name] = measured;
    else for (const [index, own] of (measured ?? []).entries()) figures[index]?.push(...own);
  }
  const named = subjects.map(({ name }, index) => ({ name, figures: figures[index] ?? [] }));
  const [cpu] = cpus();
  return {
    node: process.version,
    machine: `${cpus().length} × ${cpu?.model ?? 'unknown'}`,
    date: new Date().toISOString(),
    subjects: named,
    skipped,
  };
}

async function show(report: Report, old: Subject | null): Promise<void> {
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
  const now = report.subjects.at(-1)?.figures ?? [];
  process.stdout.write(`${report.machine}, Node ${report.node}\n\n${table(now)}\n`);
  for (const [suite, reason] of Object.entries(report.skipped)) process.stdout.write(`\n${suite} did not run: ${reason}\n`);
  if (old !== null) process.stdout.write(`\nAgainst ${old.name}:\n\n${comparison(report.subjects[0]?.figures ?? [], now, old)}\n`);
}
