/** What a review costs beside JSON.parse of the same bytes, in the same process: CPU time, so that a busy machine does not count. */
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
  /** Characters. */
  readonly answer: number;
  readonly line: number;
}

/** The smallest of several rounds, each with a reviewer that remembers nothing. */
export function costOf(body: string, rounds = 3): Cost {
  const text = Buffer.from(body);
  const bytes = Buffer.concat([text], text.length + 1);
  const cost = { parse: Number.POSITIVE_INFINITY, review: Number.POSITIVE_INFINITY, answer: 0 };
  for (let round = 0; round < rounds; round += 1) {
    const reviewer = newReviewer();
    cost.parse = Math.min(
      cost.parse,
      cpuTime(() => parsed(text)),
    );
    cost.review = Math.min(
      cost.review,
      cpuTime(() => {
        cost.answer = reviewer({ body: bytes, encoding: undefined, remote: () => '127.0.0.1' }).body.length;
      }),
    );
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

function cpuTime(run: () => unknown): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
