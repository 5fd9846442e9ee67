/** Kyverno's own engine makes of pods, with the policy of `export kyverno`, what the webhook's engine makes of them. */
import { isDeepStrictEqual } from 'node:util';
import * as fc from '../random/fast-check.ts';
import tap, { test } from 'tap';
import { exportKyverno } from '../../src/export/kyverno.ts';
import type { AdmissionPolicyOptions } from '../../src/export/admission-policy/admission-policy.ts';
import type { CompiledPolicy } from '../../src/rules/compile.ts';
import { locate } from '../cluster/binaries.ts';
import { podOf } from '../export/arbitrary-pod.ts';
import { defaults, loaded, patchedByEngine } from '../export/equality.ts';
import { examplePolicies } from '../export/policies.ts';
import { expressibleTexts, rewrittenImages } from '../export/policy-texts.ts';
import { goodReferences, badReferences } from '../image/corpus.ts';
import { broadPolicy, invalid, largePolicy, names, suffixes } from '../export/spellings.ts';
import { askKyverno, notBuilt, type Answer, type Pod, type PodRequest } from './kyverno.ts';

const podCount = Number(process.env['TRANSSHIP_RANDOM_PODS'] ?? '1000');
const podsOfPolicy = 20;
tap.setTimeout(300_000 + podCount * 200);

const skip = locate('kyverno-mutate') === undefined && notBuilt;
const enabled = { 'transship.dev/rewrite': 'enabled' };
const namespace = { name: 'shop', labels: enabled };

interface Case {
  readonly policy: CompiledPolicy;
  readonly requests: readonly PodRequest[];
  readonly options?: Partial<AdmissionPolicyOptions>;
}

interface Compared {
  readonly differences: readonly {
    readonly policy: string;
    readonly request: PodRequest;
    readonly kyverno: unknown;
    readonly engine: unknown;
  }[];
  /** Requests whose pod is changed. */
  readonly changed: number;
}

function compare(cases: readonly Case[]): Compared {
  const policies = cases.map(({ policy, options }) => textOf(policy, options));
  const answers = askKyverno(cases.map(({ requests }, index) => ({ policy: policies[index] ?? '', namespace, requests })));
  const all = cases.flatMap(({ policy, requests }, index) =>
    requests.map((request, entry) => {
      const patched = patchedByEngine(policy, { namespace: namespace.name, ...request });
      const { pods = [], error = 'no answer' }: Partial<Answer> = answers[index] ?? {};
      return {
        policy: policies[index] ?? '',
        request,
        kyverno: error === '' ? pods[entry] : error,
        engine: patched === request.object ? null : patched,
      };
    }),
  );
  return {
    differences: all.filter(({ request, kyverno, engine }) => !isDeepStrictEqual(kept(kyverno, request), kept(engine, request))),
    changed: all.filter(({ engine }) => engine !== null).length,
  };
}

function textOf(policy: CompiledPolicy, options: Partial<AdmissionPolicyOptions> = {}): string {
  const { files, refusals } = exportKyverno(policy, { ...defaults, followsHosts: true, ...options });
  if (refusals.length > 0) throw new Error(refusals.map(({ message }) => message).join('\n'));
  return files[0]?.text ?? '';
}

/** What the policy may change, as JSON; a pod that is passed over is as it was. */
function kept(pod: unknown, { object }: PodRequest): unknown {
  if (typeof pod === 'string') return pod;
  const { metadata, spec } = (pod ?? object) as Pod;
  return JSON.parse(JSON.stringify({ annotations: metadata['annotations'] ?? {}, spec }));
}

const created = (object: Pod): PodRequest => ({ operation: 'CREATE', object });
const podWith = (images: readonly string[], metadata: object = {}): Pod => ({
  metadata: { name: 'web', namespace: namespace.name, ...metadata },
  spec: { containers: images.map((image, index) => ({ name: `c-${index}`, image })) },
});

const spellings = [...goodReferences, ...badReferences].map(({ text }) => text);

for (const { name, text } of examplePolicies)
  test(`${name}: its images, and every spelling`, { skip }, (t) => {
    const compiled = loaded(text);
    const ofTests = compiled.policy.tests.map(({ image, podLabels }) => created(podWith([image], { labels: podLabels })));
    const { differences, changed } = compare([
      { policy: compiled, requests: [...ofTests, ...spellings.map((image) => created(podWith([image])))] },
    ]);
    t.strictSame(differences, []);
    t.ok(changed > 0, `${changed} pods`);
    t.end();
  });

test('spellings, with most of what can be compiled, and with so many rules that they are kept by host', { skip }, (t) => {
  const images = [...names.flatMap((name) => suffixes.map((suffix) => name + suffix)), ...invalid];
  const requests = images.map((image) => created(podWith([image])));
  const { differences, changed } = compare([broadPolicy, largePolicy].map((text) => ({ policy: loaded(text), requests })));
  t.strictSame(differences.slice(0, 3), []);
  t.ok(changed > images.length / 2, `${changed} pods`);
  t.end();
});

test('places, secrets, records, pull policies and conditions', { skip }, (t) => {
  const app = { name: 'a', image: 'nginx:1' };
  const pods: readonly Pod[] = [
    ...[{}, { app: 'shop' }, { 'cnpg.io/cluster': 'db' }].map((labels) =>
      podWith(['quay.io/labelled/app:1', 'quay.io/team/app:1', 'nginx'], { labels }),
    ),
    podWith(['nginx'], {
      annotations: { 'transship.dev/original-images': '{"c-0":"old","gone":"x"}', 'transship.dev/rewritten-by': '{"c-0":"r@1"}' },
    }),
    podWith(['nginx'], { annotations: { 'kubernetes.io/config.mirror': 'x' } }),
    ...['Always', 'IfNotPresent', 'Never'].map((imagePullPolicy) => ({
      metadata: { name: 'a' },
      spec: { containers: [{ ...app, imagePullPolicy }] },
    })),
    ...[['mirror-pull'], ['more', 'x'], ['mirror-pull', 'more', 'own', 'vendor-pull']].map((secrets) => ({
      metadata: { name: 'a' },
      spec: { containers: [app, { name: 'b', image: 'quay.io/acme/a' }], imagePullSecrets: secrets.map((name) => ({ name })) },
    })),
    {
      metadata: { name: 'a' },
      spec: {
        containers: [app],
        initContainers: [{ name: 'proxy', image: 'quay.io/acme/proxy', restartPolicy: 'Always' }],
        volumes: [
          { name: 'model', image: { reference: 'acme/model:1' } },
          { name: 'empty', emptyDir: {} },
        ],
      },
    },
  ];
  const { differences, changed } = compare([{ policy: loaded(broadPolicy), requests: pods.map(created) }]);
  t.strictSame(differences, []);
  t.ok(changed > 8, `${changed} pods`);
  t.end();
});

test('updates and debug containers', { skip }, (t) => {
  const stored = podWith(['mirror.example.com:5000/hub/library/nginx:1', 'quay.io/other/app:1'], {
    annotations: { 'transship.dev/original-images': '{"c-0":"nginx:1"}', 'transship.dev/rewritten-by': '{"c-0":"hub@000000000000"}' },
  });
  const containers = stored.spec['containers'] as object[];
  const images = [
    'nginx:2',
    'quay.io/other/x',
    'Nginx',
    'quay.io/acme/app',
    'vendor.example.com/a',
    'mirror.example.com:5000/hub/library/nginx:2',
  ];
  const updates = images.map((image): PodRequest => {
    const object = { ...stored, spec: { ...stored.spec, containers: containers.with(0, { name: 'c-0', image }) } };
    return { operation: 'UPDATE', object, oldObject: stored };
  });
  const labelled: PodRequest = {
    operation: 'UPDATE',
    object: { ...stored, metadata: { ...stored.metadata, labels: { a: 'b' } } },
    oldObject: stored,
  };
  const debug = [['nginx:3'], ['quay.io/acme/app', 'Nginx']].map((debugged): PodRequest => {
    const ephemeralContainers = debugged.map((image, index) => ({ name: `debug-${index}`, image }));
    return {
      operation: 'UPDATE',
      subResource: 'ephemeralcontainers',
      object: { ...stored, spec: { ...stored.spec, ephemeralContainers } },
      oldObject: stored,
    };
  });
  const { differences, changed } = compare([{ policy: loaded(broadPolicy), requests: [...updates, labelled, ...debug] }]);
  t.strictSame(differences, []);
  t.ok(changed > 4, `${changed} pods`);
  t.end();
});

/** Whether the policy changes a pod whose image a rule wants. */
const scopes: readonly (readonly [
  what: string,
  changes: boolean,
  given: { readonly options?: Partial<AdmissionPolicyOptions>; readonly pod?: string; readonly namespace?: string; readonly name?: string },
])[] = [
  ['a namespace that opted in', true, {}],
  ['a namespace that did not', false, { namespace: '' }],
  ['a pod that opted in itself', true, { namespace: '', pod: 'enabled' }],
  ['a pod that opted out', false, { pod: 'disabled' }],
  ['a pod in shadow', false, { pod: 'shadow' }],
  ['OptOut, and no label', true, { namespace: '', options: { optIn: 'OptOut' } }],
  ['OptOut, and a namespace that opted out', false, { namespace: 'disabled', options: { optIn: 'OptOut' } }],
  ['an excluded namespace', false, { options: { excludedNamespaces: ['shop'] } }],
  ['a namespace of Kubernetes', false, { name: 'kube-system' }],
  ['a condition that holds', true, { options: { matchConditions: [{ name: 'own', expression: 'object.metadata.name == "web"' }] } }],
  ['a condition that does not', false, { options: { matchConditions: [{ name: 'own', expression: 'object.metadata.name != "web"' }] } }],
];
const labelOf = (value = ''): object => (value === '' ? {} : { 'transship.dev/rewrite': value });

for (const [what, changes, { options, pod, namespace: label = 'enabled', name = 'shop' }] of scopes)
  test(what, { skip }, (t) => {
    // The API server sets this one on every namespace.
    const labels = { ...labelOf(label), 'kubernetes.io/metadata.name': name };
    const object = podWith(['nginx'], { namespace: name, labels: labelOf(pod) });
    const [answer] = askKyverno([
      { policy: textOf(loaded(broadPolicy), options), namespace: { name, labels }, requests: [created(object)] },
    ]);
    t.strictSame([answer?.error, answer?.pods.map((after) => after !== null)], ['', [changes]]);
    t.end();
  });

test('a policy that Kyverno refuses is refused here', { skip }, (t) => {
  const text = textOf(loaded(broadPolicy));
  const refused: readonly (readonly [text: string, error: RegExp])[] = [
    [text.replace('autogen:', 'autogenerated:'), /unknown field "autogenerated"/],
    [text.replaceAll('variables.rewritten', 'variables.unwritten'), /undefined field 'unwritten'/],
  ];
  for (const [wrong, error] of refused) t.match(askKyverno([{ policy: wrong, namespace, requests: [] }]), [{ error }]);
  t.end();
});

test('random policies and pods', { skip }, (t) => {
  const cases = fc.sample(expressibleTexts, Math.ceil(podCount / podsOfPolicy)).map((text) => {
    const compiled = loaded(text);
    const images = fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom(...rewrittenImages(compiled)) },
      { weight: 1, arbitrary: fc.constantFrom(...spellings) },
    );
    const requests = fc.sample(podOf(images), podsOfPolicy).map(({ metadata, spec }) => created({ metadata: { ...metadata }, spec }));
    return { policy: compiled, requests };
  });
  const { differences, changed } = compare(cases);
  t.strictSame(differences.slice(0, 1), []);
  t.comment(`${changed} of ${cases.length * podsOfPolicy} pods are changed`);
  t.ok(changed > podCount / 4, `${changed} pods`);
  t.end();
});
