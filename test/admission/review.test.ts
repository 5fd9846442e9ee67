import { test } from 'tap';
import { readReview, reviewFields } from '../../src/admission/review.ts';
import { pod, reviewOf } from '../builders/pod.ts';

const right = reviewOf({ object: pod({ containers: { app: 'nginx' } }) });

const problems: readonly [body: unknown, problem: string][] = [
  [null, 'the body is not a JSON object; POST an AdmissionReview'],
  [[right], 'the body is not a JSON object; POST an AdmissionReview'],
  ['AdmissionReview', 'the body is not a JSON object; POST an AdmissionReview'],
  [{}, 'kind must be AdmissionReview, not missing'],
  [{ ...right, kind: 'Pod' }, 'kind must be AdmissionReview, not "Pod"'],
  [{ ...right, kind: 'x'.repeat(1000) }, `kind must be AdmissionReview, not "${'x'.repeat(60)}"`],
  [{ ...right, kind: null }, 'kind must be AdmissionReview, not null'],
  [{ ...right, kind: 1 }, 'kind must be AdmissionReview, not a number'],
  [{ ...right, kind: true }, 'kind must be AdmissionReview, not a boolean'],
  [{ ...right, kind: [] }, 'kind must be AdmissionReview, not a list'],
  [{ ...right, kind: {} }, 'kind must be AdmissionReview, not an object'],
  [{ ...right, apiVersion: 'admission.k8s.io/v1beta1' }, 'apiVersion must be admission.k8s.io/v1, not "admission.k8s.io/v1beta1"'],
  [{ ...right, apiVersion: undefined }, 'apiVersion must be admission.k8s.io/v1, not missing'],
  [{ ...right, request: undefined }, 'request is missing, so there is nothing to decide'],
  [{ ...right, request: [] }, 'request is missing, so there is nothing to decide'],
  [reviewOf({ uid: '' }), 'request.uid is missing; the answer must carry it'],
  [reviewOf({ uid: 7 }), 'request.uid is missing; the answer must carry it'],
  [reviewOf({ uid: 'u'.repeat(257) }), 'request.uid has more than 256 characters'],
  [reviewOf({ operation: null }), 'request.operation is missing'],
  [JSON.parse('{"__proto__": {"kind": "AdmissionReview"}}'), 'kind must be AdmissionReview, not missing'],
];

for (const [body, problem] of problems) {
  test(`refused: ${problem.slice(0, 70)}`, (t) => {
    t.same(readReview(body, reviewFields([])), { ok: false, problem });
    t.end();
  });
}

test('the fields that are read of a review', (t) => {
  const read = readReview(
    reviewOf({ object: pod({ metadata: { generateName: 'web-', labels: { app: 'web' } }, containers: { app: 'nginx' } }), dryRun: true }),
    reviewFields(['app', 'tier']),
  );
  t.match(read, {
    ok: true,
    review: {
      operation: 'CREATE',
      namespace: 'shop',
      name: '',
      resource: 'pods',
      subResource: '',
      dryRun: true,
      oldPod: null,
      pod: { generateName: 'web-', labels: { app: 'web' } },
    },
  });
  t.end();
});

const readings: readonly [says: string, parts: Parameters<typeof reviewOf>[0], expected: object][] = [
  ['the longest uid', { uid: 'u'.repeat(256) }, { uid: 'u'.repeat(256) }],
  ['no namespace', { namespace: null }, { namespace: '' }],
  ['only true is a dry run', { dryRun: 'true' }, { dryRun: false }],
  [
    'the group of another resource',
    { resource: { group: 'apps', version: 'v1', resource: 'deployments' } },
    { resource: 'apps/deployments' },
  ],
  ['no resource', { resource: null }, { resource: '' }],
  ['no object', { object: null }, { pod: { images: [], labels: {}, annotations: { missing: 'impossible' } } }],
  ['an old object', { oldObject: pod({ containers: { app: 'nginx' } }) }, { oldPod: { images: [{ image: 'nginx' }] } }],
  ['an old object that is none', { oldObject: 'gone' }, { oldPod: null }],
];

for (const [says, parts, expected] of readings) {
  test(`read: ${says}`, (t) => {
    t.match(readReview(reviewOf(parts), reviewFields([])), { ok: true, review: expected });
    t.end();
  });
}
