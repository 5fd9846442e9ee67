/** `npm run cluster:build`: builds the programs of the test cluster from their Go modules, once for each set of pins. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';

import { builtPath, cacheFolder, kubebuilderAsset } from './binaries.ts';
import { buildsOf, clusterPrograms, kyvernoPrograms, nodePrograms, type Build } from './tools.ts';

const help = `usage: npm run cluster:build -- [--with-node] [--with-kyverno]

Builds ${clusterPrograms.join(', ')}
with Go, into .cache/cluster (or TRANSSHIP_CLUSTER_CACHE). Programs found in KUBEBUILDER_ASSETS are used instead.

  --with-node     also build ${nodePrograms.join(' and ')}, for the tests on a real node
  --with-kyverno  also build ${kyvernoPrograms.join(' and ')}, for npm run test:kyverno
`;

const noGo = `cluster:build needs Go 1.26 or newer, and there is no "go" on the PATH.
Install it (https://go.dev/doc/install), or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl: that is enough for level 1.`;

/** Resolves to the exit code; rejects when `go` cannot be started. */
function runGo(build: Build, output: string): Promise<{ code: number | null; log: string }> {
  // GOWORK=off: a go.work above the checkout must not change what the committed go.sum pins.
  const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' };
  const go = spawn('go', ['build', '-o', output, ...build.arguments], { cwd: build.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [go.stdout, go.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()));
  return new Promise((resolve, reject) => {
    go.once('error', reject);
    go.once('close', (code) => resolve({ code, log }));
  });
}

async function buildProgram(build: Build): Promise<void> {
  const { program, version } = build;
  // Renamed when complete, so an interrupted build never looks like a finished one.
  const built = builtPath(program);
  const partial = `${built}.${process.pid}`;
  mkdirSync(dirname(built), { recursive: true });
  const began = performance.now();
  process.stdout.write(`${program} ${version} `);
  try {
    const { code, log } = await runGo(build, partial);
    if (code !== 0) throw new Error(`go build of ${program} failed (exit code ${code}):\n${log.split('\n').slice(-30).join('\n')}`);
    renameSync(partial, built);
  } finally {
    rmSync(partial, { force: true });
  }
  const megabytes = Math.round(statSync(built).size / 1e6);
  process.stdout.write(`${Math.round((performance.now() - began) / 1000)} s, ${megabytes} MB\n`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      'with-node': { type: 'boolean', default: false },
      'with-kyverno': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return void process.stdout.write(help);

  const wanted = [...clusterPrograms, ...(values['with-node'] ? nodePrograms : []), ...(values['with-kyverno'] ? kyvernoPrograms : [])];
  let built = 0;
  for (const build of buildsOf(wanted)) {
    const { program } = build;
    const asset = kubebuilderAsset(program);
    if (asset !== undefined) console.log(`${program}: KUBEBUILDER_ASSETS has it, ${asset}`);
    else if (!existsSync(builtPath(program))) {
      await buildProgram(build);
      built++;
    }
  }
  console.log(built === 0 ? `nothing to do, all is built: ${cacheFolder()}` : `built ${built} programs: ${cacheFolder()}`);
}

try {
  await main();
} catch (error) {
  const withoutGo = error instanceof Error && 'syscall' in error && error.syscall === 'spawn go';
  console.error(withoutGo ? `\n${noGo}` : `\n${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = withoutGo ? 2 : 1;
}
