/** The node itself: Ready, runs pods, pulls from a registry with a password, and leaves nothing on this machine. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import t from 'tap';

import { runningStill } from '../cluster/leftovers.ts';
import { nodeName } from './harness/settings.ts';
import { skipReason } from './harness/requirements.ts';
import { startNode } from './harness/node.ts';
import { patience } from './harness/poll.ts';

/** What a node could leave behind, as text that can be compared. */
function machine(): Record<string, unknown> {
  const folders = ['/run', '/run/netns', '/var/lib', '/var/lib/kubelet', '/var/lib/cni', '/var/log', '/etc/cni', '/sys/class/net'];
  return {
    mounts: readFileSync('/proc/self/mountinfo', 'utf8'),
    folders: Object.fromEntries(folders.map((folder) => [folder, entries(folder)])),
    cgroups: entries('/sys/fs/cgroup').flatMap((tree) => entries(join('/sys/fs/cgroup', tree)).map((group) => `${tree}/${group}`)),
    sysctls: settings('/proc/sys'),
    processes: processesOfNodes(),
  };
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder).toSorted();
  } catch {
    return ['(absent)'];
  }
}

/** The kernel's settings but those that count by themselves. */
function settings(folder: string): Record<string, string> {
  const counters =
    /random\/|fs\/(dentry|inode|file-nr|aio-nr)|ns_last_pid|nf_conntrack_count|pty\/nr|numa|quota|binfmt_misc|sched_domain|ucount|keys\//;
  const found: Record<string, string> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.isFile() || counters.test(file)) continue;
    try {
      found[file] = readFileSync(file, 'utf8');
    } catch {
      // Some can only be written.
    }
  }
  return found;
}

/** Processes that see the mounts of a node. */
function processesOfNodes(): string[] {
  const found = new Set<string>();
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      found.add(readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes('transship-node') ? pid : '');
    } catch {
      // It ended meanwhile.
    }
  }
  return [...found].filter(Boolean);
}

t.test('a node runs a pod and leaves nothing on this machine', { skip: skipReason() }, async (tt) => {
  const before = machine();
  const node = await startNode(tt);
  const { stdout } = await node.kubectl([
    'get',
    'node',
    nodeName,
    '--output=jsonpath={.status.nodeInfo.containerRuntimeVersion} {.status.nodeInfo.kubeletVersion}',
  ]);
  tt.comment(stdout);

  await tt.test('a pod runs, its log can be read', async (test) => {
    await node.kubectl(['run', 'first', '--image=transship.test/pause:1', '--image-pull-policy=Never', '--restart=Never', '--', 'done']);
    await node.kubectl(['wait', 'pod/first', '--for=jsonpath={.status.phase}=Succeeded', `--timeout=${patience}s`]);
    test.equal((await node.kubectl(['logs', 'first'])).stdout, 'done\n');
  });

  await tt.test('a component that was stopped comes back', async (test) => {
    await node.stopComponent('kube-scheduler');
    await test.rejects(node.exec(['pgrep', '-x', 'kube-scheduler']));
    node.startComponent('kube-scheduler');
    await node.kubectl(['run', 'second', '--image=transship.test/pause:1', '--image-pull-policy=Never']);
    await node.kubectl(['wait', 'pod/second', '--for=condition=Ready', `--timeout=${patience}s`]);
  });

  await node.stop();
  tt.strictSame(await runningStill(node.folder), [], 'no process');
  tt.strictSame(machine(), before, 'no mount, folder, cgroup, interface, changed setting');
});
