/** Run with --expose-gc: fills what is remembered with reviews of one kind, and prints what the heap holds of it and what the gauge says. */
import { pino } from 'pino';
import { createMetrics } from '../../src/observe/metrics.ts';
import { createReviewer, type Reviewer } from '../../src/server/reviewer.ts';
import { installedScope } from '../builders/webhook.ts';
import { compiled } from '../rules/policy.ts';

const kinds: Readonly<Record<string, (index: number) => object>> = {
  // One after the other is new.
  new: (index) => ({ spec: { containers: [{ name: 'web', image: `nginx:${index}` }] } }),
  // As many images as there is room for in a key.
  'many images': (index) => ({
    spec: {
      containers: Array.from({ length: 60 }, (_value, n) => ({ name: `c${n}`, image: `image-${index}-${n}`, imagePullPolicy: 'Always' })),
    },
  }),
  invalid: (index) => ({
    spec: { containers: Array.from({ length: 14 }, (_value, n) => ({ name: `c${n}`, image: `UPPER-${index}-${n}`.padEnd(500, 'x') })) },
  }),
  // Each of a length of its own, and known from its second time on.
  large: (index) => ({ metadata: { managedFields: 'x'.repeat(100_000 + index) }, spec: { containers: [{ name: 'web', image: 'nginx' }] } }),
};

const make = kinds[process.argv[2] ?? ''];
const gc = globalThis.gc;
if (make === undefined || gc === undefined) throw new Error('node --expose-gc memory-child.ts KIND');

const policy = compiled({
  registries: { local: { host: 'localhost:30500', pullSecrets: ['pull'] } },
  rules: [{ name: 'hub', match: { images: ['docker.io'] }, rewrite: { registry: 'local', as: 'path' } }],
});
const metrics = createMetrics();
const log = pino({ level: 'info', base: null }, { write: () => undefined });
const newReviewer = (): Reviewer =>
  createReviewer({ policy: () => policy, scope: installedScope, metrics, log, loggedReviews: 'all', reviewCache: true }, 'enforce');

function send(review: Reviewer, index: number): void {
  const resource = { group: '', version: 'v1', resource: 'pods' };
  const object = make?.(index);
  const request = { uid: 'u', operation: 'CREATE', namespace: 'shop', resource, object };
  const text = Buffer.from(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }));
  for (let times = 0; times < 3; times += 1)
    review({ body: Buffer.concat([text], text.length + 1), encoding: undefined, remote: () => undefined });
}

async function held(): Promise<number> {
  for (let times = 0; times < 3; times += 1) {
    gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

// What the first ones leave, such as compiled code and images that are remembered by their name, does not count.
const first = newReviewer();
for (let index = 0; index < 1_500; index += 1) send(first, -1 - index);
const second = newReviewer();
const empty = await held();
for (let index = 0; index < 3_000; index += 1) send(second, index);
const full = await held();
const gauge = /^transship_review_cache_bytes\{mode="enforce"\} (\d+)$/m.exec(await metrics.registry.metrics())?.[1];
// Alive until here: the first one's memory is part of both.
send(first, 0);
process.stdout.write(JSON.stringify({ held: full - empty, told: Number(gauge) }));
