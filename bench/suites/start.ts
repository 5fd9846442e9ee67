/** From exec to the first answer of /readyz, compiled as in the image, against a bare HTTPS server's. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { finished } from 'node:stream/promises';
import { makeCertificate } from '../certificate.ts';
import type { Figure, Round } from '../figure.ts';
import { policyOf } from '../policies.ts';
import { cpuTime } from '../process-cost.ts';
import { startReference, startServe, type Program } from '../program.ts';
import { inTurn, type Built, type Settings } from '../subject.ts';

const rounds = 9;
const quickRounds = 2;

interface Ready {
  /** Milliseconds by the clock, and of CPU time: the second says the same on a busy machine. */
  readonly time: number;
  readonly cpu: number;
}

interface Pair {
  readonly own: Ready;
  readonly reference: Ready;
}

export async function startSuite(
  subjects: readonly Built[],
  folder: string,
  { quick, reference: referenceFile }: Settings,
): Promise<Figure[][]> {
  const certificate = await makeCertificate(folder);
  const policyFile = `${folder}/policy.yaml`;
  await writeFile(policyFile, JSON.stringify(policyOf({ rules: 50 })));
  const plain = subjects.map((): Pair[] => []);
  const cached = subjects.map((): Pair[] => []);
  for (const [index, subject] of subjects.entries()) {
    const filling = await startServe(subject, { policyFile, certificate, env: cacheIn(folder, index) });
    await filling.stop({ gently: true });
  }
  for (let round = 0; round < (quick ? quickRounds : rounds); round += 1) {
    const reference = await ready(() => startReference(referenceFile, 'parse', certificate), certificate.authority);
    for (const [index, subject] of inTurn([...subjects.entries()], round)) {
      plain[index]?.push({ own: await ready(() => startServe(subject, { policyFile, certificate }), certificate.authority), reference });
      cached[index]?.push({
        own: await ready(() => startServe(subject, { policyFile, certificate, env: cacheIn(folder, index) }), certificate.authority),
        reference,
      });
    }
  }
  return subjects.map((_, index) => [
    ...figures('exec to ready', plain[index] ?? []),
    ...figures('exec to ready, NODE_COMPILE_CACHE filled', cached[index] ?? []),
  ]);
}

function cacheIn(folder: string, index: number): { readonly NODE_COMPILE_CACHE: string } {
  return { NODE_COMPILE_CACHE: `${folder}/compiled-${index}` };
}

function figures(name: string, pairs: readonly Pair[]): Figure[] {
  const rounds_ = (key: keyof Ready): Round[] => pairs.map(({ own, reference }) => ({ value: own[key], reference: reference[key] }));
  const common = { suite: 'start', unit: 'ms', reference: 'bare node:https' };
  return [
    { ...common, name, rounds: rounds_('time') },
    { ...common, name: `${name}: CPU`, rounds: rounds_('cpu') },
  ];
}

async function ready(start: () => Promise<Program>, authority: string): Promise<Ready> {
  const began = performance.now();
  const program = await start();
  try {
    await answered(program.port, authority);
    const time = performance.now() - began;
    return { time, cpu: ((await cpuTime(program.pid)) ?? Number.NaN) / 1e6 };
  } finally {
    await program.stop();
  }
}

async function answered(port: number, ca: string): Promise<void> {
  const request = get({ host: '127.0.0.1', port, path: '/readyz', ca, servername: 'localhost', agent: false });
  const [response] = await once(request, 'response');
  await finished((response as IncomingMessage).resume());
}
