import { test } from 'tap';

import { createDryRun, eventually, podsPath, podWith } from '../charts/installed.ts';
import { labelled } from '../charts/opt-in.ts';
import { skipReason } from '../cluster/binaries.ts';
import { createPod, imagesOf, pullSecretsOf, restricted, reviews, running, type CreatedPod } from './running.ts';

const policy = `
apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: mirror.example.com, pullSecrets: [mirror-pull] }
rules:
  - { name: own-policy, match: { images: [docker.io/acme] }, rewrite: { registry: mirror, as: path }, pullPolicy: IfNotPresent }
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path } }
`;

const nginx = 'mirror.example.com/library/nginx:1.27';
const names = (list: readonly string[]) => list.map((name) => ({ name }));

const withSecrets = (secrets: readonly string[] | undefined, image = 'nginx:1.27') => {
  const { metadata, spec } = podWith(image);
  return { metadata, spec: { ...spec, ...(secrets === undefined ? {} : { imagePullSecrets: names(secrets) }) } };
};
const runAs = (serviceAccountName: string, secrets?: readonly string[]) => {
  const { metadata, spec } = withSecrets(secrets);
  return { metadata, spec: { ...spec, serviceAccountName } };
};
const asking = (name: string, cpu: string) => ({
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'nginx:1.27', resources: { requests: { cpu } } }] },
});

/** Level 2: the controller manager counts what a ResourceQuota limits. */
test("beside the API server's own admission plug-ins", { skip: skipReason({ level: 2 }) }, async (group) => {
  const installed = await running(group, { policy, cluster: { level: 2, enableAdmissionPlugins: ['AlwaysPullImages'] } });
  const { plane } = installed;
  await plane.createNamespace('shop', labelled('enabled'));
  const dryRun = (pod: object) => createDryRun(plane, 'shop', pod);
  const account = async (name: string, secrets: readonly string[], annotations: object = {}): Promise<void> => {
    const { status } = await plane.api.send('POST', '/api/v1/namespaces/shop/serviceaccounts', {
      metadata: { name, annotations },
      imagePullSecrets: names(secrets),
    });
    if (status !== 201) throw new Error(`no ServiceAccount ${name}`);
  };
  await group.test('pull secrets are appended by name, once, and none is moved', async (t) => {
    const rows: readonly (readonly [
      says: string,
      before: readonly string[] | undefined,
      after: readonly string[] | undefined,
      image?: string,
    ])[] = [
      ['none', undefined, ['mirror-pull']],
      ['an empty list', [], ['mirror-pull']],
      ['others', ['b', 'a'], ['b', 'a', 'mirror-pull']],
      ['the same, in the middle', ['b', 'mirror-pull', 'a'], ['b', 'mirror-pull', 'a']],
      ['an image that is there already', ['a'], ['a', 'mirror-pull'], nginx],
      ['an image of nobody', ['a'], ['a'], 'quay.io/acme/app:1'],
    ];
    for (const [says, before, after, image] of rows) t.same(pullSecretsOf((await dryRun(withSecrets(before, image))).body), after, says);
  });

  await group.test("a ServiceAccount's pull secrets come first: its plug-in has run before", async (t) => {
    await account('with-secrets', ['team-pull', 'other-pull']);
    await account('with-ours', ['mirror-pull']);
    t.same(pullSecretsOf((await dryRun(runAs('with-secrets'))).body), ['team-pull', 'other-pull', 'mirror-pull']);
    t.same(pullSecretsOf((await dryRun(runAs('with-ours'))).body), ['mirror-pull']);
    t.same(
      pullSecretsOf((await dryRun(runAs('with-secrets', ['own']))).body),
      ['own', 'mirror-pull'],
      'a pod with secrets of its own never gets those of its account',
    );
  });

  await group.test('a ServiceAccount that enforces mountable secrets must list the pull secret', async (t) => {
    const enforced = { 'kubernetes.io/enforce-mountable-secrets': 'true' };
    await account('strict', ['team-pull'], enforced);
    await account('strict-listed', ['team-pull', 'mirror-pull'], enforced);
    const { status, body } = await dryRun(runAs('strict'));
    t.equal(status, 403);
    t.match(body.message, 'imagePullSecrets[1].name="mirror-pull" is not allowed');
    t.equal((await dryRun({ ...runAs('strict'), metadata: { generateName: 'probe-', labels: labelled('disabled') } })).status, 201);
    t.same(pullSecretsOf((await dryRun(runAs('strict-listed'))).body), ['team-pull', 'mirror-pull']);
  });

  await group.test('AlwaysPullImages has its way with rewritten images as well', async (t) => {
    const images = { main: 'nginx:1.27', own: 'acme/app:1', other: 'quay.io/acme/app:1' };
    const containers = Object.entries(images).map(([name, image]) => ({ name, image, imagePullPolicy: 'IfNotPresent' }));
    const volumes = [{ name: 'model', image: { reference: 'acme/model:1', pullPolicy: 'IfNotPresent' } }];
    const { spec } = await createPod(installed, 'shop', { metadata: { name: 'always' }, spec: { containers, volumes } });
    t.same(imagesOf({ spec } as CreatedPod), {
      ...images,
      main: nginx,
      own: 'mirror.example.com/acme/app:1',
      model: 'mirror.example.com/acme/model:1',
    });
    t.same(
      spec?.containers.map(({ imagePullPolicy }) => imagePullPolicy),
      ['Always', 'Always', 'Always'],
    );
    t.equal(spec?.volumes?.find(({ name }) => name === 'model')?.image?.pullPolicy, 'Always');
  });

  await group.test('a pod under the Pod Security Standard restricted is rewritten and stays within it', async (t) => {
    await plane.createNamespace('restricted', { ...labelled('enabled'), 'pod-security.kubernetes.io/enforce': 'restricted' });
    const pod = await createPod(installed, 'restricted', {
      metadata: { name: 'web' },
      spec: { containers: [{ name: 'main', image: 'nginx:1.27', ...restricted }] },
    });
    t.same(imagesOf(pod), { main: nginx });
    t.equal((await createDryRun(plane, 'restricted', podWith('nginx:1.27'))).status, 403, 'and one that is not is refused as ever');
  });

  await group.test('a ResourceQuota counts a rewritten pod once, and a refused one not at all', async (t) => {
    await plane.createNamespace('limited', labelled('enabled'));
    const quota = '/api/v1/namespaces/limited/resourcequotas';
    await plane.api.send('POST', quota, { metadata: { name: 'two' }, spec: { hard: { pods: '2', 'requests.cpu': '1' } } });
    const used = async () =>
      (await plane.api.send<{ status?: { used?: Record<string, string> } }>('GET', `${quota}/two`)).body.status?.used;
    await eventually('the quota is counted', async () => (await used()) !== undefined);
    // The admission plug-in reads it from a cache, and refuses every pod before it has the count there.
    await eventually(
      'the plug-in knows the count',
      async () => (await createDryRun(plane, 'limited', asking('probe', '100m'))).status === 201,
    );
    const create = async (name: string, cpu: string) =>
      (await plane.api.send<CreatedPod>('POST', podsPath('limited'), asking(name, cpu))).status;
    const before = await reviews(installed);
    t.same(
      [await create('a', '100m'), await create('too-big', '2'), await create('b', '100m'), await create('c', '100m')],
      [201, 403, 201, 403],
    );
    t.same(await used(), { pods: '2', 'requests.cpu': '200m' });
    t.equal((await reviews(installed)) - before, 4, 'quota is checked after the webhooks');
  });
});
