/** The engine alone: what a decision costs, in a process of its own for each round, so that no round is optimized for another's input. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Figure, Round } from '../figure.ts';
import { pinned } from '../pinning.ts';
import { inTurn, type Settings, type Subject } from '../subject.ts';

/** What the measuring process prints: nanoseconds a call, in the order in which they were measured. */
export interface EngineResult {
  readonly name: string;
  readonly unit: string;
  readonly reference: string;
  readonly round: Round;
}

const measuringProcess = fileURLToPath(new URL('../engine-process.ts', import.meta.url));
const rounds = 7;
const quickRounds = 1;

export async function engineSuite(subjects: readonly Subject[], _folder: string, { quick }: Settings): Promise<Figure[][]> {
  const results = subjects.map((): EngineResult[][] => []);
  for (let round = 0; round < (quick ? quickRounds : rounds); round += 1) {
    for (const [index, subject] of inTurn([...subjects.entries()], round)) results[index]?.push(await measure(subject, quick));
  }
  return results.map((ofSubject) =>
    (ofSubject[0] ?? []).map(({ name, unit, reference }, place) => ({
      suite: 'engine',
      name,
      unit,
      reference,
      rounds: ofSubject.flatMap((each) => each[place]?.round ?? []),
    })),
  );
}

async function measure({ root }: Subject, quick: boolean): Promise<EngineResult[]> {
  const [command = '', ...args] = pinned([process.execPath, measuringProcess, root, quick ? 'quick' : 'whole']);
  const { stdout } = await promisify(execFile)(command, args, { maxBuffer: 16 * 1024 * 1024 });
  return JSON.parse(stdout);
}
