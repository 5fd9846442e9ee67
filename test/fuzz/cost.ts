/**
 * What a review costs beside JSON.parse of the same bytes, in the same process: CPU time, so that a busy machine does not count, and bytes that V8
 * allocated on its heap, whether or not they were collected in between.
 */
import { getHeapStatistics } from 'node:v8';
import { pino } from 'pino';
import { createMetrics } from '../../src/observe/metrics.ts';
import { createReviewer, type Reviewer } from '../../src/server/reviewer.ts';
import { installedScope } from '../builders/webhook.ts';
import { compiled } from '../rules/policy.ts';

const policy = compiled({
  registries: { local: { host: 'localhost:30500', pullSecrets: ['pull'] } },
  rules: [{ name: 'hub', match: { images: ['docker.io'] }, rewrite: { registry: 'local', as: 'path' } }],
});
const metrics = createMetrics();
let lineLength = 0;
const log = pino({ level: 'info', base: null }, { write: (line: string) => void (lineLength = line.length) });

export interface Cost {
  /** Milliseconds of CPU. */
  readonly parse: number;
  readonly review: number;
  /** Bytes on the heap of V8. */
  readonly parseAllocated: number;
  readonly reviewAllocated: number;
  /** Characters. */
  readonly answer: number;
  readonly line: number;
}

/** The smallest of several rounds, each with a reviewer that remembers nothing. */
export function costOf(body: string, rounds = 3): Cost {
  const text = Buffer.from(body);
  const bytes = Buffer.concat([text], text.length + 1);
  const none = Number.POSITIVE_INFINITY;
  const cost = { parse: none, review: none, parseAllocated: none, reviewAllocated: none, answer: 0 };
  for (let round = 0; round < rounds; round += 1) {
    const reviewer = newReviewer();
    const atStart = allocatedBytes();
    cost.parse = Math.min(
      cost.parse,
      cpuTime(() => parsed(text)),
    );
    const parsedAt = allocatedBytes();
    cost.review = Math.min(
      cost.review,
      cpuTime(() => {
        cost.answer = reviewer({ body: bytes, encoding: undefined, remote: () => '127.0.0.1' }).body.length;
      }),
    );
    cost.parseAllocated = Math.min(cost.parseAllocated, parsedAt - atStart);
    cost.reviewAllocated = Math.min(cost.reviewAllocated, allocatedBytes() - parsedAt);
  }
  return { ...cost, line: lineLength };
}

function newReviewer(): Reviewer {
  return createReviewer({ policy: () => policy, scope: installedScope, metrics, log, loggedReviews: 'all', reviewCache: true }, 'enforce');
}

function parsed(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8'));
  } catch {
    return undefined;
  }
}

function allocatedBytes(): number {
  return getHeapStatistics().total_allocated_bytes;
}

function cpuTime(run: () => unknown): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
