/** The value `engine` at real API servers: which versions take it, what the chart finds in the cluster, and what it makes of pods. Without any pod of transship. */
import { test } from 'tap';

import { skipReason } from '../cluster/binaries.ts';
import { command, type CommandError } from '../cluster/commands.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { chartFolder, release, type Values } from './chart.ts';
import { exportedPolicy, policyText } from './exported-policy.ts';
import { createDryRun, eventually, podWith } from './installed.ts';
import { labelled } from './opt-in.ts';

const exported: Values = {
  engine: 'admissionPolicy',
  admissionPolicy: { exported: exportedPolicy() },
  rewritePolicy: { inline: policyText },
};

interface Request {
  readonly program?: 'helm' | 'helm3';
  readonly name?: string;
  readonly words?: readonly string[];
}

/** @returns what Helm says on standard error, empty when it is done */
async function apply(plane: ControlPlane, verb: 'install' | 'upgrade', values: Values, request: Request = {}): Promise<string> {
  const { program = 'helm', name = release.name, words = [] } = request;
  const args = [verb, name, chartFolder, '--namespace', release.namespace, '--values', '-', ...words];
  return command(program, plane.environment)(args, { input: JSON.stringify(values) }).then(
    () => '',
    (error: CommandError) => error.stderr,
  );
}

const imageOf = async (plane: ControlPlane, namespace: string): Promise<string | undefined> =>
  (await createDryRun(plane, namespace, podWith('nginx'))).body.spec?.containers[0]?.image;

// The version is that of the binary: 1.34 emulates the first, and a newer one the others.
for (const [minor, version] of [
  ['1.31', 'v1.34.'],
  ['1.35', 'v1.'],
] as const)
  test(`Kubernetes ${minor} is refused by its version`, { skip: skipReason({ level: 1, minor }) }, async (t) => {
    const plane = await startControlPlane(t, { emulatedVersion: minor });
    await plane.createNamespace(release.namespace);
    for (const program of ['helm', 'helm3'] as const) {
      for (const engine of ['admissionPolicy', 'both']) {
        const stderr = await apply(plane, 'install', { ...exported, engine, admissionPolicy: {} }, { program });
        t.match(
          stderr,
          `engine is ${engine}, which needs MutatingAdmissionPolicy v1 (Kubernetes 1.36 or newer), and Kubernetes ${version}`,
          program,
        );
        t.match(stderr, 'does not serve it: use engine webhook, or upgrade the cluster');
      }
      const { stdout } = await plane.kubectl(['-n', release.namespace, 'get', 'configmaps,secrets,deployments', '-o', 'name']);
      t.notMatch(stdout, /transship/, 'nothing was installed');
    }
  });

const versions = [
  ['helm', '1.37', { emulatedVersion: '1.37' }, { minor: '1.37' }],
  ['helm3', '1.36', {}, {}],
] as const;
for (const [program, minor, cluster, needed] of versions)
  test(`${program}, Kubernetes ${minor}: an exported policy`, { skip: skipReason({ level: 1, ...needed }) }, async (t) => {
    const plane = await startControlPlane(t, cluster);
    await plane.createNamespace(release.namespace, labelled('enabled'));
    await plane.createNamespace('team-a', labelled('enabled'));
    t.equal(await apply(plane, 'install', exported, { program }), '');
    await eventually('pods are rewritten', async () => (await imageOf(plane, 'team-a')) === 'mirror.example.com/library/nginx');
    t.equal(await imageOf(plane, release.namespace), 'nginx', 'never in the release namespace');

    const text = policyText
      .replace('mirror.example.com/library/nginx', 'mirror.example.com/hub/library/nginx')
      .replace('as: path', 'as: path, prefix: hub');
    t.match(await apply(plane, 'upgrade', { ...exported, rewritePolicy: { inline: text } }, { program }), /export it again/);
    const next = { ...exported, admissionPolicy: { exported: exportedPolicy({}, text) }, rewritePolicy: { inline: text } };
    t.equal(await apply(plane, 'upgrade', next, { program }), '');
    await eventually('and by the next policy', async () => (await imageOf(plane, 'team-a')) === 'mirror.example.com/hub/library/nginx');

    await command(program, plane.environment)(['uninstall', release.name, '--namespace', release.namespace]);
    await eventually('no policy is left', async () => (await imageOf(plane, 'team-a')) === 'nginx');
    const { stdout } = await plane.kubectl(['get', 'mutatingadmissionpolicies,mutatingadmissionpolicybindings', '-o', 'name']);
    t.equal(stdout, '');
  });

const second = (optIn: object): Values => ({ rewritePolicy: { inline: policyText }, engine: 'both', optIn });

test('what is in the cluster already', { skip: skipReason({ level: 1 }) }, async (t) => {
  const plane = await startControlPlane(t);
  await plane.createNamespace(release.namespace);
  const policy = exportedPolicy().split('\n---\n')[0] ?? '';
  await plane.kubectl(['apply', '--server-side', '-f', '-'], { input: policy });
  t.match(
    await apply(plane, 'install', exported),
    /MutatingAdmissionPolicy "transship".* exists and cannot be imported into the current release/,
    'the object of a controller, or of somebody else, is not taken over',
  );
  await plane.kubectl(['delete', 'mutatingadmissionpolicy', 'transship']);
  await plane.helm(['uninstall', release.name, '--namespace', release.namespace, '--ignore-not-found']);

  t.equal(await apply(plane, 'install', exported), '');
  t.match(
    await apply(plane, 'install', second({}), { name: 'second', words: ['--dry-run=server'] }),
    /another release of transship, with the MutatingAdmissionPolicyBinding transship-namespaces, rewrites namespaces labelled transship\.dev\/rewrite=enabled already/,
  );
  const own = { value: 'second', shadowValue: 'second-shadow' };
  t.equal(await apply(plane, 'install', second(own), { name: 'second', words: ['--dry-run=server'] }), '');

  const third = { rewritePolicy: { inline: policyText }, optIn: { value: 'third', shadowValue: 'third-shadow' } };
  const scope = { name: 'third-transship', optInValue: 'third', shadowValue: 'third-shadow' };
  t.equal(await apply(plane, 'install', third, { name: 'third' }), '');
  t.match(
    await apply(
      plane,
      'upgrade',
      { ...third, engine: 'admissionPolicy', admissionPolicy: { exported: exportedPolicy(scope) } },
      { name: 'third' },
    ),
    /the MutatingAdmissionPolicy third-transship does not exist yet.*Upgrade with engine both first, which installs it\./,
    'not: until the controller has written it, which there is none of',
  );

  const byPolicy = { ...third, admissionPolicy: { exported: exportedPolicy(scope) } };
  t.equal(await apply(plane, 'upgrade', { ...byPolicy, engine: 'both' }, { name: 'third' }), '');
  const switched = (): Promise<string> =>
    apply(plane, 'upgrade', { ...byPolicy, engine: 'admissionPolicy' }, { name: 'third', words: ['--dry-run=server'] });
  const isNew = /MutatingAdmissionPolicy third-transship was created \d seconds ago.*Upgrade again in 10 seconds\./;
  await eventually('an upgrade that would remove the webhook before the API server has read the policy is refused', async () => {
    await plane.kubectl(['delete', 'mutatingadmissionpolicy', 'third-transship']);
    t.equal(await apply(plane, 'upgrade', { ...byPolicy, engine: 'both' }, { name: 'third' }), '');
    return isNew.test(await switched());
  });
  await eventually('later it is accepted', async () => (await switched()) === '');

  const hosts = { metadata: { name: 'third-transship-hosts' }, data: { 'breakers.yaml': 'mirror: { state: open }' } };
  t.match(await plane.api.send('POST', `/api/v1/namespaces/${release.namespace}/configmaps`, hosts), { status: 201 });
  const withFallback = (controller: object): Promise<string> =>
    apply(plane, 'upgrade', { ...third, engine: 'both', controller }, { name: 'third', words: ['--dry-run=server'] });
  t.match(
    await withFallback({}),
    /fallback is to be disabled, and ConfigMap third-transship-hosts says that registries are unavailable \(mirror\)/,
    'a policy of the controller kept to what a breaker had written before the feature was disabled',
  );
  t.equal(await withFallback({ features: { fallback: true }, fallback: { breaker: { enabled: false } } }), '');
});
