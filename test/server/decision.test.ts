/** Pods that ask the same are answered from memory: nobody may notice, whatever comes in between. */
import { randomUUID } from 'node:crypto';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { pod, reviewOf, type Json } from '../builders/pod.ts';
import { call } from './call.ts';
import { metricsOf, running, samplePolicy } from './running.ts';
import { until } from './until.ts';

interface Answered {
  readonly response: { readonly uid: string; readonly patch?: string };
}

function replica(image: string, uid: string = randomUUID()): { readonly request: { readonly uid: string } } {
  const review = reviewOf({
    object: pod({ metadata: { generateName: 'web-6d5f7c9b8d-', namespace: 'shop' }, containers: { web: image } }),
  });
  return { ...review, request: { ...review.request, uid } };
}

test('ten replicas: each has its own uid, line and count, and all else is the same', async (t) => {
  const server = await running(t);
  const replicas = Array.from({ length: 10 }, () => replica('quay.io/acme/app:1'));
  const answers: Answered[] = [];
  for (const body of replicas) answers.push(JSON.parse((await call(server, { body })).text));
  const uids = replicas.map(({ request }) => request.uid);
  t.same(
    answers.map(({ response }) => response.uid),
    uids,
  );
  const [first, ...others] = answers.map(({ response: { uid: _uid, ...rest } }) => rest);
  for (const other of others) t.same(other, first);
  t.same(
    server.lines.map((line) => line['uid']),
    uids,
  );
  const [line, ...lines] = server.lines.map(({ uid: _uid, time: _time, durationMs, ...rest }) => {
    t.type(durationMs, 'number');
    return rest;
  });
  for (const other of lines) t.same(other, line);
  const metrics = await metricsOf(server);
  t.equal(metrics.get('transship_reviews_total{mode="enforce",result="patched"}'), 10);
  t.equal(metrics.get('transship_images_total{rule="vendor",outcome="rewritten",mode="enforce"}'), 10);
  t.equal(metrics.get('transship_review_duration_seconds_count{mode="enforce"}'), 10);
});

const owned = (kind: string, name: string): object => ({ apiVersion: 'batch/v1', kind, name, uid: 'x', controller: true });

interface Line {
  readonly uid: string;
  readonly pod: string;
  readonly owner: string | null;
}

test('pods under other names, with other labels: one answer, and each line has its own names', async (t) => {
  const server = await running(t);
  const metadata: readonly (readonly [metadata: Record<string, unknown>, pod: string, owner: string | null])[] = [
    [{ name: 'one' }, 'one', null],
    [{ name: 'three' }, 'three', null],
    [{ name: '?' }, '?', null],
    [{ name: 'a"quoted' }, 'a"quoted', null],
    [{ name: 'größe' }, 'größe', null],
    [{ name: 'n'.repeat(400) }, 'n'.repeat(253), null],
    [{ name: '' }, '', null],
    [{}, '', null],
    [{ name: 7 }, '', null],
    [{ generateName: 'job-1-' }, 'job-1-*', null],
    [{ generateName: 'job-22-', labels: { 'batch.kubernetes.io/job-name': 'job-22' } }, 'job-22-*', null],
    [
      { generateName: 'job-22-', ownerReferences: [owned('Job', 'job-22')], labels: { 'batch.kubernetes.io/job-name': 'job-22' } },
      'job-22-*',
      'Job/job-22',
    ],
    [{ generateName: 'job-333-', ownerReferences: [owned('Job', 'job-333')] }, 'job-333-*', 'Job/job-333'],
    [
      { name: 'both', generateName: 'job-', ownerReferences: [{ kind: 'Other', name: 'other' }, owned('Job', 'job-4')] },
      'both',
      'Job/job-4',
    ],
  ];
  const patches = new Set<string>();
  for (let turn = 0; turn < 4; turn += 1) {
    for (const [own, podName, owner] of metadata) {
      const review = reviewOf({ object: { ...Object(pod({ containers: { web: 'quay.io/acme/app:1' } })), metadata: own } });
      const body = { ...review, request: { ...review.request, uid: randomUUID() } };
      const { response }: Answered = JSON.parse((await call(server, { body })).text);
      patches.add(response.patch ?? '');
      const line = server.lines.at(-1) as unknown as Line;
      t.strictSame({ uid: line.uid, pod: line.pod, owner: line.owner }, { uid: body.request.uid, pod: podName, owner });
    }
  }
  t.equal(patches.size, 1);
});

test('a label that a rule reads, and one that no rule reads', async (t) => {
  const policy = join(t.testdir(), 'policy.yaml');
  const rule = {
    name: 'front',
    match: { images: ['quay.io'], podLabels: { tier: 'front' } },
    rewrite: { registry: 'proxy', as: 'fullName' },
  };
  await writeFile(
    policy,
    JSON.stringify({
      apiVersion: 'transship.dev/v1',
      kind: 'RewritePolicy',
      registries: { proxy: { host: 'proxy.example.com' } },
      rules: [rule],
    }),
  );
  const server = await running(t, { policy: { policy, resolvedHosts: null } });
  const patched = async (labels: Record<string, string>): Promise<boolean> => {
    const body = reviewOf({ object: pod({ metadata: { name: 'web', labels }, containers: { web: 'quay.io/acme/app:1' } }) });
    return (JSON.parse((await call(server, { body })).text) as Answered).response.patch !== undefined;
  };
  for (let turn = 0; turn < 4; turn += 1) {
    for (const run of ['a', 'bb', 'cc']) {
      t.ok(await patched({ tier: 'front', run }));
      t.notOk(await patched({ tier: 'other', run }));
      t.notOk(await patched({ run }));
      t.notOk(await patched({ tier: 'front', run, 'transship.dev/rewrite': 'disabled' }));
    }
  }
});

test('annotations of their own: one answer, and a record of what was there before as long as there is room for it', async (t) => {
  const server = await running(t);
  const sizes: readonly (readonly [characters: number, fits: boolean])[] = [
    [0, true],
    [100, true],
    [40_000, true],
    [81_000, true],
    [82_000, true],
    [120_000, true],
    [260_000, true],
    [262_100, false],
  ];
  for (let turn = 0; turn < 4; turn += 1) {
    for (const [characters, fits] of sizes) {
      const annotations = { 'workflows.argoproj.io/node-message': String(turn).repeat(characters) };
      const patchOf = async (own: Record<string, string>): Promise<string> => {
        const body = reviewOf({ object: pod({ metadata: { name: 'step', annotations: own }, containers: { web: 'quay.io/acme/app:1' } }) });
        const { response }: Answered = JSON.parse((await call(server, { body })).text);
        return Buffer.from(response.patch ?? '', 'base64').toString();
      };
      const patch = await patchOf(annotations);
      t.match(patch, /"path":"\/spec\/containers\/0\/image"/);
      t.equal(patch.includes('original-images'), fits, `${characters} characters`);
      t.match(
        await patchOf({ ...annotations, 'transship.dev/original-images': '{"other":"quay.io/acme/other:1"}' }),
        fits ? /quay.io\/acme\/other:1/ : /^(?!.*other:1)/s,
      );
      t.equal(await patchOf({ ...annotations, 'kubernetes.io/config.mirror': 'x' }), '', 'a mirror pod');
    }
  }
});

test('the same pod in the other mode, as a dry run, and in another namespace', async (t) => {
  const server = await running(t);
  const body = replica('quay.io/acme/app:1');
  for (let turn = 0; turn < 3; turn += 1) {
    const patched: Answered = JSON.parse((await call(server, { body })).text);
    t.ok(patched.response.patch);
    const shadow: Answered = JSON.parse((await call(server, { path: '/shadow', body })).text);
    t.notOk(shadow.response.patch);
    const elsewhere: Answered = JSON.parse(
      (await call(server, { body: { ...body, request: { ...body.request, namespace: 'kube-system' } } })).text,
    );
    t.notOk(elsewhere.response.patch);
    await call(server, { body: { ...body, request: { ...body.request, dryRun: true } } });
    t.match(server.lines.at(-1), { dryRun: true, mode: 'enforce' });
  }
});

test('a uid with an escape, without one, and twice', async (t) => {
  const server = await running(t);
  const text = JSON.stringify(replica('quay.io/acme/app:1', 'a-plain-uid'));
  const expected: readonly (readonly [body: string, status: number, uid: string | undefined])[] = [
    [text, 200, 'a-plain-uid'],
    [text, 200, 'a-plain-uid'],
    [text.replace('a-plain-uid', 'a-pl\\u0061in-ui'), 200, 'a-plain-ui'],
    [text.replace('a-plain-uid', 'größe-größe'), 200, 'größe-größe'],
    [text.replace('"uid":"a-plain-uid"', '"uid":""'), 400, undefined],
    [text.replace('"uid":"a-plain-uid"', '"uid":7'), 400, undefined],
    [text.replace('"uid":"a-plain-uid"', '"uid":"first","uid":"second"'), 200, 'second'],
    [text.replace(/}$/, ',"request":{}}'), 400, undefined],
  ];
  for (const [body, status, uid] of [...expected, ...expected]) {
    const answer = await call(server, { body });
    t.equal(answer.status, status, body.slice(0, 120));
    if (uid !== undefined) t.equal(JSON.parse(answer.text).response.uid, uid);
  }
});

test('a uid that is too long is rejected, also for a cached review', async (t) => {
  // An answer from memory was given to any uid, of megabytes as well, and its log line had it.
  const server = await running(t);
  const status = async (uid: string): Promise<number> => (await call(server, { body: replica('quay.io/acme/app:1', uid) })).status;
  for (let turn = 0; turn < 4; turn += 1) t.equal(await status(randomUUID()), 200);
  for (let turn = 0; turn < 4; turn += 1) {
    t.equal(await status('u'.repeat(256)), 200);
    t.equal(await status('u'.repeat(257)), 400);
    t.equal(await status('ü'.repeat(200)), 200, 'characters are counted, not bytes');
    t.equal(await status('u'.repeat(1024 * 1024)), 400);
  }
  t.ok(
    server.lines.every((line) => JSON.stringify(line).length < 2_000),
    'no line has it',
  );
});

test('a new policy empties the cache of decisions', async (t) => {
  const policy = join(t.testdir(), 'policy.yaml');
  await copyFile(samplePolicy, policy);
  const server = await running(t, { policy: { policy, resolvedHosts: null } });
  const body = replica('quay.io/acme/app:1');
  const answer = async (): Promise<Answered> => JSON.parse((await call(server, { body })).text);
  for (let turn = 0; turn < 3; turn += 1) t.ok((await answer()).response.patch);
  await writeFile(policy, 'apiVersion: transship.dev/v1\nkind: RewritePolicy\n');
  await until('the new policy answers', async () => (await answer()).response.patch === undefined);
  for (let turn = 0; turn < 3; turn += 1) t.notOk((await answer()).response.patch);
});

test('more kinds of pods than are remembered, three times over', async (t) => {
  const server = await running(t);
  for (let turn = 0; turn < 3; turn += 1) {
    const wrong: string[] = [];
    for (let kind = 0; kind < 600; kind += 1) {
      const { response }: Answered = JSON.parse((await call(server, { body: replica(`quay.io/acme/app:${kind}`) })).text);
      if (
        !Buffer.from(response.patch ?? '', 'base64')
          .toString()
          .includes(`/proxy/my-app/quay.io/acme/app:${kind}"`)
      )
        wrong.push(`${kind}`);
    }
    t.same(wrong, []);
  }
});

function many(count: number, key: string): { [key: string]: Json } {
  return { [key]: Array.from({ length: count }, (_, index) => ({ name: `n${index}`, image: 'nginx' })) };
}

test('more than a valid pod can have: allowed as it is, and said in the answer, the log and a metric', async (t) => {
  const server = await running(t);
  const rows: readonly (readonly [says: RegExp, object: Json])[] = [
    [/more than 256 KiB of annotations/, pod({ metadata: { annotations: { note: 'x'.repeat(300_000) } }, containers: { web: 'nginx' } })],
    [/more than 12288 images/, pod({ spec: many(12_289, 'containers') })],
    [/more than 12288 images/, pod({ spec: { ...many(6_200, 'initContainers'), ...many(6_200, 'containers') } })],
    [/more than 65536 containers or volumes/, pod({ containers: { web: 'nginx' }, spec: many(65_537, 'volumes') })],
    [/more than 65536 pull secrets/, pod({ containers: { web: 'nginx' }, spec: many(65_537, 'imagePullSecrets') })],
  ];
  for (const [says, object] of rows) {
    for (let turn = 0; turn < 3; turn += 1) {
      const { response } = JSON.parse((await call(server, { body: reviewOf({ object }) })).text);
      t.match(response, { allowed: true, patch: undefined, warnings: [says] });
      t.match(server.lines.at(-1), { level: 'warn', msg: 'review skipped', skipReason: 'too-large', skipped: says });
    }
  }
  t.equal((await metricsOf(server)).get('transship_reviews_skipped_total{reason="too-large",mode="enforce"}'), 3 * rows.length);
});

// A bound on what is only much, and not too much, would be a way around rewriting.
test('as many volumes as etcd can hold do not keep an image from being rewritten', async (t) => {
  const server = await running(t);
  const volumes = Array.from({ length: 40_000 }, (_, index) => ({ name: `v${index}`, emptyDir: {} }));
  const { text } = await call(server, { body: reviewOf({ object: pod({ containers: { web: 'nginx' }, spec: { volumes } }) }) });
  t.ok(JSON.parse(text).response.patch);
});

test('an answer is at most twice as long as the review, but for the first 64 KiB', async (t) => {
  const server = await running(t);
  const containers = Array.from({ length: 5_000 }, (_, index) => ({ image: `n${index}` }));
  const body = JSON.stringify(reviewOf({ object: pod({ spec: { containers } }) }));
  const { text } = await call(server, { body });
  t.ok(text.length <= 2 * body.length + 65_536);
  t.match(JSON.parse(text).response, { allowed: true, patch: undefined, warnings: [/more than twice as long as the review/] });
  t.match(server.lines.at(-1), { level: 'warn', skipReason: 'too-large' });
  t.equal((await metricsOf(server)).get('transship_reviews_total{mode="enforce",result="skipped"}'), 1);
  t.equal((await metricsOf(server)).get('transship_reviews_total{mode="enforce",result="patched"}'), 0);
});
