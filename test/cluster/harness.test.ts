import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { test, type Test } from 'tap';

import type { V1Pod, V1PodList } from '@kubernetes/client-node';

import { eventually } from '../cluster-client/eventually.ts';
import { skipReason } from './binaries.ts';
import { startControlPlane, type ControlPlane } from './control-plane.ts';
import { leftovers } from './leftovers.ts';

const level1 = { skip: skipReason({ level: 1, helm: false }) };
const level2 = { skip: skipReason({ level: 2, helm: false }) };
const level3 = { skip: skipReason({ level: 3, helm: false }) };

const pod = (name: string, spec: Partial<V1Pod['spec']> = {}) => ({
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'nginx:1.27' }], ...spec },
});

test('level 1', level1, async (suite) => {
  const plane = await startControlPlane(suite);
  suite.match(plane.serviceCidr, /^127\.\d+\.0\.0\/17$/);

  await suite.test('kubectl writes and reads', async (t) => {
    await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...pod('first') }) });
    const { stdout } = await plane.kubectl(['get', 'pod', 'first', '-o', 'jsonpath={.spec.containers[0].image}']);
    t.equal(stdout, 'nginx:1.27');
  });

  await suite.test('a refusal rejects with what kubectl said', async (t) => {
    await t.rejects(plane.kubectl(['create', 'namespace', 'Upper']), { name: 'CommandError', code: 1, message: /Invalid value: "Upper"/ });
  });

  await suite.test('a new namespace takes pods at once', async (t) => {
    await plane.createNamespace('team-a', { 'transship.dev/rewrite': 'enabled' });
    const { status } = await plane.api.send('POST', '/api/v1/namespaces/team-a/pods', pod('second'));
    t.equal(status, 201);
  });

  await suite.test('warnings of the API server are read', async (t) => {
    const deprecated = pod('third', { nodeSelector: { 'beta.kubernetes.io/os': 'linux' } });
    const { status, warnings } = await plane.api.send('POST', '/api/v1/namespaces/default/pods', deprecated);
    t.equal(status, 201);
    t.match(warnings, [/^spec.*deprecated/]);
  });

  await suite.test('helm takes the version for one of Kubernetes, and installs', { skip: skipReason({ level: 1 }) }, async (t) => {
    const chart = t.testdir({
      'Chart.yaml': 'apiVersion: v2\nname: tiny\nversion: 0.1.0\nkubeVersion: ">=1.33.0-0"\n',
      templates: { 'map.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tiny}\n' },
    });
    await plane.helm(['install', 'tiny', chart]);
    const { stdout } = await plane.helm(['list', '-o', 'json']);
    t.match(JSON.parse(stdout), [{ name: 'tiny', status: 'deployed' }]);
  });

  await suite.test('stop leaves nothing', async (t) => {
    t.equal(await plane.stop(), undefined, 'no logs are kept unless asked for');
    t.same(await leftovers(plane.folder), []);
  });
});

test('level 3', level3, async (suite) => {
  const plane = await startControlPlane(suite, { level: 3 });
  const image = 'registry.example.com/none/such:1';

  await suite.test('a Deployment comes to Running, with the image of its pods', async (t) => {
    await plane.kubectl(['create', 'deployment', 'web', `--image=${image}`, '--replicas=2']);
    await plane.kubectl(['rollout', 'status', 'deployment/web', '--timeout=60s']);
    const { body } = await plane.api.send<V1PodList>('GET', '/api/v1/namespaces/default/pods?labelSelector=app%3Dweb');
    const running = body.items.map(({ status }) => `${status?.phase} ${status?.containerStatuses?.[0]?.image}`);
    t.same(running, [`Running ${image}`, `Running ${image}`]);
  });

  await suite.test('a Job completes', async () => {
    await plane.kubectl(['create', 'job', 'once', `--image=${image}`]);
    await plane.kubectl(['wait', '--for=condition=Complete', 'job/once', '--timeout=60s']);
  });

  await suite.test('a deleted pod goes away', async (t) => {
    await plane.kubectl(['run', 'short', `--image=${image}`]);
    await plane.kubectl(['wait', '--for=condition=Ready', 'pod/short', '--timeout=60s']);
    await plane.kubectl(['delete', 'pod', 'short', '--timeout=60s']);
    await t.rejects(plane.kubectl(['get', 'pod', 'short']), { message: /NotFound/ });
  });
});

/** Makes os.tmpdir() the test's own folder, so that only what this test leaves is found there. */
function useTemporaryFolder(t: Test): string {
  const before = process.env['TMPDIR'];
  t.teardown(() => {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  });
  return (process.env['TMPDIR'] = t.testdir());
}

interface OwnedElsewhere {
  readonly owner: ChildProcess;
  readonly folder: string;
  readonly url: string;
}

/** A cluster whose owner is a process of its own, which can be killed. */
async function clusterOfAnotherProcess(): Promise<OwnedElsewhere> {
  const program = `
    import { startControlPlane } from ${JSON.stringify(new URL('control-plane.ts', import.meta.url).href)}
    const { folder, url } = await startControlPlane(undefined, { level: 2 })
    console.log(JSON.stringify({ folder, url }))`;
  const owner = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(owner.stdout, 'data');
  return { owner, ...JSON.parse(String(line)) };
}

const connects = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(url);
    const socket = createConnection(Number(port), hostname);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });

/** A pod with an image volume: on by default from 1.35, dropped without a word before. https://kubernetes.io/docs/tasks/configure-pod-container/image-volumes/ */
const imageVolume = (plane: ControlPlane) =>
  plane.api.send<V1Pod>(
    'POST',
    '/api/v1/namespaces/default/pods',
    pod('with-volume', { volumes: [{ name: 'data', image: { reference: 'quay.io/acme/data:1' } }] }),
  );

async function pullPolicy({ api }: ControlPlane): Promise<string | undefined> {
  const { body } = await api.send<V1Pod>('POST', '/api/v1/namespaces/default/pods', pod('pulled'));
  return body.spec?.containers[0]?.imagePullPolicy;
}

/** Served unless the flag --profiling=false says no. */
const profileStatus = async ({ api }: ControlPlane): Promise<number> => (await api.send('GET', '/debug/pprof/')).status;

test('two at once, one as an older minor', level1, async (suite) => {
  const [older, current] = await Promise.all([
    startControlPlane(suite, { emulatedVersion: '1.34' }),
    startControlPlane(suite, { enableAdmissionPlugins: ['AlwaysPullImages'], apiServerArgs: ['--profiling=false'] }),
  ]);

  await suite.test('they do not meet', async (t) => {
    t.not(older.url, current.url);
    t.not(older.serviceCidr, current.serviceCidr);
    await older.createNamespace('only-in-one');
    t.equal((await current.api.send('GET', '/api/v1/namespaces/only-in-one')).status, 404);
  });

  await suite.test('an emulated minor has the API of that minor', async (t) => {
    const policies = '/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies';
    t.equal((await older.api.send('GET', policies)).status, 404);
    t.equal((await current.api.send('GET', policies)).status, 200);
    t.equal((await imageVolume(older)).body.spec?.volumes?.[0]?.image, undefined);
    t.match((await imageVolume(current)).body.spec?.volumes?.[0]?.image, { reference: 'quay.io/acme/data:1' });
  });

  await suite.test('admission plug-ins and flags reach the API server they are for', async (t) => {
    t.same([await pullPolicy(older), await pullPolicy(current)], ['IfNotPresent', 'Always']);
    t.same([await profileStatus(older), await profileStatus(current)], [200, 404]);
  });
});

test('a start that fails says why, keeps the logs and leaves nothing else', level1, async (t) => {
  const temporary = useTemporaryFolder(t);
  const failed = await startControlPlane(undefined, { apiServerArgs: ['--no-such-flag'] }).then(
    () => t.fail('it started'),
    (error: unknown) => error,
  );
  if (!(failed instanceof Error)) return;
  t.match(failed.message, /kube-apiserver ended with 1 .*unknown flag: --no-such-flag/s);
  const logs = /logs: (.*?)\)/.exec(failed.message)?.[1] ?? '';
  t.teardown(() => rmSync(logs, { recursive: true }));
  t.ok(existsSync(`${logs}/kube-apiserver.log`));
  t.same(readdirSync(temporary), []);
});

test('the logs of a failed test are kept, and it is told where', level1, async (t) => {
  const teardowns: (() => Promise<void>)[] = [];
  const comments: string[] = [];
  const failing = {
    teardown: (stop: () => Promise<void>) => teardowns.push(stop),
    passing: () => false,
    comment: (text: string) => comments.push(text),
  };
  const plane = await startControlPlane(failing);
  for (const teardown of teardowns) await teardown();
  const [, logs = ''] = /^logs of the control plane: (.*)$/.exec(comments[0] ?? '') ?? [];
  t.teardown(() => rmSync(logs, { recursive: true }));
  t.same(readdirSync(logs), ['etcd.log', 'kube-apiserver.log']);
  t.same(await leftovers(plane.folder), []);
});

test('when its owner is killed, a cluster ends by itself', level2, async (t) => {
  const { owner, folder, url } = await clusterOfAnotherProcess();
  t.equal(await connects(url), true);
  owner.kill('SIGKILL');
  await once(owner, 'exit');
  t.same(await leftovers(folder), []);
  // A killed process has its ports until the last of its threads has ended, which is after it has lost its command line.
  await eventually('nobody listens', async () => !(await connects(url)));
});
