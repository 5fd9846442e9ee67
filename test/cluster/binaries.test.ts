import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { clusterPrograms } from './tools.ts';

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A Node program with this environment and no PATH, so there is no Go either, whatever this machine has. */
function run(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { env: { PATH: '', ...env } }, (_, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

const script = (file: string): string => fileURLToPath(new URL(file, import.meta.url));
const askSkipReason = (options: string): string[] => [
  '--input-type=module',
  '--eval',
  `import { skipReason } from ${JSON.stringify(new URL('binaries.ts', import.meta.url).href)}; console.log(skipReason(${options}))`,
];

const nothing = {};
const envtest = { etcd: '', 'kube-apiserver': '', kubectl: '' };
const everything = Object.fromEntries(clusterPrograms.map((program) => [program, '']));

/** The title of a test names a folder, whose name may have 255 characters. */
const titleOf = (names: readonly string[]): string => (names.length > 3 ? 'everything' : names.join(' ') || 'nothing');

const reasons = [
  {
    has: nothing,
    asks: '',
    says: /no etcd, kube-apiserver, kubectl, kube-controller-manager, kube-scheduler, kwok, helm: run "npm run cluster:build"/,
  },
  { has: nothing, asks: '{ level: 1, helm: false }', says: /no etcd, kube-apiserver, kubectl: run "npm run cluster:build"/ },
  { has: envtest, asks: '{ level: 1, helm: false }', says: /^false$/m },
  { has: envtest, asks: '{ level: 1 }', says: /no helm: run/ },
  { has: envtest, asks: '{ level: 2, helm: false }', says: /no kube-controller-manager: run/ },
  { has: everything, asks: '', says: /^false$/m },
];

for (const { has, asks, says } of reasons) {
  test(`skipReason(${asks}) with ${titleOf(Object.keys(has))} in KUBEBUILDER_ASSETS`, async (t) => {
    const folder = t.testdir({ assets: has, cache: {} });
    const env = { KUBEBUILDER_ASSETS: join(folder, 'assets'), TRANSSHIP_CLUSTER_CACHE: join(folder, 'cache') };
    t.match((await run(askSkipReason(asks), env)).stdout, says);
  });
}

test('where nothing may be skipped, a missing tool is an error', async (t) => {
  const env = { TRANSSHIP_CLUSTER_CACHE: t.testdir(), TRANSSHIP_REQUIRE_CLUSTER: '1' };
  const { code, stderr } = await run(askSkipReason(''), env);
  t.equal(code, 1);
  t.match(stderr, /no etcd, .*: run "npm run cluster:build"/);
});

test('cluster:build without Go names the remedy', async (t) => {
  const { code, stderr } = await run([script('build.ts')], { TRANSSHIP_CLUSTER_CACHE: t.testdir() });
  t.equal(code, 2);
  t.match(stderr, /needs Go 1\.26 or newer.*KUBEBUILDER_ASSETS/s);
});

test('cluster:build leaves to KUBEBUILDER_ASSETS what is there, and says so', async (t) => {
  const folder = t.testdir({ assets: everything, cache: {} });
  const env = { KUBEBUILDER_ASSETS: join(folder, 'assets'), TRANSSHIP_CLUSTER_CACHE: join(folder, 'cache') };
  const { code, stdout } = await run([script('build.ts')], env);
  t.equal(code, 0);
  t.match(stdout, `kube-apiserver: KUBEBUILDER_ASSETS has it, ${join(folder, 'assets', 'kube-apiserver')}`);
  t.match(stdout, /nothing to do/);
});
