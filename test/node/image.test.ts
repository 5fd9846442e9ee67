/** The image of the product: built from the Dockerfile that is shipped, small, and run as the chart says. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { V1Pod, V1PodList } from '@kubernetes/client-node';
import t from 'tap';

import { temporaryFolder } from '../cluster/temporary-folder.ts';
import { run } from './harness/inside.ts';
import { install } from './harness/install.ts';
import { startNode } from './harness/node.ts';
import { productImage } from './harness/product-image.ts';
import { skipReason } from './harness/requirements.ts';

interface Manifest {
  readonly Config: string;
  readonly Layers: readonly string[];
}

/** What the product adds to Node.js and its libraries. */
const maxMegabytes = 8;
const maxFiles = 140;

const nameOf = (pod: V1Pod): string => pod.metadata?.name ?? '';
/** By container. */
const memoryLimitsOf = ({ spec }: V1Pod): Record<string, string | undefined> =>
  Object.fromEntries((spec?.containers ?? []).map(({ name, resources }) => [name, resources?.limits?.['memory']]));

t.test('the image', { skip: skipReason() }, async (tt) => {
  const archive = await productImage();
  const folder = temporaryFolder('transship-image-content');
  tt.teardown(() => folder.remove());
  execFileSync('tar', ['-C', folder.path, '-xf', archive]);
  const [manifest] = JSON.parse(readFileSync(join(folder.path, 'manifest.json'), 'utf8')) as [Manifest];
  const config = JSON.parse(readFileSync(join(folder.path, manifest.Config), 'utf8')) as { config: Record<string, unknown> };
  const [base, ...own] = manifest.Layers.map((layer) => join(folder.path, layer));
  const files = own.flatMap((layer) =>
    execFileSync('tar', ['-tf', layer], { encoding: 'utf8', maxBuffer: 1 << 26 })
      .split('\n')
      .filter((name) => name !== '' && !name.endsWith('/')),
  );
  const megabytes = own.reduce((sum, layer) => sum + statSync(layer).size, 0) / 1e6;
  tt.comment(
    `${megabytes.toFixed(1)} MB and ${files.length} files of its own, on a base of ${(statSync(base ?? '').size / 1e6).toFixed(1)} MB`,
  );

  await tt.test('is small and has only what runs', async (test) => {
    test.ok(megabytes < maxMegabytes, `less than ${maxMegabytes} MB`);
    test.ok(files.length < maxFiles, `fewer than ${maxFiles} files`);
    for (const wanted of ['main.js', 'LICENSES.txt']) test.ok(files.includes(`app/dist/bundle/${wanted}`), wanted);
    for (const unwanted of [/^app\/src\//, /node_modules/, /\/bin\/(sh|bash|npm)$/])
      test.strictSame(
        files.filter((file) => unwanted.test(file)),
        [],
        String(unwanted),
      );
  });

  await tt.test('runs as any user, under the permission model', async (test) => {
    test.match(config.config, { User: '65532:65532', Cmd: ['help'] });
    const [program, ...flags] = config.config['Entrypoint'] as string[];
    test.equal(program, 'node');
    test.ok(flags.includes('--permission'));
  });

  await tt.test('runs as its user from a read-only file system', async (test) => {
    const image = join(folder.path, 'root');
    mkdirSync(image);
    for (const layer of manifest.Layers) execFileSync('tar', ['-C', image, '-xf', join(folder.path, layer)]);
    const { Entrypoint, Env, WorkingDir } = config.config as { Entrypoint: string[]; Env: string[]; WorkingDir: string };
    // tap would have what it loads into every process of Node looked for inside.
    const script =
      'unset NODE_OPTIONS && mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec chroot --userspec=65532:65532 "$0" /usr/local/bin/"$@"';
    // The working folder is that of the image; chroot alone would leave it at the root.
    const [program = '', ...words] = Entrypoint.map((word) => (word.startsWith('dist/') ? `${WorkingDir}/${word}` : word));
    const explain = ['explain', '--policy', '/app/examples/sample.yaml', '-o', 'json', 'quay.io/acme/app:1'];
    const { stdout } = await run(['unshare', '--mount', 'bash', '-c', script, image, program, ...words, ...explain], {
      ...Object.fromEntries(Env.map((pair) => pair.split(/=(.*)/s).slice(0, 2))),
      PATH: process.env['PATH'],
    });
    test.match(JSON.parse(stdout), { image: 'quay.io/acme/app:1' });
  });
});

t.test('the pods of an installation', { skip: skipReason() }, async (tt) => {
  const node = await startNode(tt);
  await install(node, { rewritePolicy: { inline: { registries: {}, rules: [] } } });
  const { stdout } = await node.kubectl(['get', 'pods', '--namespace', 'transship', '--output=json']);
  const pods = (JSON.parse(stdout) as V1PodList).items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);

  await tt.test('two webhooks and a controller, which have not restarted', async (test) => {
    const found = pods.map((pod) => ({
      container: pod.spec?.containers[0]?.name,
      restarts: pod.status?.containerStatuses?.[0]?.restartCount,
    }));
    const webhook = { container: 'webhook', restarts: 0 };
    test.strictSame(
      found.toSorted((a, b) => String(a.container).localeCompare(String(b.container))),
      [{ container: 'controller', restarts: 0 }, webhook, webhook],
    );
    test.strictSame(Object.assign({}, ...pods.map(memoryLimitsOf)), { webhook: '384Mi', controller: '256Mi' });
    const policies = await node.kubectl(['get', 'networkpolicies', '--namespace', 'transship', '--output=name']);
    test.strictSame(policies.stdout.trim().split('\n'), [
      'networkpolicy.networking.k8s.io/transship',
      'networkpolicy.networking.k8s.io/transship-controller',
    ]);
  });

  /** The kernel's own words about a running process. */
  for (const pod of pods) {
    await tt.test(
      `${pod.spec?.containers[0]?.name}: user, capabilities, seccomp and root file system as the kernel has them`,
      async (test) => {
        const id = pod.status?.containerStatuses?.[0]?.containerID?.replace('containerd://', '') ?? '';
        const tasks = await node.exec(['ctr', '--address', '/run/containerd/containerd.sock', '--namespace', 'k8s.io', 'tasks', 'list']);
        const pid =
          tasks.stdout
            .split('\n')
            .find((line) => line.startsWith(id))
            ?.split(/\s+/)[1] ?? '';
        const { stdout: status } = await node.exec(['cat', `/proc/${pid}/status`]);
        test.match(status, /^Uid:\t65532\t65532\t65532\t65532$/m);
        test.match(status, /^CapEff:\t0+$/m);
        test.match(status, /^CapBnd:\t0+$/m);
        test.match(status, /^NoNewPrivs:\t1$/m);
        test.match(status, /^Seccomp:\t2$/m, 'a filter is in force');
        const { stdout: mounts } = await node.exec(['cat', `/proc/${pid}/mounts`]);
        test.match(mounts, /^overlay \/ overlay ro,/m);
        const { stdout: words } = await node.exec(['cat', `/proc/${pid}/cmdline`]);
        test.ok(words.split('\0').includes('--permission'));
        const uptime = Number((await node.exec(['cat', '/proc/uptime'])).stdout.split(' ')[0]);
        const start = Number((await node.exec(['cat', `/proc/${pid}/stat`])).stdout.replace(/^.*\) /, '').split(' ')[19]) / 100;
        const started = Date.now() - (uptime - start) * 1000;
        const { stdout: log } = await node.kubectl(['logs', nameOf(pod), '--namespace', 'transship']);
        const lines = log
          .split('\n')
          .filter((line) => line.startsWith('{'))
          .map((line) => JSON.parse(line) as { msg: string; time: number | string });
        const listening = lines.find(({ msg }) => /listening|ready/.test(msg));
        test.comment(
          `${nameOf(pod)}: ${listening?.msg} ${Math.round(new Date(listening?.time ?? 0).getTime() - started)} ms after its start; ${status.match(/^VmRSS:.*$/m)?.[0]}`,
        );
      },
    );
  }
});
