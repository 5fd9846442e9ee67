/**
 * What a review costs beside JSON.parse of the same bytes, for the worst bodies that are known: one line of JSON for each. A program of its own, because
 * a process whose coverage is measured runs the code under test many times slower, and JSON.parse not.
 */
import { costOf } from '../fuzz/cost.ts';

export interface Checked {
  readonly title: string;
  readonly isWithin: boolean;
  readonly figures: string;
}

function check(title: string, isWithin: boolean, figures: string): void {
  process.stdout.write(`${JSON.stringify({ title, isWithin, figures } satisfies Checked)}\n`);
}

type Make = (index: number) => unknown;

const many = (count: number, make: Make): unknown[] => Array.from({ length: count }, (_, index) => make(index));
const map = (count: number, make: Make): object =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`key-${index}`, make(index)]));
const web = { name: 'web', image: 'nginx' };

function review(pod: object, request: object = {}): string {
  const resource = { group: '', version: 'v1', resource: 'pods' };
  const envelope = {
    uid: 'u',
    operation: 'CREATE',
    namespace: 'shop',
    resource,
    object: { metadata: {}, spec: { containers: [web] }, ...pod },
  };
  return JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request: { ...envelope, ...request } });
}

const spec = (fields: object): string => review({ spec: { containers: [web], ...fields } });
const put = (text: string): string => spec({ hole: 'HOLE' }).replace('"HOLE"', () => text);

/** Defaulted, as the API server sends it. */
const container: Make = (index) => ({
  name: `c${index}`,
  image: `image-${index}`,
  resources: {},
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  imagePullPolicy: 'Always',
});

const bodies: Readonly<Record<string, () => string>> = {
  annotations: () => review({ metadata: { annotations: map(100_000, () => 'v') } }),
  'annotations with escapes': () => review({ metadata: { annotations: map(50_000, () => '<\u2028\ud83d') } }),
  labels: () => review({ metadata: { labels: map(100_000, () => 'v') } }),
  'an unknown field with many keys': () => spec({ unknown: map(100_000, () => 'v') }),
  'an image that is an object': () => spec({ containers: [{ name: 'a', image: map(100_000, () => 'v') }] }),
  'keys with escapes': () => put(`{${many(100_000, (index) => String.raw`"\u0061${index}":1`).join(',')}}`),
  'short containers': () => spec({ containers: many(200_000, () => ({ image: 'n' })) }),
  'more containers than a pod can have': () => spec({ containers: many(50_000, container) }),
  'volumes without an image': () => spec({ volumes: many(50_000, (index) => ({ name: `v${index}`, emptyDir: {} })) }),
  'pull secrets': () => spec({ imagePullSecrets: many(100_000, (index) => ({ name: `s${index}` })) }),
  owners: () => review({ metadata: { ownerReferences: many(60_000, (index) => ({ kind: 'A', name: `o${index}` })) } }),
  'long images': () => spec({ containers: many(10, (index) => ({ name: `c${index}`, image: `i${index}`.repeat(100_000) })) }),
  numbers: () => spec({ unknown: many(300_000, (index) => index * 1.5e-3) }),
  'controls in a value': () => spec({ unknown: '\u0001'.repeat(500_000) }),
  'controls in an image': () => spec({ containers: [{ name: 'a', image: '\u0001'.repeat(500_000) }] }),
  depth: () => put(`[${many(100, () => '['.repeat(5_000) + ']'.repeat(5_000)).join(',')}]`),
  'broken at its end': () => `${review({ metadata: { annotations: map(100_000, () => 'v') } })}x`,
  'an identity with escapes': () => review({ metadata: { name: 'a"b', annotations: map(100_000, () => 'v') } }),
};

// Three times, as much again for a machine on which two medians of the same differ, and five milliseconds for what is parsed in less than one.
for (const [what, body] of Object.entries(bodies)) {
  const { parse, review: cost } = costOf(body());
  check(`at most three times JSON.parse: ${what}`, cost <= 6 * parse + 5, `${cost.toFixed(1)} ms of CPU beside ${parse.toFixed(1)}`);
}

const length = (text: string): number => Buffer.byteLength(text);

{
  // More than are remembered by their image.
  const some = spec({ containers: many(400, container) });
  const most = spec({ containers: many(10_000, container) });
  costOf(some, 100);
  const [one, all] = [costOf(some, 20), costOf(most)];
  const title = 'a pod of many images costs as much as many pods of some';
  check(title, all.review <= 3 * 25 * one.review, `${all.review.toFixed(1)} ms of CPU beside 25 × ${one.review.toFixed(2)}`);
  check(`${title}: response and log line`, all.answer <= 2 * length(most) && all.line < 100_000, `${all.answer}, ${all.line} characters`);
}

// Each image of an update was once compared with each pull secret.
{
  const containers = many(5_000, container);
  const update = (imagePullSecrets: unknown[]): string =>
    review({ spec: { containers, imagePullSecrets } }, { operation: 'UPDATE', oldObject: { spec: { containers: [] } } });
  const [without, withMany] = [costOf(update([])), costOf(update(many(50_000, (index) => ({ name: `secret-${index}` }))))];
  check(
    'an update of many images with many pull secrets costs as much as without them',
    withMany.review <= 3 * without.review + 6 * withMany.parse,
    `${withMany.review.toFixed(1)} ms of CPU beside ${without.review.toFixed(1)}`,
  );
}

{
  const annotations = { 'transship.dev/original-images': JSON.stringify(map(50_000, () => 'v')) };
  const text = review({ metadata: { annotations } });
  const plain = review({ metadata: { annotations: { other: annotations['transship.dev/original-images'] } } });
  const [own, other] = [costOf(text, 7).review, costOf(plain, 7).review];
  check('a record that is not ours costs no more than its length', own <= 6 * other, `${own.toFixed(1)} beside ${other.toFixed(1)}`);
}
