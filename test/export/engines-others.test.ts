/** Others that change pods as well, beside the webhook and beside the compiled policy: what is equal, and what is not. */
import { setTimeout as sleep } from 'node:timers/promises';
import tap, { test } from 'tap';
import { eventually } from '../charts/installed.ts';
import { skipReason } from '../cluster/binaries.ts';
import type { TestScope } from '../cluster/control-plane.ts';
import { imagesOf, originalsOf, type CreatedPod } from '../contract/running.ts';
import { accepted, makeSidecarPolicy, startMutatingWebhook } from '../contract/sidecars.ts';
import { addsSidecar, compiledEngine, everyday, webhookEngine, type Engine } from './engines.ts';
import { probed } from './probed-policy.ts';

tap.setTimeout(180_000);

const policy =
  probed(`apiVersion: transship.dev/v1
kind: RewritePolicy
registries: { mirror: { host: mirror.example.com, pullSecrets: [mirror-pull] } }
rules:
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path } }
`) ?? '';

async function created({ plane }: Engine, namespace: string, image: string): Promise<CreatedPod> {
  const spec = { initContainers: [{ name: 'setup', image }], containers: [{ name: 'main', image }], automountServiceAccountToken: false };
  const url = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
  const { body } = await plane.api.send<CreatedPod>('POST', url, { metadata: { name: 'web' }, spec });
  return body;
}

const rewritten = (image: string): string => `mirror.example.com/${image}`;
const isRewritten = (pod: CreatedPod, container: string): boolean => imagesOf(pod)[container]?.startsWith('mirror.example.com/') === true;

async function keepsSidecar(engine: Engine): Promise<boolean> {
  return isRewritten(await created(engine, 'with-policy', 'nginx'), 'sidecar');
}

async function recordsSidecarLast(engine: Engine): Promise<boolean> {
  return Object.keys(Object(originalsOf(await created(engine, 'with-sidecar', 'nginx')))).at(-1) === 'sidecar';
}

/** The outcomes with another policy, again and again: which one comes first is not defined, and changes whenever one of them does. */
async function inEitherOrder(
  engine: Engine,
  binding: string,
  outcome: (engine: Engine) => Promise<boolean>,
  attempts = 100,
): Promise<Set<boolean>> {
  const outcomes = new Set<boolean>();
  const url = `/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings/${binding}`;
  for (let attempt = 0; attempt < attempts && outcomes.size < 2; attempt += 1) {
    await engine.plane.api.send('PATCH', url, { metadata: { annotations: { attempt: String(attempt) } } }, 'application/merge-patch+json');
    await sleep(100);
    outcomes.add(await outcome(engine));
  }
  return outcomes;
}

/** Opts pods in. */
const labelPolicy = {
  mutatingadmissionpolicies: {
    metadata: { name: 'label' },
    spec: {
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }] },
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: { expression: 'Object{metadata: Object.metadata{labels: {"transship.dev/rewrite": "enabled"}}}' },
        },
      ],
    },
  },
  mutatingadmissionpolicybindings: {
    metadata: { name: 'label' },
    spec: { policyName: 'label', matchResources: { namespaceSelector: { matchLabels: { label: 'policy' } } } },
  },
} as const;

const optInLabel = 'transship.dev/rewrite';

/** Webhooks that change what a pod is decided by, before transship (`aa-`) and after it (`zz-`), in a namespace of the same name. */
const webhooks = [
  { name: 'aa-opts-in', address: 241, namespace: {}, change: { labels: { [optInLabel]: 'enabled' } } },
  { name: 'zz-opts-in', address: 242, namespace: {}, change: { labels: { [optInLabel]: 'enabled' } } },
  { name: 'aa-opts-out', address: 243, namespace: { [optInLabel]: 'enabled' }, change: { labels: { [optInLabel]: 'disabled' } } },
  { name: 'zz-opts-out', address: 244, namespace: { [optInLabel]: 'enabled' }, change: { labels: { [optInLabel]: 'disabled' } } },
  { name: 'aa-changes', address: 245, namespace: { [optInLabel]: 'enabled' }, change: { image: 'redis:8' } },
  { name: 'zz-changes', address: 246, namespace: { [optInLabel]: 'enabled' }, change: { image: 'redis:8' } },
] as const;

type Change = (typeof webhooks)[number]['change'];

/** Once, by an annotation: as a webhook that sets the image on every call it would undo all others. */
function patchOf(change: Change, { metadata }: CreatedPod): readonly object[] {
  if (metadata?.annotations?.['changed'] !== undefined) return [];
  return [
    { op: 'add', path: '/metadata/annotations', value: { ...metadata?.annotations, changed: 'true' } },
    'image' in change
      ? { op: 'replace', path: '/spec/containers/0/image', value: change.image }
      : { op: 'add', path: '/metadata/labels', value: change.labels },
  ];
}

async function addWebhooks(t: TestScope, { plane }: Engine): Promise<void> {
  for (const { name, address, namespace, change } of webhooks) {
    await plane.createNamespace(name, { ...namespace, webhook: name });
    await startMutatingWebhook(t, plane, { name, address, namespaceLabels: { webhook: name }, patch: (pod) => patchOf(change, pod) });
  }
}

/** The image of a new pod, once the other webhook is asked for it. */
async function changedImage(engine: Engine, namespace: string): Promise<string | undefined> {
  let pod = await created(engine, namespace, 'nginx');
  await eventually(`${namespace} is called`, async () => {
    pod = await created(engine, namespace, 'nginx');
    return pod.metadata?.annotations?.['changed'] === 'true';
  });
  return imagesOf(pod)['main'];
}

test('others change pods as well', { skip: skipReason({ level: 1 }) }, async (group) => {
  const [webhook, compiled] = await Promise.all([webhookEngine(group), compiledEngine(group)]);
  const engines = { webhook, compiled };
  for (const engine of Object.values(engines)) {
    await engine.plane.createNamespace('with-policy', { 'transship.dev/rewrite': 'enabled', mesh: 'policy' });
    await engine.plane.createNamespace('labelled', { label: 'policy' });
    for (const [plural, object] of Object.entries(labelPolicy)) await accepted(engine.plane, plural, object);
    await addWebhooks(group, engine);
    // Last: API servers take all policies that are new at once.
    await makeSidecarPolicy(engine.plane);
    await addsSidecar(engine.plane, 'with-policy');
    await engine.enforce(policy);
  }

  for (const [name, engine] of Object.entries(engines))
    await group.test(`${name}: a container that comes into a pod whose own images no rule concerns was left as written`, async (t) => {
      for (const image of ['nginx', 'ghcr.io/x/y']) {
        t.equal(imagesOf(await created(engine, 'with-injector', image))['sidecar'], rewritten('envoyproxy/envoy:v1.31'), image);
        t.equal(imagesOf(await created(engine, 'with-sidecar', image))['sidecar'], rewritten('library/sidecar:1'), image);
      }
    });

  await group.test('a container that another policy sets each time it is invoked', async (t) => {
    t.strictSame(await inEitherOrder(webhook, 'mesh', keepsSidecar, 10), new Set([true]), 'policies come before webhooks');
    t.strictSame(await inEitherOrder(compiled, 'mesh', keepsSidecar), new Set([true, false]));
  });

  await group.test('a label that another policy sets', async (t) => {
    const images = await Promise.all(
      Object.values(engines).map(async (engine) => imagesOf(await created(engine, 'labelled', 'nginx'))['main']),
    );
    t.strictSame(
      images,
      [rewritten('library/nginx'), 'nginx'],
      'the API server selects all policies for a pod before it evaluates the first',
    );
  });

  await group.test('a label or an image that another webhook sets', async (t) => {
    const found = new Map<string, readonly (string | undefined)[]>();
    for (const { name } of webhooks) found.set(name, await Promise.all(Object.values(engines).map((engine) => changedImage(engine, name))));
    t.strictSame(Object.fromEntries(found), {
      'aa-opts-in': [rewritten('library/nginx'), 'nginx'],
      'zz-opts-in': ['nginx', 'nginx'],
      'aa-opts-out': ['nginx', rewritten('library/nginx')],
      'zz-opts-out': [rewritten('library/nginx'), rewritten('library/nginx')],
      'aa-changes': [rewritten('library/redis:8'), rewritten('library/redis:8')],
      'zz-changes': [rewritten('library/redis:8'), rewritten('library/redis:8')],
    });
  });

  for (const [name, engine] of Object.entries(engines))
    await group.test(`${name}: a pod whose namespace opts in and out after its creation`, async (t) => {
      await engine.plane.createNamespace('relabelled');
      const url = '/api/v1/namespaces/relabelled/pods';
      const spec = { containers: [{ name: 'main', image: 'nginx:1' }], automountServiceAccountToken: false };
      t.equal((await engine.plane.api.send('POST', url, { metadata: { name: 'web' }, spec })).status, 201);
      const set = async (image: string): Promise<string | undefined> => {
        const patch = { spec: { containers: [{ name: 'main', image }] } };
        const type = 'application/strategic-merge-patch+json';
        return imagesOf((await engine.plane.api.send<CreatedPod>('PATCH', `${url}/web`, patch, type)).body)['main'];
      };
      const labelled = (value: string) =>
        engine.plane.api.send(
          'PATCH',
          '/api/v1/namespaces/relabelled',
          { metadata: { labels: { 'transship.dev/rewrite': value } } },
          'application/merge-patch+json',
        );
      t.equal(await set('nginx:2'), 'nginx:2');
      await labelled('enabled');
      // An image that stays the same is no change.
      let tag = 2;
      const isSet = async (): Promise<boolean> => (await set(`nginx:${(tag += 1)}`)) === rewritten(`library/nginx:${tag}`);
      await eventually('it is opted in', isSet);
      t.equal(await set('quay.io/a:1'), 'quay.io/a:1');
      await labelled('disabled');
      await eventually('it is opted out', async () => !(await isSet()));
    });

  await group.test('the order of records where another policy adds a container', async (t) => {
    t.strictSame(
      await inEitherOrder(webhook, 'sidecar', recordsSidecarLast, 10),
      new Set([false]),
      'containers come before initContainers',
    );
    t.strictSame(await inEitherOrder(compiled, 'sidecar', recordsSidecarLast), new Set([true, false]));
  });

  await group.test('--match-images: a container that comes into a pod whose own images no rule concerns', async (t) => {
    await compiled.enforce(policy, { ...everyday, matchImages: true });
    const sidecarOf = async (image: string): Promise<boolean> => isRewritten(await created(compiled, 'with-injector', image), 'sidecar');
    // The revision is the same: the condition shows when it is in force.
    for (let attempt = 0; attempt < 100 && (await sidecarOf('ghcr.io/x/y')); attempt += 1) await sleep(100);
    t.strictSame([await sidecarOf('ghcr.io/x/y'), await sidecarOf('nginx')], [false, true]);
  });
});
