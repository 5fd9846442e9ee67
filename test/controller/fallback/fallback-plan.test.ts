/** Which containers go where: each row is a pod, and what becomes of it. */
import type { V1Container, V1Pod } from '@kubernetes/client-node';
import { test } from 'tap';

import { planFallback, secretGrace, stepInterval, type Plan } from '../../../src/controller/fallback/fallback-plan.ts';
import { patchOf, recordOf } from '../../../src/controller/fallback/step-patch.ts';
import { KnownCauses } from '../../../src/controller/fallback/known-causes.ts';
import { seenPod } from '../../../src/controller/fallback/seen-pod.ts';
import { parseFallback } from '../../../src/pod/fallback-record.ts';
import { compiled, type PolicyInput } from '../../rules/policy.ts';

const digest = `sha256:${'0a'.repeat(32)}`;
const now = Date.parse('2026-06-01T12:00:00Z');
const at = (seconds: number): string => new Date(now - seconds * 1000).toISOString();

const policy: PolicyInput = {
  registries: {
    mirror: { host: 'mirror.example' },
    backup: { host: 'backup.example', pullSecrets: ['backup'] },
    late: { hostFrom: { localRegistryHosting: true } },
  },
  imageManagers: [{ name: 'operator', podSelector: { matchLabels: { operated: 'yes' } }, exclude: false }],
  rules: [
    {
      name: 'hub',
      match: { images: ['docker.io'] },
      rewrite: { registry: 'mirror', as: 'path' },
      alternatives: [{ registry: 'late', as: 'path' }, { registry: 'backup', as: 'path' }, { as: 'original' }],
    },
    {
      name: 'moving',
      match: { images: ['quay.io'] },
      rewrite: { registry: 'mirror', as: 'fullName' },
      alternatives: [{ as: 'original' }],
      onMutableTag: 'fallBack',
    },
    { name: 'alone', match: { images: ['ghcr.io'] }, rewrite: { registry: 'mirror', as: 'fullName' } },
  ],
};

const refused = 'dial tcp 10.1.2.3:443: connect: connection refused';

interface Given {
  readonly image?: string;
  readonly original?: string | null;
  readonly container?: Partial<V1Container>;
  readonly list?: 'containers' | 'initContainers' | 'ephemeralContainers';
  readonly reason?: string;
  readonly message?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly metadata?: object;
  /** As the status has it. */
  readonly reported?: string;
  readonly observedGeneration?: number;
  readonly volumes?: NonNullable<V1Pod['spec']>['volumes'];
}

const mirrored = 'mirror.example/library/nginx:1';

function podOf(given: Given): V1Pod {
  const { image = mirrored, original = 'nginx:1', container = {}, list = 'containers', reason = 'ErrImagePull', message = refused } = given;
  const records = original === null ? {} : { 'transship.dev/original-images': JSON.stringify({ app: original }) };
  const status = {
    name: 'app',
    image: given.reported ?? image,
    imageID: '',
    ready: false,
    restartCount: 0,
    state: { waiting: { reason, message } },
  };
  const statuses = {
    containers: 'containerStatuses',
    initContainers: 'initContainerStatuses',
    ephemeralContainers: 'ephemeralContainerStatuses',
  }[list];
  return {
    metadata: {
      name: 'web',
      namespace: 'shop',
      uid: 'u',
      resourceVersion: '7',
      labels: given.labels ?? {},
      annotations: { ...records, ...given.annotations },
      ...given.metadata,
    },
    spec: {
      containers: [{ name: 'main', image: 'mirror.example/library/main:1' }],
      [list]: [{ name: 'app', image, ...container }],
      imagePullSecrets: [{ name: 'backup' }],
      ...(given.volumes !== undefined && { volumes: given.volumes }),
    },
    status: { [statuses]: [status], ...(given.observedGeneration !== undefined && { observedGeneration: given.observedGeneration }) },
  };
}

interface Where {
  readonly namespaceLabels?: Record<string, string> | null;
  readonly namespace?: string;
}

function plan(given: Given, { namespaceLabels = { 'transship.dev/rewrite': 'enabled' } }: Where = {}, input = policy): Plan {
  return planFallback(seenPod(podOf(given)), {
    policy: compiled(input),
    scope: {
      namespace: 'transship',
      optIn: 'OptIn',
      optInValues: ['enabled', 'shadow'],
      optOutValues: ['disabled'],
      excludedNamespaces: ['excluded'],
    },
    namespaceLabels,
    now,
  });
}

const fellBack = (step: number, to: string, seconds: number, from = mirrored) => ({
  'transship.dev/fallback': JSON.stringify({ app: { step, from, to, at: at(seconds) } }),
});

test('moves', (t) => {
  const backup = 'backup.example/library/nginx:1';
  const rows: readonly (readonly [title: string, given: Given, to: string, step: number, delay?: number])[] = [
    ['a container, past an alternative whose host is not resolved', {}, backup, 2],
    ['an init container', { list: 'initContainers' }, backup, 2],
    ['a sidecar', { list: 'initContainers', container: { restartPolicy: 'Always' } }, backup, 2],
    ['in back-off', { reason: 'ImagePullBackOff', message: `Back-off pulling image "${mirrored}": ErrImagePull: ${refused}` }, backup, 2],
    ['an invalid name', { reason: 'InvalidImageName', message: '' }, backup, 2],
    [
      'a pod that is opted in by its own label',
      { labels: { 'transship.dev/rewrite': 'enabled' }, metadata: { namespace: 'other' } },
      backup,
      2,
    ],
    [
      'a digest with Always',
      { image: `mirror.example/library/nginx@${digest}`, original: `nginx@${digest}`, container: { imagePullPolicy: 'Always' } },
      `backup.example/library/nginx@${digest}`,
      2,
    ],
    [
      'a tag with Always, as the rule says',
      { image: 'mirror.example/quay.io/a/b:1', original: 'quay.io/a/b:1', container: { imagePullPolicy: 'Always' } },
      'quay.io/a/b:1',
      1,
    ],
    ['the next step, at once after its time', { image: backup, annotations: fellBack(2, backup, 121) }, 'nginx:1', 3],
    ['the next step, when it is due', { image: backup, annotations: fellBack(2, backup, 30) }, 'nginx:1', 3, 2 * stepInterval - 30_000],
    ['a step of a leader whose clock is ahead', { image: backup, annotations: fellBack(2, backup, -3600) }, 'nginx:1', 3, 2 * stepInterval],
    ['a pod that began at an alternative', { image: backup }, 'nginx:1', 1],
    ['the order of the alternatives has changed since', { image: backup, annotations: fellBack(1, backup, 3600) }, 'nginx:1', 2],
    ['the record is of another image', { annotations: fellBack(3, 'nginx:1', 3600) }, backup, 2],
    [
      'a login that is refused, while the pull secret may be on its way',
      { message: '401 Unauthorized', metadata: { creationTimestamp: at(5) } },
      backup,
      2,
      secretGrace - 5_000,
    ],
    ['a login that is refused, later', { message: '401 Unauthorized', metadata: { creationTimestamp: at(21) } }, backup, 2],
    ['a status of this image', { metadata: { generation: 2 }, observedGeneration: 2 }, backup, 2],
    [
      'a container that ran before, which the status names otherwise',
      { reported: 'sha256:0a', message: `failed to pull image "${mirrored}": not found` },
      backup,
      2,
    ],
    ['the record is no JSON', { annotations: { 'transship.dev/fallback': '{' } }, backup, 2],
  ];
  for (const [title, given, to, step, delay = 0] of rows) {
    const { moves, stays, delay: until } = plan(given);
    t.match(moves, [{ to, step }], title);
    t.equal(moves.length, 1, title);
    t.strictSame(stays, [], title);
    t.equal(until, delay, title);
  }
  t.end();
});

const changed = (alternatives: readonly string[], name = 'hub', mirror = 'mirror.example'): PolicyInput => ({
  registries: { mirror: { host: mirror }, backup: { host: 'backup.example' }, spare: { host: 'spare.example' } },
  rules: [
    {
      name,
      match: { images: ['docker.io'] },
      rewrite: { registry: 'mirror', as: 'path' },
      alternatives: alternatives.map((each) => (each === 'original' ? { as: 'original' } : { registry: each, as: 'path' })),
    },
  ],
});
const movedTo = (to: string, step: number, earlier: readonly string[] = []): Given => {
  const steps = earlier.slice(0, -1).map((from) => ({ from, at: at(9000) }));
  const record = { step, from: earlier.at(-1) ?? mirrored, to, at: at(3600), ...(steps.length > 0 && { earlier: steps }) };
  return { image: to, annotations: { 'transship.dev/fallback': JSON.stringify({ app: record }) } };
};

test('the policy has changed since the pod was created, or moved', (t) => {
  const backup = 'backup.example/library/nginx:1';
  const spare = 'spare.example/library/nginx:1';
  const rows: readonly (readonly [title: string, given: Given, policy: PolicyInput, to: string | null, step?: number])[] = [
    ['the rule has another name', {}, changed(['backup'], 'renamed'), backup, 1],
    ['the first alternative is another one by now', {}, changed(['spare', 'backup']), spare, 1],
    ['reordered: the one that was not tried', movedTo(backup, 1), changed(['original', 'backup']), 'nginx:1', 2],
    ['reordered: each is tried once', movedTo('nginx:1', 2, [mirrored, backup]), changed(['original', 'backup']), null],
    ['reordered in the middle', movedTo(backup, 2, [mirrored, spare]), changed(['backup', 'original', 'spare']), 'nginx:1', 3],
    ['one more in front', movedTo(backup, 1), changed(['spare', 'backup']), spare, 2],
    ['one more at the end', movedTo(backup, 1), changed(['backup', 'spare']), spare, 2],
    ['the one where it is was removed', movedTo(backup, 1), changed(['spare', 'original']), 'nginx:1', 2],
    [
      'another first target: it was not tried',
      movedTo(backup, 1),
      changed(['spare', 'backup'], 'hub', 'new.example'),
      'new.example/library/nginx:1',
      2,
    ],
    ['none is left', movedTo(backup, 1), changed(['backup']), null],
  ];
  for (const [title, given, input, to, step] of rows) {
    const { moves, stays } = plan(given, {}, input);
    t.strictSame(
      moves.map((move) => [move.to, move.step]),
      to === null ? [] : [[to, step]],
      title,
    );
    t.strictSame(
      stays.map(({ result }) => result),
      to === null ? ['exhausted'] : [],
      title,
    );
  }
  t.end();
});

test('a failure of the image before counted against the registry of the alternative, and opened its breaker too', (t) => {
  const pulling = (name: string): string => `failed to pull and unpack image "${name}": failed to do request: ${refused}`;
  const rows: readonly (readonly [from: string, to: string, message: string, failing: number])[] = [
    [mirrored, 'backup.example/nginx:1', pulling(mirrored), 0],
    [mirrored, 'backup.example/nginx:1', `Back-off pulling image "${mirrored}": ErrImagePull: ${pulling(mirrored)}`, 0],
    [mirrored, 'backup.example/nginx:1', pulling('backup.example/nginx:1'), 1],
    [mirrored, 'backup.example/nginx:1', refused, 1],
    ['mirror.example/nginx:1', 'nginx:1', pulling('mirror.example/nginx:1'), 0],
    ['mirror.example/nginx:1', 'nginx:1', pulling('docker.io/library/nginx:1'), 1],
    ['nginx:1', 'mirror.example/nginx:1', pulling('mirror.example/nginx:1'), 1],
    ['nginx:1', 'mirror.example/nginx:1', pulling('docker.io/library/nginx:1'), 0],
  ];
  for (const [from, to, message, failing] of rows) {
    const record = JSON.stringify({ app: { step: 1, from, to, at: '2026-06-01T12:00:00Z' } });
    const pod = podOf({
      image: to,
      message,
      annotations: { 'transship.dev/fallback': record },
      metadata: { generation: 2 },
      observedGeneration: 2,
    });
    t.equal(seenPod(pod).failing.length, failing, `${from} to ${to}: ${message}`);
  }
  t.end();
});

test('nothing to do', (t) => {
  const rows: readonly (readonly [title: string, given: Given, where?: Where])[] = [
    ['a container that waits for something else', { reason: 'CrashLoopBackOff' }],
    ['a status of the image before, by its generation', { metadata: { generation: 2 }, observedGeneration: 1 }],
    ['a status of the image before, by its name', { reported: 'mirror.example/library/nginx:0' }],
    ['a full disk', { message: 'write /var/lib: no space left on device' }],
    ['the limits of the kubelet', { message: 'pull QPS exceeded' }],
    ['imagePullPolicy Never', { reason: 'ErrImageNeverPull', container: { imagePullPolicy: 'Never' } }],
    ['Never, whatever the reason', { container: { imagePullPolicy: 'Never' } }],
    ['an image that was not rewritten', { original: null }],
    ['a debug container elsewhere', { list: 'ephemeralContainers', original: null, image: 'other.example/nginx:1' }],
    ['a debug container whose image is no reference', { list: 'ephemeralContainers', image: 'A:b:c', reason: 'InvalidImageName' }],
    ['a rule without alternatives', { image: 'mirror.example/ghcr.io/a/b:1', original: 'ghcr.io/a/b:1' }],
    ['a namespace that is not opted in', {}, { namespaceLabels: {} }],
    ['a namespace that is not known', {}, { namespaceLabels: null }],
    ['an excluded namespace', { metadata: { namespace: 'excluded' } }],
    ['the namespace of the release', { metadata: { namespace: 'transship' } }],
    ['kube-system', { metadata: { namespace: 'kube-system' } }],
    ['a pod that is opted out', { labels: { 'transship.dev/rewrite': 'disabled' } }],
    ['a mirror pod', { annotations: { 'kubernetes.io/config.mirror': 'x' } }],
    ['a pod of an image manager, even of one whose pods are rewritten', { labels: { operated: 'yes' } }],
    ['a pod of a known image manager', { labels: { 'cnpg.io/cluster': 'db' } }],
    ['a pod that is being deleted', { metadata: { deletionTimestamp: '2026-06-01T12:00:00Z' } }],
  ];
  for (const [title, given, where] of rows) {
    const { moves, stays } = plan(given, where);
    t.strictSame([moves, stays], [[], []], title);
  }
  t.end();
});

test('what cannot be done is told', (t) => {
  const volume = { name: 'model', image: { reference: 'mirror.example/library/model:1' } };
  const rows: readonly (readonly [title: string, given: Given, result: string, message: RegExp])[] = [
    ['a debug container', { list: 'ephemeralContainers', original: null }, 'impossible', /debug containers cannot be changed/],
    [
      'a debug container at an alternative',
      { list: 'ephemeralContainers', original: null, image: 'backup.example/library/nginx:1' },
      'impossible',
      /backup.* of debug container app/,
    ],
    [
      'an image volume of a container that was not rewritten',
      {
        original: null,
        image: 'own.example/app:1',
        volumes: [volume],
        message: `failed to pull image "${volume.image.reference}": not found`,
      },
      'impossible',
      /^The image of volume model/,
    ],
    [
      'an image volume',
      { volumes: [volume], message: `failed to pull and unpack image "${volume.image.reference}": not found` },
      'impossible',
      /^The image of volume model, mirror\.example\/library\/model:1, cannot be pulled/,
    ],
    [
      'an image of an earlier policy',
      { image: 'old.example/library/nginx:1' },
      'impossible',
      /the present policy makes mirror\.example\/library\/nginx:1 of nginx:1: the policy has changed/,
    ],
    ['an image that somebody else wrote', { image: 'docker.io/library/nginx:2' }, 'impossible', /or somebody else wrote the image/],
    [
      'a tag with Always',
      { container: { imagePullPolicy: 'Always' } },
      'impossible',
      /Name it by digest, or set onMutableTag: fallBack in rule hub/,
    ],
    [
      'no further alternative',
      { image: 'nginx:1', annotations: fellBack(3, 'nginx:1', 3600) },
      'exhausted',
      /rule hub has no further alternative/,
    ],
  ];
  for (const [title, given, result, message] of rows) {
    const { moves, stays } = plan(given);
    t.strictSame(moves, [], title);
    t.match(stays, [{ result, message }], title);
  }
  t.end();
});

test('the pod lacks a pull secret of the alternative: it is tried, and said', (t) => {
  const { moves } = planFallback(
    { ...seenPod(podOf({})), pullSecrets: [] },
    {
      policy: compiled(policy),
      scope: { namespace: 'transship', optIn: 'OptOut', optInValues: [], optOutValues: ['disabled'], excludedNamespaces: [] },
      namespaceLabels: {},
      now,
    },
  );
  t.match(moves, [{ missingSecrets: ['backup'] }]);
  t.end();
});

test('the patch: images by container name, one record, and the version that was seen', (t) => {
  const entry = { step: 1, from: 'a', to: 'b', at: at(900) };
  const written = podOf({ annotations: { 'transship.dev/fallback': JSON.stringify({ other: entry, gone: entry }) } });
  written.spec?.containers.push({ name: 'other', image: 'b' });
  const pod = seenPod(written);
  const { moves } = plan({});
  const { metadata, spec } = patchOf(pod, moves, recordOf(pod, moves, new Date(now)));
  t.match(metadata, { uid: 'u', resourceVersion: '7' });
  t.strictSame(JSON.parse(metadata?.annotations?.['transship.dev/fallback'] ?? ''), {
    other: { step: 1, from: 'a', to: 'b', at: at(900) },
    app: { step: 2, from: mirrored, to: 'backup.example/library/nginx:1', at: at(0), reason: 'unreachable' },
  });
  t.strictSame(spec, { containers: [{ name: 'app', image: 'backup.example/library/nginx:1' }] });
  t.end();
});

const recorded = (pod: Given): unknown => Object.fromEntries(recordOf(seenPod(podOf(pod)), plan(pod).moves, new Date(now)));

test('the record keeps the steps before, in order', (t) => {
  const backup = 'backup.example/library/nginx:1';
  const given = { image: backup, message: 'manifest unknown', annotations: fellBack(2, backup, 900) };
  const last = { step: 3, from: backup, to: 'nginx:1', at: at(0), reason: 'not-found' };
  t.strictSame(recorded(given), { app: { ...last, earlier: [{ from: mirrored, at: at(900) }] } });
  const first = { from: 'other.example/nginx', at: at(9000), reason: 'tls' };
  const longer = { app: { step: 2, from: mirrored, to: backup, at: at(900), reason: 'unreachable', earlier: [first] } };
  t.strictSame(recorded({ ...given, annotations: { 'transship.dev/fallback': JSON.stringify(longer) } }), {
    app: { ...last, earlier: [first, { from: mirrored, at: at(900), reason: 'unreachable' }] },
  });
  t.strictSame(
    recorded({ annotations: fellBack(3, 'nginx:1', 3600) }),
    { app: { step: 2, from: mirrored, to: backup, at: at(0), reason: 'unreachable' } },
    'steps of another image are forgotten',
  );
  t.end();
});

const many = (value: unknown): string =>
  JSON.stringify(Object.fromEntries([['app', value], ...Array.from({ length: 300 }, (_, i) => [`c${i}`, value])]));

test('of records that somebody else wrote, no more is kept than a step needs: a hundred thousand entries stayed in memory for each pod', (t) => {
  const step = { step: 1, from: mirrored, to: mirrored, at: at(900) };
  const { originals, steps } = seenPod(
    podOf({ annotations: { 'transship.dev/original-images': many('nginx:1'), 'transship.dev/fallback': many(step) } }),
  );
  t.strictSame([...originals.keys()], ['app']);
  t.strictSame([...steps.keys()], ['app']);
  const long = 'a'.repeat(50_000);
  const kept = seenPod(podOf({ annotations: { 'transship.dev/original-images': many(long) }, message: `${refused} ${long}` }));
  t.ok(JSON.stringify(kept).length < 1_000, 'of a long name and a long message');
  for (const forged of [
    { ...step, step: -5 },
    { ...step, step: 0 },
    { ...step, step: 1e9 },
    { ...step, step: 1.5 },
    { ...step, to: long },
    { ...step, from: long },
    { ...step, at: long },
  ])
    t.equal(parseFallback(JSON.stringify({ app: forged })).size, 0, JSON.stringify(forged).slice(0, 80));
  const earlier = Array.from({ length: 300 }, () => ({ from: 'a', at: '' }));
  const word = 'a'.repeat(1_000);
  const entry = parseFallback(JSON.stringify({ app: { ...step, earlier: [{ from: 'a', at: at(9), reason: word }], reason: word } })).get(
    'app',
  );
  t.strictSame(entry, { ...step, earlier: [{ from: 'a', at: at(9) }] });
  t.equal(parseFallback(JSON.stringify({ app: { ...step, earlier } })).get('app')?.earlier?.length, 100);
  t.end();
});

test('a back-off that does not repeat its cause has the one that was seen before', (t) => {
  const causes = new KnownCauses();
  const backOff = seenPod(podOf({ reason: 'ImagePullBackOff', message: `Back-off pulling image "${mirrored}"` }));
  t.match(causes.complete(backOff).failing, [{ failure: { code: 'unknown' } }]);
  causes.complete(seenPod(podOf({})));
  t.match(causes.complete(backOff).failing, [{ failure: { code: 'unreachable' } }]);
  const other = seenPod(podOf({ image: 'mirror.example/other', reason: 'ImagePullBackOff', message: 'Back-off' }));
  t.match(causes.complete(other).failing, [{ failure: { code: 'unknown' } }], 'of another image nothing is known');
  t.end();
});

test('nearly nothing is kept of a pod that runs', (t) => {
  const kept = seenPod(podOf({ reason: 'PodInitializing' }));
  t.strictSame(kept.metadata, { name: 'web', namespace: 'shop', resourceVersion: '7' });
  t.strictSame(kept.failing, []);
  t.end();
});
