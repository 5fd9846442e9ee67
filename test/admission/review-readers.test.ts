/**
 * One suite for every way to read a review. The plain reader parses all of it and is the reference; the cache must give the same, whatever
 * differs between two reviews. Decisions that read a field that is not declared are planted, and the suite must find each of them: such
 * a decision was once honoured by the command line and ignored by the running webhook.
 */
import { isDeepStrictEqual } from 'node:util';
import { test } from 'tap';
import {
  plainReader,
  reviewFormat,
  type Decide,
  type ReadResult,
  type ReviewFormat,
  type ReviewReader,
} from '../../src/admission/review-reader.ts';
import { readReview, type DecisionInput } from '../../src/admission/review.ts';
import { text, untrusted, type Untrusted } from '../../src/pod/fields.ts';
import { imageFields } from '../../src/pod/images.ts';
import { cachedReader } from '../../src/review-cache/review-cache.ts';
import { pod, reviewOf, type Json } from '../builders/pod.ts';
import { filledOut, variantsOf } from '../builders/varied-reviews.ts';

type Reader = (format: ReviewFormat, decide: Decide<unknown>) => ReviewReader<unknown>;
const cached: Reader = (format, decideBy) => cachedReader(format, decideBy, () => 100);
const readers: Readonly<Record<string, Reader>> = { 'the plain reader': plainReader, 'the cache': cached };

const labels = ['app', 'transship.dev/rewrite'];
const declared = reviewFormat(labels);

/** All that a decision can be made of, and what was planted beside it. */
type WithPlanted = DecisionInput & { readonly planted?: unknown };
const decide: Decide<unknown> = ({ pod: { labels: some, annotations, images, pullSecrets, excess }, ...review }: WithPlanted) => ({
  operation: review.operation,
  namespace: review.namespace,
  resource: review.resource,
  subResource: review.subResource,
  dryRun: review.dryRun,
  oldPod: review.oldPod,
  labels: some,
  annotations,
  images,
  pullSecrets,
  excess,
  planted: review.planted,
});

function podParts(more: Json = {}): Json {
  return pod({
    metadata: {
      name: 'web-1',
      generateName: 'web-',
      namespace: 'shop',
      uid: '11111111-1111-1111-1111-111111111111',
      labels: { app: 'web', tier: 'front' },
      annotations: { 'transship.dev/original-images': '{"app":"nginx"}', 'transship.dev/fallback': '{"app":{}}', note: 'some text' },
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Node', name: 'n', controller: false },
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', controller: true },
      ],
      managedFields: [{ manager: 'kubectl', operation: 'Update', time: '2026-11-21T08:00:00Z' }],
    },
    initContainers: { init: 'busybox' },
    ephemeralContainers: { debug: 'alpine' },
    spec: {
      containers: [
        {
          name: 'app',
          image: 'nginx:1',
          imagePullPolicy: 'Always',
          env: [{ name: 'A', value: 'a "quoted" ü' }],
          securityContext: { runAsUser: 7, privileged: false },
        },
      ],
      volumes: [
        { name: 'token', projected: { sources: [] } },
        { name: 'data', image: { reference: 'quay.io/data', pullPolicy: 'Never' } },
      ],
      imagePullSecrets: [{ name: 'one' }],
      serviceAccountName: 'default',
      nodeName: 'node-1',
      ...(more as object),
    },
  });
}

const oldObject = {
  metadata: { name: 'web-1', labels: { app: 'old' }, annotations: { note: 'old' } },
  ...(podParts() as object),
  status: { phase: 'Running' },
};
const around = { userInfo: { username: 'alice', groups: ['dev'] }, options: { kind: 'CreateOptions' }, requestKind: { kind: 'Pod' } };
/** Larger than where the total length of annotations begins to matter. */
const filler = 'x'.repeat(100_000);

const bases: Readonly<Record<string, Json>> = {
  'a create': json({ name: 'web-1', object: podParts(), ...around }),
  'an update': json({ operation: 'UPDATE', object: podParts(), oldObject, ...around }),
  'a large create': json({ object: podParts({ filler }), ...around }),
};

function json(request: object): Json {
  return JSON.parse(JSON.stringify(reviewOf(request)));
}

function body(document: Json): Buffer {
  const bytes = Buffer.from(JSON.stringify(document));
  return Buffer.concat([bytes], bytes.length + 1);
}

/** The first review that the reader reads otherwise than the reference; null when there is none. */
function firstDifference(make: Reader, format: ReviewFormat, base: Json): string | null {
  const read = (document: unknown): unknown => format.read(document, format.fields(0), null);
  return differenceAround(make, format, base) ?? differenceAround(make, format, filledOut(base, read));
}

function differenceAround(make: Reader, format: ReviewFormat, base: Json): string | null {
  const reader = make(format, decide);
  const reference = plainReader(format, decide);
  const isRead = (bytes: Buffer, expected: unknown): boolean => isDeepStrictEqual(outcome(reader(bytes)), expected);
  const known = body(base);
  const expectedOfKnown = outcome(reference(known));
  // Remembered from the first time on, and from the third time on recognised without being read.
  for (let times = 0; times < 3; times += 1) if (!isRead(known, expectedOfKnown)) return 'the review itself';
  const different = variantsOf(base, (document) => format.read(document, format.fields(known.length), null)).find(({ document }) => {
    const bytes = body(document);
    const expected = outcome(reference(bytes));
    return !isRead(bytes, expected) || !isRead(bytes, expected) || !isRead(known, expectedOfKnown);
  });
  return different?.says ?? null;
}

/** Sentences about broken JSON may differ. */
function outcome(result: ReadResult<unknown>): unknown {
  return result.ok ? result : result.code;
}

for (const [name, make] of Object.entries(readers)) {
  for (const [what, base] of Object.entries(bases)) {
    test(`${name}: ${what}, and all its variants`, (t) => {
      t.equal(firstDifference(make, declared, base), null);
      t.end();
    });
  }
}

// oxlint-disable-next-line typescript/no-explicit-any -- planted decisions go around the types
type Planted = (document: any) => unknown;

const planted: Readonly<Record<string, Planted>> = {
  'an annotation': ({ request }) => request?.object?.metadata?.annotations?.['example.com/skip'],
  'an annotation, whatever it says': ({ request }) => Object.hasOwn(Object(request?.object?.metadata?.annotations), 'example.com/skip'),
  'an annotation that is there': ({ request }) => request?.object?.metadata?.annotations?.note,
  'a label': ({ request }) => request?.object?.metadata?.labels?.['example.com/team'] ?? null,
  'a label that is there': ({ request }) => request?.object?.metadata?.labels?.tier,
  'the namespace in the metadata': ({ request }) => request?.object?.metadata?.namespace,
  'the name of the pod': ({ request }) => request?.object?.metadata?.name,
  'the name of the owner': ({ request }) => request?.object?.metadata?.ownerReferences?.[1]?.name,
  'the API version of the owner': ({ request }) => request?.object?.metadata?.ownerReferences?.[0]?.apiVersion,
  'a field of a container': ({ request }) => request?.object?.spec?.containers?.[0]?.securityContext?.privileged,
  'a field of a container that is absent': ({ request }) => request?.object?.spec?.containers?.[0]?.command,
  'a variable of a container': ({ request }) => request?.object?.spec?.containers?.[0]?.env?.[0]?.value,
  'the name of a volume without an image': ({ request }) => request?.object?.spec?.volumes?.[0]?.name,
  'a field of the spec': ({ request }) => request?.object?.spec?.nodeName,
  'a field of the spec that is absent': ({ request }) => request?.object?.spec?.hostNetwork === true,
  'the status': ({ request }) => request?.object?.status?.phase,
  'the user': ({ request }) => request?.userInfo?.username,
  'the options': ({ request }) => request?.options?.kind,
};
const plantedInUpdates: Readonly<Record<string, Planted>> = {
  'a label of the old object': ({ request }) => request?.oldObject?.metadata?.labels?.app,
  'an annotation of the old object': ({ request }) => request?.oldObject?.metadata?.annotations?.['transship.dev/original-images'],
  'the pull secrets of the old object': ({ request }) => request?.oldObject?.spec?.imagePullSecrets?.[0]?.name,
  'the status of the old object': ({ request }) => request?.oldObject?.status?.phase,
};

function plantedFormat(plant: Planted): ReviewFormat {
  const read: ReviewFormat['read'] = (document, fields, annotationsLength) => {
    const result = readReview(document, fields, annotationsLength);
    return result.ok ? { ok: true, review: { ...result.review, planted: plant(document) } as typeof result.review } : result;
  };
  return { ...declared, read };
}

for (const [base, decisions] of [
  ['a create', planted],
  ['an update', { ...planted, ...plantedInUpdates }],
] as const) {
  for (const [what, plant] of Object.entries(decisions)) {
    test(`found in ${base}: a decision that reads ${what}`, (t) => {
      t.not(firstDifference(cached, plantedFormat(plant), bases[base] ?? null), null);
      t.end();
    });
  }
}

const declaredTexts: Readonly<Record<string, Planted>> = {
  'a declared label': ({ request }) => request?.object?.metadata?.labels?.app,
  'a declared annotation': ({ request }) => request?.object?.metadata?.annotations?.['kubernetes.io/config.mirror'],
  'the image of a container': ({ request }) => request?.object?.spec?.containers?.[0]?.image,
};

/** Of a declared field only scalars are read. */
function textOf(plant: Planted): Planted {
  return (document) => {
    const value = plant(document);
    return typeof value === 'string' ? value : null;
  };
}

for (const [what, plant] of Object.entries(declaredTexts)) {
  test(`not found: a decision that reads ${what}`, (t) => {
    t.equal(firstDifference(cached, plantedFormat(textOf(plant)), bases['an update'] ?? null), null);
    t.end();
  });
}

test('a field that is not declared cannot be read: it is a type error', (t) => {
  const { elements: container } = imageFields.containers;
  const nginx: Untrusted<typeof container> = untrusted({ image: 'nginx', command: 'sh' }, container);
  t.equal(text(nginx, 'image'), 'nginx');
  // @ts-expect-error -- not declared
  text(nginx, 'command');
  t.end();
});
