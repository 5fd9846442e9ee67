/** The load of a soak: genuine reviews, large ones, broken ones, one after the other over kept connections, and every answer is judged. */
import { request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../test/fuzz/random.ts';
import { reviewBody, reviewTexts } from '../../test/fuzz/review-target.ts';
import { reviewOf } from '../reviews.ts';
import type { Backend } from './backend.ts';
import { revisionsOf } from './policy.ts';

export interface Counts {
  answered: number;
  patched: number;
  refused: number;
  /** Times that a 503 asked to come again, which the API server does as well. */
  postponed: number;
  readonly failures: string[];
}

export interface LoadOptions {
  readonly workers: number;
  /** Milliseconds between two requests of a worker. */
  readonly pause: number;
  readonly seed: number;
  /** Where new requests go at this moment. */
  readonly backends: () => readonly Backend[];
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

interface Question {
  readonly body: Buffer;
  readonly path: '/mutate' | '/shadow';
  /** Whether it is a genuine review, which must be answered by one. */
  readonly isGenuine: boolean;
}

const large = Buffer.from(reviewOf({ size: 256 * 1024 }));
/** The API server gives up later than this, but not by much. */
const patience = 10_000;
/** As the API server's client does (kubernetes/client-go, rest/request.go). */
const mostRetries = 10;

/** @returns what ends the load and gives what came out of it */
export function startLoad(options: LoadOptions): () => Promise<Counts> {
  const stopped = new AbortController();
  const counts: Counts = { answered: 0, patched: 0, refused: 0, postponed: 0, failures: [] };
  const workers = Array.from({ length: options.workers }, async (_value, worker) => {
    for (let number = worker; !stopped.signal.aborted; number += options.workers) {
      const { seed, pause, backends } = options;
      const random = new Random(seed, number);
      const backend = backends()[random.below(backends().length)];
      if (backend !== undefined) await ask(nextQuestion(random), backend, counts);
      await sleep(pause);
    }
  });
  return async () => {
    stopped.abort();
    await Promise.all(workers);
    return counts;
  };
}

function nextQuestion(random: Random): Question {
  const path = random.once(8) ? '/shadow' : '/mutate';
  if (random.once(5)) return { body: reviewBody(random), path, isGenuine: false };
  return { body: random.once(20) ? large : Buffer.from(random.pick(reviewTexts)), path, isGenuine: true };
}

async function ask(question: Question, backend: Backend, counts: Counts): Promise<void> {
  try {
    for (let retries = 0; ; retries += 1) {
      const answer = await send(question, backend);
      if (answer.status !== 503 || retries === mostRetries) return judge(question, answer, counts);
      counts.postponed += 1;
      await sleep(1000);
    }
  } catch (error) {
    counts.failures.push(`no answer: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function send({ body, path }: Question, { port, agent }: Backend): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length };
    const outgoing = request({ host: '127.0.0.1', port, agent, path, method: 'POST', headers, timeout: patience }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`none within ${patience} ms`)));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function judge({ isGenuine, path }: Question, { status, text }: Answer, counts: Counts): void {
  counts.answered += 1;
  if (status === 400 && !isGenuine) {
    counts.refused += 1;
    return;
  }
  if (status !== 200) return void counts.failures.push(`${status}: ${text.slice(0, 200)}`);
  const { response } = JSON.parse(text);
  if (response?.allowed !== true) counts.failures.push(`not allowed: ${text.slice(0, 200)}`);
  if (typeof response?.patch !== 'string') return;
  counts.patched += 1;
  if (path === '/shadow') counts.failures.push('a patch in shadow mode');
  const revisions = isGenuine ? revisionsOf(Buffer.from(response.patch, 'base64').toString()) : new Set();
  if (revisions.size > 1) counts.failures.push(`an answer of the policies ${[...revisions].join(' and ')}`);
}
