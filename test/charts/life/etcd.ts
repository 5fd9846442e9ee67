/** Backup and restore of the cluster's etcd: both with everything stopped, so that the copy is whole. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import type { ControlPlane } from '../../cluster/control-plane.ts';
import { kill, restartApiServer, runningProgram, startAgain } from '../../cluster/running-program.ts';

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
  for (const name of ['kube-controller-manager', 'kube-scheduler', 'kwok'] as const) {
    const program = runningProgram(plane, name);
    await kill(program);
    startAgain(plane, program);
  }
}

const withoutEtcd = (plane: ControlPlane, work: (data: string) => void): Promise<void> =>
  restartApiServer(plane, async () => {
    const etcd = runningProgram(plane, 'etcd');
    await kill(etcd);
    work(join(plane.folder, 'etcd'));
    startAgain(plane, etcd);
  });
