/**
 * Searches for the review that costs most. Some places of a review are filled with many of one random element each; what that costs beside
 * JSON.parse of the same bytes must stay within the bound, as must the bytes that it allocates, and the lengths of the answer and of the
 * log line.
 */
import { costOf, type Cost } from './cost.ts';
import { Finding } from './finding.ts';
import { Random } from './random.ts';

/** Where elements go: texts around them, and what stands between them. */
const places: readonly (readonly [before: string, after: string, kind: 'list' | 'map'])[] = [
  ['"metadata":{"annotations":{', '}}', 'map'],
  ['"metadata":{"labels":{', '}}', 'map'],
  ['"metadata":{"ownerReferences":[', ']}', 'list'],
  ['"metadata":{"managedFields":[', ']}', 'list'],
  ['"metadata":{"annotations":{"transship.dev/original-images":"{}",', '}}', 'map'],
  ['"spec":{"containers":[', ']}', 'list'],
  ['"spec":{"initContainers":[', ']}', 'list'],
  ['"spec":{"volumes":[', ']}', 'list'],
  ['"spec":{"imagePullSecrets":[', ']}', 'list'],
  ['"spec":{"containers":[{"name":"a","image":"nginx","env":[', ']}]}', 'list'],
  ['"spec":{"containers":[{"name":"a","image":{', '}}]}', 'map'],
  ['"status":{', '}', 'map'],
  ['"unknown":[', ']', 'list'],
];

const values: readonly ((random: Random, index: number) => string)[] = [
  (_random, index) => `{"name":"n${index}","image":"image-${index}"}`,
  (_random, index) => `{"name":"n${index}","image":{"reference":"r${index}"}}`,
  () => '{"image":"n"}',
  () => '{}',
  () => '[]',
  () => 'null',
  (_random, index) => `${index}.5e-3`,
  (_random, index) => `"${index}"`,
  (random) => `"${String.raw`\u0001`.repeat(random.below(40))}"`,
  (random) => `"${String.raw`\ud83d\ude00\"`.repeat(random.below(20))}"`,
  (random) => `"${'é'.repeat(random.below(60))}"`,
  (random) => '['.repeat(1 + random.below(30)).replace(/^.*$/, (open) => open + ']'.repeat(open.length)),
  (_random, index) => `{"\\u006eame":"n${index}","kind":"K","controller":false}`,
  (random, index) => `{${Array.from({ length: random.below(12) }, (_value, n) => `"k${index}-${n}":${n}`).join(',')}}`,
];
const keys: readonly ((index: number) => string)[] = [
  (index) => `"k${index}"`,
  (index) => String.raw`"\u006b${index}"`,
  () => '"image"',
  () => '"transship.dev/original-images"',
  (index) => `"${'k'.repeat(200)}${index}"`,
];

/** Bytes of one filled place. */
const maxLength = 400_000;

function costlyBody(random: Random): string {
  const filled = Array.from({ length: 1 + random.below(3) }, () => filledPlace(random));
  const object = `{"apiVersion":"v1","kind":"Pod",${filled.join(',')}}`;
  const old = random.once(4) ? `,"oldObject":${object}` : '';
  const operation = old === '' ? 'CREATE' : 'UPDATE';
  return `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","operation":"${operation}","namespace":"shop","resource":{"group":"","version":"v1","resource":"pods"},"object":${object}${old}}}`;
}

function filledPlace(random: Random): string {
  const [before, after, kind] = random.pick(places) ?? places[0]!;
  const value = random.pick(values) ?? values[0]!;
  const key = random.pick(keys) ?? keys[0]!;
  const elements: string[] = [];
  const target = maxLength >> random.below(6);
  for (let length = 0; length < target; length += elements.at(-1)?.length ?? 1)
    elements.push(kind === 'map' ? `${key(elements.length)}:${value(random, elements.length)}` : value(random, elements.length));
  return before + elements.join(',') + after;
}

/** Milliseconds of CPU: three times JSON.parse and as much again for the machine, and the images, which are decided and not only read. */
function bound(parse: number, images: number, perImage: number): number {
  return 6 * parse + images * perImage + 5;
}

/** Bytes on the heap. A list of `{}` takes JSON.parse thirty times its length. */
function allocationBound(parseAllocated: number, images: number, perImage: number): number {
  return 4 * parseAllocated + images * perImage + 500_000;
}

/** Of a pod of 400 images, ten times the CPU and twice the bytes that one takes there. An UPDATE looks each of them up twice. */
const unit = ((): { readonly cpu: number; readonly allocated: number } => {
  const containers = Array.from({ length: 400 }, (_, index) => `{"name":"n${index}","image":"image-${index}"}`).join(',');
  const body = `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","operation":"CREATE","namespace":"shop","resource":{"group":"","version":"v1","resource":"pods"},"object":{"metadata":{},"spec":{"containers":[${containers}]}}}}`;
  costOf(body, 50);
  const { review, reviewAllocated } = costOf(body, 10);
  return { cpu: (10 * review) / 400, allocated: (2 * reviewAllocated) / 400 };
})();

export function fuzzCost(seed: number, execution: number): string {
  const body = costlyBody(new Random(seed, execution));
  const images = Math.min(12_288, body.split('"image"').length - 1);
  const isDear = ({ parse, review }: Cost): boolean => review > bound(parse, images, unit.cpu);
  const first = costOf(body);
  // A collection by V8 may fall into each of a few rounds: what is found must be found again.
  const cost = isDear(first) ? costOf(body, 15) : first;
  const { parse, review, parseAllocated, reviewAllocated, answer, line } = cost;
  const length = Buffer.byteLength(body);
  if (isDear(cost)) throw new Finding(`${review.toFixed(1)} ms of CPU, JSON.parse takes ${parse.toFixed(1)}, ${images} images`, body);
  if (reviewAllocated > allocationBound(parseAllocated, images, unit.allocated))
    throw new Finding(`${reviewAllocated} bytes allocated, JSON.parse ${parseAllocated}, ${images} images`, body);
  if (answer > 2 * length + 66_000) throw new Finding(`an answer of ${answer} characters to ${length} bytes`, body);
  if (line > 512 * 1024) throw new Finding(`a log line of ${line} characters`, body);
  return review <= 3 * parse + 5 ? 'cheap' : 'many images';
}
