/** Starts a real one-node Kubernetes cluster in namespaces of its own, and takes it away again: the one call that the tests of this folder begin with. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, cpSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { binary, cacheFolder, pathWithBinaries } from '../../cluster/binaries.ts';
import { commandEnvironment } from '../../cluster/commands.ts';
import type { TestScope } from '../../cluster/control-plane.ts';
import { temporaryFolder } from '../../cluster/temporary-folder.ts';
import { buildProgram, writeArchive, type ImageContent } from './archive.ts';
import { writeComponents, type Component } from './components.ts';
import { writeIdentities } from './identities.ts';
import { inside, type Run } from './inside.ts';
import { patience, poll } from './poll.ts';
import { setPassword } from './registry.ts';
import { searchPath } from './requirements.ts';
import { writeRuntimeFiles } from './runtime-files.ts';
import { nodeAddress, nodeName, pauseImage, paths, privateRegistry, serviceNetwork } from './settings.ts';

const keeper = fileURLToPath(new URL('keep-node.sh', import.meta.url));

export interface TestNode {
  /** For files of the test; goes away with the node. */
  readonly folder: string;
  /** Also the name of its cgroup. */
  readonly name: string;
  /** kubectl as the cluster's administrator. */
  readonly kubectl: Run;
  readonly helm: Run;
  /** A command in the node's network, with this machine's files. */
  readonly run: Run;
  /** A command among the node's own mounts and processes. */
  readonly exec: Run;
  /** Writes a docker archive whose one program is test/node/program; resolves to its file. */
  archive(content: Pick<ImageContent, 'name' | 'label'>): string;
  /** Ends a component and keeps it down. */
  stopComponent(component: Component): Promise<void>;
  startComponent(component: Component): void;
  log(component: Component): string;
  stop(): Promise<void>;
}

/** Resolves when the node is Ready and the namespace `default` takes pods. Throws with the place of the logs when it cannot start. */
export async function startNode(t: TestScope): Promise<TestNode> {
  const temporary = temporaryFolder('transship-node');
  const folder = temporary.path;
  const name = basename(folder);
  const path = paths(folder);
  for (const made of [path.run, path.log, path.stopped, path.data]) mkdirSync(made);
  await writeIdentities(folder);
  writeRuntimeFiles(folder, name);
  setPassword(folder, privateRegistry.password);
  writeComponents(folder);

  const keeping = keep(folder, name);
  const stop = async (): Promise<void> => {
    keeping.stdin?.destroy();
    if (keeping.exitCode === null) await new Promise((resolve) => keeping.once('exit', resolve));
    temporary.remove();
  };
  t.teardown(async () => {
    if (!t.passing() && existsSync(path.log)) t.comment(`logs of the node: ${keptLogs(path.log, name)}`);
    await stop();
  });

  const pid = await initProcess(keeping, folder);
  const node = createNode(folder, name, { pid, stop });
  await ready(node).catch((error: unknown) => {
    throw new Error(`the node is not Ready (logs: ${keptLogs(path.log, name)})`, { cause: error });
  });
  return node;
}

function keep(folder: string, name: string): ChildProcess {
  const log = openSync(join(paths(folder).log, 'node.log'), 'a');
  const env = {
    ...process.env,
    PATH: [pathWithBinaries(), searchPath].join(delimiter),
    NODE_ADDRESS: nodeAddress,
    SERVICE_NETWORK: serviceNetwork,
  };
  const keeping = spawn('bash', [keeper, folder, name], { detached: true, stdio: ['pipe', log, log], env });
  closeSync(log);
  keeping.stdin?.on('error', () => {});
  return keeping;
}

/** The number, as this machine counts, of the node's process 1. */
function initProcess(keeping: ChildProcess, folder: string): Promise<number> {
  const { run, log } = paths(folder);
  return poll('process 1 of the node', async () => {
    if (keeping.exitCode !== null) throw new Error(readFileSync(join(log, 'node.log'), 'utf8'));
    if (!existsSync(join(run, 'init'))) return undefined;
    const unshare = readFileSync(join(run, 'unshare.pid'), 'utf8').trim();
    return Number(readFileSync(`/proc/${unshare}/task/${unshare}/children`, 'utf8').trim()) || undefined;
  });
}

function createNode(folder: string, name: string, { pid, stop }: { pid: number; stop: () => Promise<void> }): TestNode {
  const path = paths(folder);
  const env = {
    ...commandEnvironment(path.adminKubeconfig, folder),
    PATH: [pathWithBinaries(), searchPath].join(delimiter),
    TMPDIR: folder,
  };
  const run = inside(pid, ['-n'], env);
  const exec = inside(pid, ['-n', '-m', '-p', '-u', '-i'], env);
  const root = join(folder, 'program');
  let archives = 0;
  return {
    folder,
    name,
    kubectl: (words, options) => run([binary('kubectl'), ...words], options),
    helm: (words, options) => run([binary('helm'), ...words], options),
    run,
    exec,
    archive: (content) => {
      if (!existsSync(root)) buildProgram(root);
      const file = join(folder, `image-${++archives}.tar`);
      writeArchive(file, { ...content, root, entrypoint: ['/program'] });
      return file;
    },
    stopComponent: async (component) => {
      writeFileSync(join(path.stopped, component), '');
      const number = readFileSync(join(path.run, `${component}.pid`), 'utf8').trim();
      await exec(['kill', '-TERM', number]);
      await poll(`the end of ${component}`, () =>
        exec(['kill', '-0', number]).then(
          () => undefined,
          () => true,
        ),
      );
    },
    startComponent: (component) => rmSync(join(path.stopped, component)),
    log: (component) => readFileSync(join(path.log, `${component}.log`), 'utf8'),
    stop,
  };
}

async function ready(node: TestNode): Promise<void> {
  const pause = node.archive({ name: pauseImage, label: 'pause' });
  const images = ['ctr', '--address', '/run/containerd/containerd.sock', '--namespace', 'k8s.io', 'images'];
  await poll('containerd', () => node.exec([...images, 'import', pause]));
  writeFileSync(join(paths(node.folder).run, 'pause-loaded'), '');
  await poll('the API server', () => node.kubectl(['get', 'node', nodeName]));
  await node.kubectl(['wait', 'node', nodeName, '--for=condition=Ready', `--timeout=${patience}s`]);
  await poll('the default service account', () => node.kubectl(['get', 'serviceaccount', 'default']));
}

/** Out of the temporary folder, which nobody would look for, into the cache folder beside the builds. */
function keptLogs(log: string, name: string): string {
  const kept = join(cacheFolder(), 'failed', name);
  cpSync(log, kept, { recursive: true });
  return kept;
}
