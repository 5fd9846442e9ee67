/** What happens to the webhook while it serves: new policies, new certificates, and processes that are replaced. */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { issueServing, type IssuedPair } from '../../src/tls/certificate.ts';
import { mounted, type Mounted } from '../../test/files/mounted.ts';
import { startBackend, type Backend, type ServedFiles } from './backend.ts';
import { brokenPolicyText, policyText } from './policy.ts';

const day = 24 * 60 * 60_000;
/** Milliseconds for which a Service still leads to a pod that has got its SIGTERM: what the drain is for. */
const routesLag = 500;
/** Milliseconds within which every process must have noticed a change; it looks at its files every 10 s at the latest. */
const patience = 60_000;

/** The files that every process has mounted. */
export interface Mounts {
  readonly policy: Mounted;
  readonly pair: Mounted;
  readonly authority: IssuedPair;
  readonly files: ServedFiles;
}

export async function mount(folders: { policy: string; pair: string }, authority: IssuedPair): Promise<Mounts> {
  const policy = await mounted(folders.policy, { 'policy.yaml': policyText(0) });
  const pair = await mounted(folders.pair, await newPair(authority));
  return {
    policy,
    pair,
    authority,
    files: { policy: policy.path('policy.yaml'), cert: pair.path('tls.crt'), key: pair.path('tls.key'), authority: authority.cert },
  };
}

async function newPair(authority: IssuedPair): Promise<{ 'tls.crt': string; 'tls.key': string }> {
  const { cert, key } = await issueServing(authority, ['localhost', '127.0.0.1'], { lifetime: day });
  return { 'tls.crt': cert, 'tls.key': key };
}

export interface Done {
  policies: number;
  refusedPolicies: number;
  certificates: number;
  readonly exitCodes: (number | null)[];
  readonly errors: string[];
  undecided: number;
}

export interface Changing {
  /** The first one stays for ever; the last one is replaced. */
  readonly ready: Backend[];
  readonly mounts: Mounts;
  readonly done: Done;
}

/** Changes one after the other until told to stop; the policy most often. Throws when a change does not arrive. */
export async function changeOnAndOn(changing: Changing, signal: AbortSignal, pause: number): Promise<void> {
  for (let round = 1; !signal.aborted; round += 1) {
    await sleep(pause);
    await replacePolicy(changing, round);
    if (round % 2 === 1) await rotateCertificate(changing);
    if (round % 3 === 1) await replaceProcess(changing);
  }
}

async function replacePolicy({ ready, mounts, done }: Changing, revision: number): Promise<void> {
  const isBroken = revision % 4 === 0;
  const sample = isBroken ? 'transship_policy_reloads_total{result="refused"}' : 'transship_policy_reloads_total{result="loaded"}';
  const before = await countsOf(ready, sample);
  await mounts.policy.swap({ 'policy.yaml': isBroken ? brokenPolicyText(revision) : policyText(revision) });
  await arrived(`policy ${revision}`, async () => (await countsOf(ready, sample)).every((count, index) => count > (before[index] ?? 0)));
  if (isBroken) done.refusedPolicies += 1;
  else done.policies += 1;
  // A process that starts now must find one that it can use.
  if (isBroken) await mounts.policy.swap({ 'policy.yaml': policyText(revision) });
}

async function countsOf(backends: readonly Backend[], sample: string): Promise<number[]> {
  return await Promise.all(backends.map(async (backend) => (await backend.metrics()).get(sample) ?? 0));
}

async function rotateCertificate({ ready, mounts, done }: Changing): Promise<void> {
  const before = await Promise.all(ready.map(fingerprint));
  await mounts.pair.swap(await newPair(mounts.authority));
  await arrived('a certificate', async () => (await Promise.all(ready.map(fingerprint))).every((print, index) => print !== before[index]));
  done.certificates += 1;
}

/** Of the certificate that a new connection gets, which is verified as the API server would. */
async function fingerprint({ port, agent }: Backend): Promise<string> {
  return await new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca: agent.options.ca, servername: 'localhost' }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

/** The new one is ready before the old one is told to go, as in a rolling update. */
async function replaceProcess({ ready, mounts, done }: Changing): Promise<void> {
  const fresh = await startBackend(mounts.files);
  const old = ready.at(-1);
  ready.splice(-1, 0, fresh);
  if (old === undefined) return;
  await account(old, done);
  const exit = old.stop();
  await sleep(routesLag);
  ready.pop();
  done.exitCodes.push(await exit);
}

/** What a process leaves behind in figures, read while it is still there. */
export async function account(backend: Backend, done: Done): Promise<void> {
  const metrics = await backend.metrics();
  for (const [name, value] of metrics) if (/^transship_reviews_total\{.*result="failed"/.test(name)) done.undecided += value;
  done.errors.push(...backend.errors);
}

async function arrived(what: string, look: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + patience;
  while (!(await look())) {
    if (performance.now() > end) throw new Error(`${what} did not arrive within ${patience} ms`);
    await sleep(200);
  }
}
