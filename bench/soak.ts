/**
 * `npm run soak`: two webhook processes under mixed load, while policies are replaced, certificates rotated and one of the two processes
 * drained and replaced, again and again. Ends with 0 only when nothing failed and memory, handles and lateness stayed within bounds.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createCa } from '../src/tls/certificate.ts';
import { startBackend, type ComparedSample } from './soak/backend.ts';
import { verdict, type Row, type Soaked } from './soak/bounds.ts';
import { account, changeOnAndOn, mount, type Done } from './soak/changes.ts';
import { startLoad } from './soak/load.ts';

const help = `npm run soak -- [--minutes N | --seconds N] [--workers N] [--pause MS] [--seed N]

  --minutes N   how long (10)
  --seconds N   the same in seconds
  --workers N   requests at the same time (8)
  --pause MS    between two requests of a worker (10)
  --seed N      of the broken requests (1)
`;
const day = 24 * 60 * 60_000;
const sampleInterval = 1_000;
/** Most failures and errors that are printed. */
const mostShown = 20;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seconds: { type: 'string' },
    workers: { type: 'string', default: '8' },
    pause: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});
const seconds = values.seconds === undefined ? Number(values.minutes) * 60 : Number(values.seconds);

if (values.help) {
  process.stdout.write(help);
} else if (
  ![seconds, Number(values.workers), Number(values.pause), Number(values.seed)].every((number) => Number.isFinite(number) && number > 0)
) {
  process.stderr.write(`every flag takes a number above 0\n\n${help}`);
  process.exitCode = 2;
} else {
  const folder = await mkdtemp(join(tmpdir(), 'transship-soak-'));
  try {
    process.exitCode = report(await soak(folder));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function soak(folder: string): Promise<Soaked> {
  const folders = { policy: join(folder, 'policy'), pair: join(folder, 'pair') };
  await Promise.all(Object.values(folders).map((path) => mkdir(path)));
  const mounts = await mount(folders, await createCa('transship soak', { lifetime: day }));
  const lasting = await startBackend(mounts.files);
  const ready = [lasting, await startBackend(mounts.files)];
  const done: Done = { policies: 0, refusedPolicies: 0, certificates: 0, exitCodes: [], errors: [], undecided: 0 };
  const samples: ComparedSample[] = [];
  const own = monitorEventLoopDelay({ resolution: 10 });
  own.enable();
  const over = new AbortController();
  const stopLoad = startLoad({
    workers: Number(values.workers),
    pause: Number(values.pause),
    seed: Number(values.seed),
    backends: () => ready,
  });
  // Whatever fails ends the soak at once, and is told.
  const failed = (error: unknown): void => {
    done.errors.push(error instanceof Error ? error.message : String(error));
    over.abort();
  };
  const sampling = sampleUntil(over.signal, async () => {
    samples.push({ ...(await lasting.sample()), ownLag: own.percentile(99) / 1e9 });
    own.reset();
  }).catch(failed);
  const changing = changeOnAndOn({ ready, mounts, done }, over.signal, Math.min(2_000, seconds * 50)).catch(failed);
  await sleep(seconds * 1000, undefined, { signal: over.signal }).catch(() => {});
  over.abort();
  await Promise.all([sampling, changing]);
  own.disable();
  const counts = await stopLoad();
  for (const backend of ready) {
    await account(backend, done);
    done.exitCodes.push(await backend.stop());
  }
  return { ...done, counts, samples };
}

async function sampleUntil(signal: AbortSignal, sample: () => Promise<void>): Promise<void> {
  while (!signal.aborted) {
    await sample();
    await sleep(sampleInterval);
  }
}

function report(soaked: Soaked): number {
  const rows = verdict(soaked);
  process.stdout.write(`${seconds} s, ${values.workers} workers, seed ${values.seed}\n\n`);
  for (const row of rows) process.stdout.write(line(row));
  const broken = rows.filter(({ holds }) => !holds);
  for (const sentence of [...soaked.counts.failures, ...soaked.errors].slice(0, mostShown)) process.stdout.write(`  ${sentence}\n`);
  process.stdout.write(broken.length === 0 ? '\npassed\n' : `\nFAILED: ${broken.map(({ measure }) => measure).join('; ')}\n`);
  return broken.length === 0 ? 0 : 1;
}

function line({ measure, value, bound, holds }: Row): string {
  return `  ${measure.padEnd(54)} ${value.padStart(9)}   ${bound === '' ? '' : `${bound} ${holds ? '' : '<-- no'}`}`.trimEnd() + '\n';
}
