/** Starts a real Kubernetes control plane on loopback and takes it away again: the one call that cluster tests begin with. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { createApi, type Api } from './api.ts';
import { binary, cacheFolder, type Level } from './binaries.ts';
import { command, commandEnvironment, type Command } from './commands.ts';
import {
  apiServerFlags,
  apiServerUrl,
  controllerManagerFlags,
  etcdFlags,
  etcdUrl,
  files,
  kwokFlags,
  kwokStages,
  writeStagesWithoutRegistry,
  writeStagesWithoutTransship,
  schedulerFlags,
  type Settings,
} from './components.ts';
import { adminKubeconfig } from './kubeconfig.ts';
import { reserveLoopback } from './loopback.ts';
import { createAuthority, serviceAccountKeys } from './pki.ts';
import { supervise, waitUntil, type Launch, type Supervised } from './process.ts';
import {
  createNamespace,
  makeDefaultServiceAccount,
  startFakeNode,
  waitForDefaultServiceAccount,
  waitForSystemNamespaces,
} from './readiness.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { apiServerFor, type Program } from './tools.ts';

export interface ControlPlaneOptions {
  readonly level?: Level;
  /**
   * Another minor to act like, as `1.34`: its API versions, fields and feature gates. 1.31, 1.32 and 1.37 have another API server and only level 1,
   * because the other programs are those of 1.36.
   */
  readonly emulatedVersion?: string;
  /** More kube-apiserver flags; they come last, so they win. */
  readonly apiServerArgs?: readonly string[];
  /** Admission plug-ins beside the default set, as `AlwaysPullImages`. */
  readonly enableAdmissionPlugins?: readonly string[];
  readonly disableAdmissionPlugins?: readonly string[];
  /** kwok leaves the pods of transship alone: the test runs them as processes (test/charts/life/node.ts). */
  readonly runsTransshipPods?: boolean;
  /** kwok plays a node that does not reach this registry. */
  readonly unreachable?: string;
}

/** The part of tap's `t` that is used, so that `npm run cluster` can do without. */
export interface TestScope {
  teardown(stop: () => Promise<void>): void;
  passing(): boolean;
  comment(text: string): void;
}

export interface ControlPlane {
  readonly level: Level;
  /** Path of a kubeconfig file for the cluster's administrator. */
  readonly kubeconfig: string;
  readonly url: string;
  /** Inside 127.0.0.0/8: listen on a Service's ClusterIP and the API server finds you there. */
  readonly serviceCidr: string;
  /** For files of the test; goes away with the cluster. */
  readonly folder: string;
  /** Environment for other programs that should find this cluster's kubectl, helm and kubeconfig. */
  readonly environment: NodeJS.ProcessEnv;
  readonly api: Api;
  readonly kubectl: Command;
  readonly helm: Command;
  /** Makes a namespace and resolves when pods can be created in it. */
  createNamespace(name: string, labels?: Record<string, string>): Promise<void>;
  /** Starts a program that ends with the cluster, and whose log is kept with the others when a test fails. */
  start(launch: Omit<Launch, 'logFile'> & { readonly name: string }): Supervised;
  /** What a program of the cluster has written so far; undefined when this level does not run it. */
  log(program: Program): string | undefined;
  /** Ends everything and removes the folder; with `keepLogs` resolves to where the logs are now. */
  stop(options?: { keepLogs: boolean }): Promise<string | undefined>;
}

/**
 * Resolves when the API server is ready, the namespace `default` takes pods and, at level 3, a node is there to run them.
 * With `t` it stops in the test's teardown, and keeps the logs when the test has failed. Throws, with the reason and the place of the logs, when it cannot start.
 */
export async function startControlPlane(t?: TestScope, options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const { level = 1 } = options;
  const folder = temporaryFolder('transship-cluster');
  const loopback = await reserveLoopback().catch((error: unknown) => {
    folder.remove();
    throw error;
  });
  const settings = {
    folder: folder.path,
    loopback,
    kubeconfig: join(folder.path, 'kubeconfig'),
    emulatedVersion: options.emulatedVersion,
    kwokStages: stagesFor(folder.path, options),
  };
  const running: Supervised[] = [];
  const processOf = (program: Program): Supervised | undefined => running.find(({ name }) => name === program);
  const start: ControlPlane['start'] = (launch) => {
    const child = supervise({ cwd: folder.path, ...launch, logFile: join(folder.path, 'log', `${launch.name}.log`) });
    running.push(child);
    return child;
  };
  const closers: (() => void)[] = [];
  let stopped: Promise<string | undefined> | undefined;

  const stop: ControlPlane['stop'] = ({ keepLogs } = { keepLogs: false }) => (stopped ??= end(keepLogs));
  async function end(keepLogs: boolean): Promise<string | undefined> {
    for (const close of closers) close();
    // Killed, all at once: there is nothing to hand over, and a graceful stop takes ten seconds.
    await Promise.all(running.map((process) => process.stop()));
    await loopback.release();
    const logs = keepLogs ? keptLogs(join(folder.path, 'log')) : undefined;
    folder.remove();
    return logs;
  }

  t?.teardown(async () => {
    const logs = await stop({ keepLogs: !t.passing() });
    if (logs !== undefined) t.comment(`logs of the control plane: ${logs}`);
  });
  try {
    const api = await prepare(settings);
    closers.push(() => api.close());
    await startPrograms(settings, { ...options, level }, { api, start });
    const environment = commandEnvironment(settings.kubeconfig, folder.path);
    return {
      level,
      kubeconfig: settings.kubeconfig,
      url: apiServerUrl(loopback),
      serviceCidr: loopback.serviceCidr,
      folder: folder.path,
      environment,
      api,
      kubectl: command('kubectl', environment),
      helm: command('helm', environment),
      createNamespace: (name, labels = {}) => createNamespace(api, processOf('kube-controller-manager'), { name, labels }),
      start,
      log: (program) => processOf(program)?.log(),
      stop,
    };
  } catch (error) {
    const logs = await stop({ keepLogs: true });
    throw new Error(`the control plane did not start (logs: ${logs}): ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function stagesFor(folder: string, { runsTransshipPods = false, unreachable }: ControlPlaneOptions): string {
  if (unreachable !== undefined) return writeStagesWithoutRegistry(folder, unreachable);
  return runsTransshipPods ? writeStagesWithoutTransship(folder) : kwokStages;
}

/** Writes what the programs read: certificates, token keys, the kubeconfig. Resolves to the administrator's connection. */
async function prepare({ folder, loopback, kubeconfig }: Settings): Promise<Api> {
  mkdirSync(join(folder, 'log'));
  const authority = await createAuthority('transship-test-cluster');
  const server = await authority.server([loopback.address, 'localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc']);
  const admin = await authority.client('O=system:masters, CN=administrator');
  const tokens = serviceAccountKeys();
  const file = files(folder);
  const contents: [path: string, text: string][] = [
    [file.authority, authority.certificate],
    [file.serverCertificate, server.certificate],
    [file.serverKey, server.key],
    [file.tokenPublicKey, tokens.publicKey],
    [file.tokenPrivateKey, tokens.privateKey],
    [kubeconfig, adminKubeconfig(apiServerUrl(loopback), authority.certificate, admin)],
  ];
  for (const [path, text] of contents) writeFileSync(path, text, { mode: 0o600 });
  return createApi(apiServerUrl(loopback), authority.certificate, admin);
}

async function startPrograms(
  settings: Settings,
  options: ControlPlaneOptions & { level: Level },
  { api, start }: Pick<ControlPlane, 'api' | 'start'>,
): Promise<void> {
  const run = (program: Program, args: readonly string[]) => start({ name: program, command: binary(program), args });
  const etcd = run('etcd', etcdFlags(settings));
  await waitUntil(etcd, '/health', async () => (await fetch(`${etcdUrl(settings.loopback)}/health`)).ok);

  const apiServer = start({
    name: 'kube-apiserver',
    command: binary(apiServerFor(options.emulatedVersion)),
    args: [...apiServerFlags(settings), ...chosenFlags(options)],
  });
  await waitUntil(apiServer, '/readyz', async () => (await api.send('GET', '/readyz')).status === 200);
  await waitForSystemNamespaces(api, apiServer);
  if (options.level === 1) return makeDefaultServiceAccount(api, 'default');

  const controllerManager = run('kube-controller-manager', controllerManagerFlags(settings));
  if (options.level === 3) {
    run('kube-scheduler', schedulerFlags(settings));
    await startFakeNode(api, run('kwok', kwokFlags(settings)));
  }
  await waitForDefaultServiceAccount(api, 'default', controllerManager);
}

function chosenFlags({ enableAdmissionPlugins = [], disableAdmissionPlugins = [], apiServerArgs = [] }: ControlPlaneOptions): string[] {
  const flags = [];
  if (enableAdmissionPlugins.length > 0) flags.push(`--enable-admission-plugins=${enableAdmissionPlugins.join(',')}`);
  if (disableAdmissionPlugins.length > 0) flags.push(`--disable-admission-plugins=${disableAdmissionPlugins.join(',')}`);
  return [...flags, ...apiServerArgs];
}

/** Out of the temporary folder, which nobody would look for, into the cache folder beside the builds. */
function keptLogs(logFolder: string): string {
  const kept = join(cacheFolder(), 'failed', `${new Date().toISOString().replaceAll(/[:.]/g, '-')}-${process.pid}`);
  cpSync(logFolder, kept, { recursive: true });
  return kept;
}
