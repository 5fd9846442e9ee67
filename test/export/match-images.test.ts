/**
 * The match condition from the rules, for the webhook: it is true for every pod that the engine changes, and false for many that it does not.
 * Nothing listens where the webhooks of the test are, so a pod is refused exactly where the condition is true.
 */
import * as fc from '../random/fast-check.ts';
import { seed } from '../random/seed.ts';
import jsonPatch from 'fast-json-patch';
import tap, { test } from 'tap';
import { parse } from 'yaml';
import { admit, decisionLabels } from '../../src/admission/admit.ts';
import { readReview, reviewFields } from '../../src/admission/review.ts';
import { exportMatchImages } from '../../src/export/match-images.ts';
import type { CompiledPolicy } from '../../src/rules/compile.ts';
import { eventually } from '../charts/installed.ts';
import { skipReason } from '../cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { sidecar, startSidecarInjector } from '../contract/sidecars.ts';
import { pod } from './arbitrary-pod.ts';
import { addsSidecar } from './engines.ts';
import { loaded, type PodBody } from './equality.ts';
import { policyTexts } from './policy-texts.ts';
import { shown } from './policies.ts';

const podCount = Number(process.env['TRANSSHIP_RANDOM_PODS'] ?? '200');
const podsOfPolicy = 20;
tap.setTimeout(120_000 + podCount * 200);

function isChanged(policy: CompiledPolicy, object: unknown, namespace: string): boolean {
  const request = { uid: '1', resource: { group: '', resource: 'pods' }, namespace, object, operation: 'CREATE' };
  const read = readReview({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }, reviewFields(decisionLabels(policy)));
  if (!read.ok) throw new Error(read.problem);
  const { operations } = admit(read.review, policy, { releaseNamespace: null }, 'enforce');
  jsonPatch.applyPatch(structuredClone(object), structuredClone(operations) as jsonPatch.Operation[]);
  return operations.length > 0;
}

function conditionOf(policy: CompiledPolicy): string | null {
  const [file] = exportMatchImages(policy).files;
  return file === undefined ? null : (parse(file.text) as { matchImages: { expression: string } }).matchImages.expression;
}

const plain = 'plain: { host: registry.example.org }';

function policyFrom(rule: string, registries = plain): CompiledPolicy {
  return loaded(`apiVersion: transship.dev/v1\nkind: RewritePolicy\nregistries: { ${registries} }\nrules:\n  - ${rule}\n`);
}

/** A pod of this name is sent as soon as the API server knows the configuration, whatever its images are. */
const probe = 'probe-of-the-configuration';

/** Resolves when the API server knows it. */
async function register(plane: ControlPlane, namespace: string, expression: string, labels: Record<string, string> = {}): Promise<void> {
  await plane.createNamespace(namespace, { test: namespace, ...labels });
  const webhook = (name: string, matchCondition: string): object => ({
    name: `${name}.test.transship.dev`,
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    failurePolicy: 'Fail',
    reinvocationPolicy: 'IfNeeded',
    clientConfig: { url: 'https://127.0.0.1:1/' },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['pods'] }],
    namespaceSelector: { matchLabels: { test: namespace } },
    matchConditions: [{ name: 'an-image-is-concerned', expression: matchCondition }],
  });
  const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
  const webhooks = [webhook(namespace, expression), webhook('probe', `object.metadata.?name.orValue("") == "${probe}"`)];
  const { status, body } = await plane.api.send('POST', path, { metadata: { name: namespace }, webhooks });
  if (status !== 201) throw new Error(JSON.stringify(body));
  const probing = { metadata: { name: probe }, spec: { containers: [{ name: 'a', image: 'a' }] } };
  await eventually(`the configuration ${namespace} is known`, async () => (await created(plane, namespace, probing)) === 'sent');
}

/** Null where the API server refuses the pod whatever webhook there is. */
async function created({ api }: ControlPlane, namespace: string, { metadata = {}, spec }: PodBody): Promise<object | 'sent' | null> {
  const body = { metadata, spec: { automountServiceAccountToken: false, ...spec } };
  const answer = await api.send(`POST`, `/api/v1/namespaces/${namespace}/pods?dryRun=All`, body);
  if (answer.status < 300) return answer.body;
  return String(answer.body['message']).includes('failed calling webhook') ? 'sent' : null;
}

test('random policies, also with what CEL cannot express, and random pods', { skip: skipReason({ level: 1 }) }, async (t) => {
  t.comment(`TRANSSHIP_RANDOM_SEED=${seed}`);
  const plane = await startControlPlane(t);
  await plane.createNamespace('plain');
  const counts = { changed: 0, unchangedAndUnsent: 0, sent: 0 };
  const texts = fc.sample(
    policyTexts.filter((text) => conditionOf(loaded(text)) !== null),
    { seed, numRuns: Math.ceil(podCount / podsOfPolicy) },
  );
  for (const [index, text] of texts.entries()) await register(plane, `policy-${index}`, conditionOf(loaded(text)) ?? 'true');
  for (const [index, text] of texts.entries())
    for (const each of fc.sample(pod, { seed: seed + index, numRuns: podsOfPolicy })) {
      const admitted = await created(plane, 'plain', each);
      if (admitted === null) continue;
      const isSent = (await created(plane, `policy-${index}`, each)) === 'sent';
      const changes = isChanged(loaded(text), admitted, `policy-${index}`);
      if (changes && !isSent) t.fail('a pod that the engine changes was passed over', { policy: text, pod: each });
      counts.sent += Number(isSent);
      counts.changed += Number(changes);
      counts.unchangedAndUnsent += Number(!changes && !isSent);
    }
  t.ok(counts.changed > podCount / 10, JSON.stringify(counts));
});

function podWith(image: string): PodBody {
  return { metadata: { name: 'a' }, spec: { containers: [{ name: 'a', image }] } };
}

const many = Array.from({ length: 60 }, (_, index) => `registry-${index}.example.net/team`);
const rows: readonly (readonly [rule: string, concerned: readonly string[], others: readonly string[]])[] = [
  [
    '{ name: a, match: { images: [docker.io/library, quay.io/acme] }, rewrite: { registry: plain, as: path } }',
    ['nginx', 'nginx:1', 'Docker.io/nginx', 'index.docker.io/library/x', 'quay.io/acme/a', 'QUAY.io/acme:1'],
    ['acme/web', 'quay.io/acmes/x', 'gcr.io/library/x', 'localhost/nginx'],
  ],
  [
    `{ name: many, match: { images: [docker.io, ${many.join(', ')}] }, rewrite: { registry: plain, as: path } }`,
    ['nginx', 'acme/web', 'Registry-7.example.net/team/x:1', 'index.docker.io/x/y', 'registry-59.example.net/team'],
    ['quay.io/team/x', 'localhost:5000/team/x', 'registry-60.example.net/team/x'],
  ],
  [
    '{ name: t, match: { images: [{ regex: "^gcr\\\\.io/(.*)$" }] }, rewrite: { as: template, template: "x.example/$1" } }',
    ['gcr.io/a/b'],
    ['nginx', 'eu.gcr.io/a'],
  ],
];

test('which pods are sent, by their images', { skip: skipReason({ level: 1 }) }, async (t) => {
  const plane = await startControlPlane(t);
  for (const [index, [rule]] of rows.entries()) await register(plane, `row-${index}`, conditionOf(policyFrom(rule)) ?? 'missing');
  for (const [index, [rule, concerned, others]] of rows.entries())
    for (const image of [...concerned, ...others])
      for (const place of ['containers', 'initContainers', 'volumes']) {
        const own = place === 'volumes' ? { name: 'b', image: { reference: image } } : { name: 'b', image };
        const containers = [{ name: 'a', image: 'ghcr.io/x/y' }];
        const spec = place === 'containers' ? { containers: [...containers, own] } : { containers, [place]: [own] };
        const answer = await created(plane, `row-${index}`, { metadata: { name: 'a' }, spec });
        t.equal(answer === 'sent', concerned.includes(image), `${rule.slice(0, 20)} ${image} in ${place}`);
      }
});

test(
  'a container that another webhook adds to a pod that was passed over stays as it is',
  { skip: skipReason({ level: 1 }) },
  async (t) => {
    const plane = await startControlPlane(t);
    await startSidecarInjector(t, plane);
    const rule = '{ name: mesh, match: { images: [docker.io/envoyproxy] }, rewrite: { registry: plain, as: path } }';
    await register(plane, 'a-mesh', conditionOf(policyFrom(rule)) ?? 'missing', { mesh: 'webhook' });
    await addsSidecar(plane, 'a-mesh');
    t.equal(await created(plane, 'a-mesh', podWith('envoyproxy/other')), 'sent');
    // The API server calls a webhook again only where it called it before, although the condition holds by now.
    t.match(await created(plane, 'a-mesh', podWith('ghcr.io/x/y')), { spec: { containers: [{ image: 'ghcr.io/x/y' }, sidecar] } });
  },
);

test('policies without a condition, and why', (t) => {
  const table: readonly (readonly [registries: string, rule: string, refusals: readonly string[]])[] = [
    [
      plain,
      '{ name: hub, match: { images: ["*"] }, rewrite: { registry: plain, as: path } }',
      ['rules.0: it may match images of any host, so every pod would be sent'],
    ],
    [
      `${plain}, later: { hostFrom: { localRegistryHosting: true } }`,
      '{ name: hub, match: { images: [quay.io] }, rewrite: { registry: plain, as: path } }',
      ['registries.later.hostFrom: the host of registry later is resolved in the cluster, and the condition would not follow it'],
    ],
    [
      Array.from({ length: 41 }, (_, index) => `r${index}: { host: r${index}.example.org, pullSecrets: [a] }`).join(', '),
      '{ name: hub, match: { images: [quay.io] }, rewrite: { registry: r1, as: path } }',
      ['registries: there are too many registries with pull secrets for a condition'],
    ],
    [
      plain,
      `{ name: hub, match: { images: [${Array.from({ length: 3_000 }, (_, index) => `registry-${index}.example.org`).join(', ')}] }, rewrite: { registry: plain, as: fullName } }`,
      ['rules: the condition would have LENGTH characters, and the API server takes 100,000; use fewer hosts'],
    ],
  ];
  for (const [registries, rule, refusals] of table) {
    const { files, refusals: found } = exportMatchImages(policyFrom(rule, registries));
    t.strictSame([files, shown(found).map((each) => each.replace(/\d{6}/, 'LENGTH'))], [[], refusals]);
  }
  t.end();
});
