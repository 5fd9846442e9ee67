/** Backup and restore of the cluster's etcd: both with everything stopped, so that the copy is whole. */
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ControlPlane } from '../../cluster/control-plane.ts';
import { restartApiServer } from '../../controller/api-server.ts';

/** Resolves to what `restoreEtcd` takes. */
export async function backUpEtcd(plane: ControlPlane): Promise<string> {
  const backup = join(plane.folder, 'etcd-backup');
  await withoutEtcd(plane, (data) => cpSync(data, backup, { recursive: true }));
  return backup;
}

/**
 * As https://kubernetes.io/docs/tasks/administer-cluster/configure-upgrade-etcd/#restoring-an-etcd-cluster says: API server and etcd are stopped, and
 * the other parts of the control plane are started again. Programs of the release go on running.
 */
export async function restoreEtcd(plane: ControlPlane, backup: string): Promise<void> {
  await withoutEtcd(plane, (data) => {
    rmSync(data, { recursive: true });
    cpSync(backup, data, { recursive: true });
  });
  for (const program of ['kube-controller-manager', 'kube-scheduler', 'kwok']) (await stopped(plane, program))();
}

const withoutEtcd = (plane: ControlPlane, work: (data: string) => void): Promise<void> =>
  restartApiServer(plane, async () => {
    const start = await stopped(plane, 'etcd');
    work(join(plane.folder, 'etcd'));
    start();
  });

let starts = 0;

/** Kills a program of the cluster. Resolves, when it is gone, to what starts it again with the flags that it had. */
async function stopped(plane: ControlPlane, program: string): Promise<() => void> {
  const { pid, words } = find(plane, program);
  const [command = '', ...args] = words;
  process.kill(pid, 'SIGKILL');
  // A process that has ended has no command line any more, also while nobody has asked for its exit code.
  while (commandLine(String(pid)).length > 0) await sleep(20);
  return () => void plane.start({ name: `${program}-again-${++starts}`, command, args });
}

/** By the folder that only this cluster has. */
function find({ folder }: ControlPlane, program: string): { readonly pid: number; readonly words: readonly string[] } {
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const words = commandLine(entry);
    if (basename(words[0] ?? '') === program && words.some((word) => word.includes(folder))) return { pid: Number(entry), words };
  }
  throw new Error(`no ${program} runs with files of ${folder}`);
}

function commandLine(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}
