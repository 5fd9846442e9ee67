/**
 * Pod creates at the real API server: without a webhook, with one that answers a fixed patch of the same size, and with transship.
 * Each has a namespace of its own, so that all are registered at once and the rounds can take turns.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { skipReason } from '../../test/cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../../test/cluster/control-plane.ts';
import { makeCertificate, type Certificate } from '../certificate.ts';
import { quantile, type Figure, type Round } from '../figure.ts';
import { policyOf } from '../policies.ts';
import { cpuTime } from '../process-cost.ts';
import { startReference, startServe, type Program } from '../program.ts';
import { podOf } from '../reviews.ts';
import { inTurn, type Built, type Settings } from '../subject.ts';

const rounds = 7;
const quickRounds = 2;
const podsOfRound = 240;
/** Rounds that are not counted: a webhook that has run for a minute is what clusters have. */
const warmUpRounds = 4;
/** Creates at once. */
const clients = 16;

interface Variant {
  readonly namespace: string;
  readonly webhook: Program | null;
}

interface Measured {
  /** Pods a second. */
  readonly rate: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** CPU microseconds a pod. */
  readonly webhook: number;
  readonly apiServer: number;
}

export async function clusterSuite(subjects: readonly Built[], folder: string, { quick, reference }: Settings): Promise<Figure[][] | string> {
  const missing = skipReason({ level: 1, helm: false });
  if (missing !== false) return missing;
  const certificate = await makeCertificate(folder);
  const policyFile = `${folder}/policy.yaml`;
  await writeFile(policyFile, JSON.stringify(policyOf({ rules: 50 })));
  const programs: Program[] = [];
  const plane = await startControlPlane(undefined, { level: 1 });
  try {
    programs.push(await startReference(reference, 'answer', certificate));
    for (const subject of subjects) {
      programs.push(await startServe(subject, { policyFile, certificate }));
      programs.push(await startServe({ ...subject, name: `${subject.name}, only problems logged` }, { policyFile, certificate, args: ['--log-reviews', 'problems'] }));
    }
    const variants: Variant[] = [{ namespace: 'without', webhook: null }, ...programs.map((webhook, index) => ({ namespace: `webhook-${index}`, webhook }))];
    for (const variant of variants) await register(plane, variant, certificate);
    const apiServer = await processOf(['kube-apiserver', plane.folder]);
    const measured = variants.map((): Measured[] => []);
    for (let round = quick ? -1 : -warmUpRounds; round < (quick ? quickRounds : rounds); round += 1) {
      for (const [index, variant] of inTurn([...variants.entries()], round)) {
        const result = await createPods(plane, variant, apiServer, quick ? podsOfRound / 4 : podsOfRound);
        if (round >= 0) measured[index]?.push(result);
      }
    }
    const [without = [], fixed = [], ...own] = measured;
    const figures = subjects.map((_, index) => [
      ...compare('transship', own[index * 2] ?? [], fixed),
      ...compare('transship, only problems logged', own[index * 2 + 1] ?? [], fixed).filter(({ name }) => name.includes('of the webhook')),
    ]);
    figures[0]?.push(...compare('no webhook', without, fixed).filter(({ name }) => !name.includes('of the webhook')));
    return figures;
  } finally {
    await Promise.all(programs.map((program) => program.stop()));
    await plane.stop();
  }
}

/** Resolves when the webhook is called for pods of its namespace. */
async function register(plane: ControlPlane, { namespace, webhook }: Variant, { authority }: Certificate): Promise<void> {
  await plane.createNamespace(namespace, { bench: namespace });
  if (webhook === null) return;
  const clientConfig = { url: `https://127.0.0.1:${webhook.port}/mutate`, caBundle: Buffer.from(authority).toString('base64') };
  const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }];
  const hook = { name: `${namespace}.bench.transship.dev`, admissionReviewVersions: ['v1'], sideEffects: 'None', failurePolicy: 'Fail', clientConfig, rules, namespaceSelector: { matchLabels: { bench: namespace } } };
  await plane.api.send('POST', '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', { metadata: { name: namespace }, webhooks: [hook] });
  const deadline = performance.now() + 30_000;
  for (;;) {
    const { body } = await plane.api.send('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, podOf({}));
    if (JSON.stringify(body).includes('proxy.example.com')) return;
    if (performance.now() > deadline) throw new Error(`the API server does not call ${webhook.name}: ${JSON.stringify(body).slice(0, 500)}`);
  }
}

async function createPods(plane: ControlPlane, { namespace, webhook }: Variant, apiServer: number, pods: number): Promise<Measured> {
  const latencies: number[] = [];
  const cost = async (): Promise<readonly [webhook: number, apiServer: number]> => [webhook === null ? 0 : ((await cpuTime(webhook.pid)) ?? Number.NaN), (await cpuTime(apiServer)) ?? Number.NaN];
  const before = await cost();
  const began = performance.now();
  let left = pods;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (left > 0) {
        left -= 1;
        const sent = performance.now();
        const { status, body } = await plane.api.send('POST', `/api/v1/namespaces/${namespace}/pods`, podOf({}));
        if (status !== 201) throw new Error(`a pod was answered ${status}: ${JSON.stringify(body)}`);
        latencies.push(performance.now() - sent);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  const after = await cost();
  await plane.api.send('DELETE', `/api/v1/namespaces/${namespace}/pods?gracePeriodSeconds=0`);
  const sorted = latencies.toSorted((a, b) => a - b);
  return { rate: pods / seconds, p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), webhook: (after[0] - before[0]) / pods / 1000, apiServer: (after[1] - before[1]) / pods / 1000 };
}

/** The process whose command line has all of the words. */
async function processOf(words: readonly string[]): Promise<number> {
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    const [program = ''] = command.split('\0', 1);
    // The supervisor has the same words behind its own name.
    if (program.endsWith(words[0] ?? '') && words.every((word) => command.includes(word))) return Number(entry);
  }
  throw new Error(`no process has ${words.join(' and ')} on its command line`);
}

function compare(name: string, measured: readonly Measured[], fixed: readonly Measured[]): Figure[] {
  const figure = (what: string, unit: string, key: keyof Measured): Figure => ({
    suite: 'cluster',
    name: `${name}: ${what}`,
    unit,
    reference: 'webhook with a fixed answer',
    rounds: measured.flatMap((each, index): Round[] => {
      const other = fixed[index];
      return other === undefined ? [] : [{ value: each[key], reference: other[key] }];
    }),
  });
  return [figure('pod creates', 'pods/s', 'rate'), figure('p50', 'ms', 'p50'), figure('p99', 'ms', 'p99'), figure('CPU of the webhook a pod', 'µs', 'webhook'), figure('CPU of the API server a pod', 'µs', 'apiServer')];
}
