/**
 * Any bytes to /mutate and /shadow: a valid AdmissionReview that allows the pod, or a 400 with its sentence. The patch applies, the answer
 * is the one that the whole body, read by JSON.parse, gives, and nothing is thrown, not even inside.
 */
import { readdirSync, readFileSync } from 'node:fs';
import fjp from 'fast-json-patch';
import { pino } from 'pino';
import { admit, decisionLabels, type Mode } from '../../src/admission/admit.ts';
import { toResponse } from '../../src/admission/response.ts';
import { readReview, reviewFields } from '../../src/admission/review.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import type { HttpResponse } from '../../src/server/errors.ts';
import { identityOf } from '../../src/admission/identity.ts';
import { createReviewer, type Reviewer } from '../../src/server/reviewer.ts';
import { identityFields } from '../../src/server/review-log.ts';
import { installedScope } from '../builders/webhook.ts';
import { damagedBytes } from './bytes.ts';
import { damagedDocument } from './documents.ts';
import { Finding } from './finding.ts';
import { policies } from './policies.ts';
import { Random } from './random.ts';

const corpus = new URL('../corpus/reviews/', import.meta.url);
const folders = readdirSync(corpus, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const sample = new URL('../../examples/admission-review.json', import.meta.url);

/** Reviews as API servers sent them, in the fewest bytes. */
export const reviewTexts: readonly [string, ...string[]] = [
  sample,
  ...folders.map(({ name }) => new URL(`${name}/review.json`, corpus)),
].map((file) => JSON.stringify(JSON.parse(readFileSync(file, 'utf8')))) as [string, ...string[]];
const reviewBodies = reviewTexts.map((text) => Buffer.from(text)) as [Buffer, ...Buffer[]];

/** A line longer than this is a way to fill a disk. */
const longestLine = 512 * 1024;

const lines: string[] = [];
const log = pino({ level: 'info', base: null }, { write: (line: string) => void lines.push(line) });
const metrics = createMetrics();
let policy = policies[0];
const reviewers: Readonly<Record<Mode, Reviewer>> = { enforce: reviewerOf('enforce'), shadow: reviewerOf('shadow') };

function reviewerOf(mode: Mode): Reviewer {
  return createReviewer(
    {
      policy: () => policy,
      scope: installedScope,
      metrics,
      log,
      loggedReviews: 'all',
      reviewCache: process.env['TRANSSHIP_REVIEW_CACHE'] !== 'false',
    },
    mode,
  );
}

/** An answer as it can be, not as it should be. */
interface Answered {
  readonly apiVersion: unknown;
  readonly kind: unknown;
  readonly response: {
    readonly uid: unknown;
    readonly allowed: unknown;
    readonly patch?: string;
    readonly patchType?: unknown;
    readonly warnings?: readonly string[];
  };
}

/** The body of one execution. */
export function reviewBody(random: Random): Buffer {
  const index = random.below(reviewTexts.length);
  if (random.once(3)) return damagedBytes(reviewBodies[index] ?? reviewBodies[0], random, random.pick(reviewBodies));
  const document = Buffer.from(damagedDocument(reviewTexts[index] ?? reviewTexts[0], random));
  return random.once(8) ? damagedBytes(document, random, reviewBodies[0]) : document;
}

export function fuzzReview(seed: number, execution: number): string {
  const random = new Random(seed, execution);
  const chosen = random.below(policies.length);
  return checkReview(reviewBody(random), { mode: random.once(6) ? 'shadow' : 'enforce', policyNumber: chosen });
}

/** @returns what became of it; throws a Finding */
export function checkReview(body: Buffer, { mode, policyNumber }: { mode: Mode; policyNumber: number }): string {
  policy = policies[policyNumber] ?? policies[0];
  lines.length = 0;
  const sent = answerTo(body, mode);
  checkLog(body);
  if (sent.status === 400) return checkRefusal(body, sent.body);
  if (sent.status !== 200) throw new Finding(`the status is ${sent.status}`, body);
  return checkAnswer(body, sent.body, mode);
}

const shared = Buffer.alloc(1024 * 1024);

/** In the place of the one before, as the server has them: what is remembered must not be a view of it. */
function inShared(body: Buffer): Buffer {
  const room = body.length < shared.length ? shared.subarray(0, body.length + 1) : Buffer.alloc(body.length + 1);
  body.copy(room);
  room[body.length] = 0;
  return room;
}

/** The reviewer itself and no server around it: what comes before is not what is searched for, and takes ten times as long. */
function answerTo(body: Buffer, mode: Mode): HttpResponse {
  try {
    return reviewers[mode]({ body: inShared(body), encoding: undefined, remote: () => '127.0.0.1' });
  } catch (error) {
    throw new Finding('the reviewer throws', body, error);
  }
}

function checkLog(body: Buffer): void {
  if (lines.length > 1) throw new Finding(`${lines.length} lines are logged`, body);
  for (const line of lines) {
    // What is logged as an error is an exception that the handler caught.
    if (JSON.parse(line).level >= 50) throw new Finding(`the engine throws: ${line.slice(0, 2000)}`, body);
    if (line.length > longestLine) throw new Finding(`a line of ${line.length} characters is logged`, body);
  }
}

function checkRefusal(body: Buffer, text: string): string {
  const { code, error } = JSON.parse(text);
  if (typeof code !== 'string' || typeof error !== 'string' || error.length > 1000)
    throw new Finding(`a 400 says ${text.slice(0, 2000)}`, body);
  // Bytes that are brackets are brackets in any case, and those in strings make it only more.
  const isDeep = /nested too deeply/.test(error) && body.filter((byte) => byte === 0x5b || byte === 0x7b).length > 10_000;
  const expected = isDeep ? null : wholeAnswer(body, 'enforce');
  if (expected !== null) throw new Finding(`refused, and can be read: ${error}`, body);
  return code;
}

/** What the answer must be; null when it must be a 400. */
function wholeAnswer(body: Buffer, mode: Mode): string | null {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
  const read = readReview(value, reviewFields(decisionLabels(policy)));
  return read.ok
    ? JSON.stringify(
        toResponse(read.review.uid, admit(read.review, policy, installedScope, mode), (text) => Buffer.from(text).toString('base64')),
      )
    : null;
}

function checkAnswer(body: Buffer, text: string, mode: Mode): string {
  const expected = wholeAnswer(body, mode) ?? '';
  if (expected.length > 2 * body.length + 64 * 1024) return checkTooLong(body, text);
  if (text !== expected) throw new Finding(`the answer is not that to the whole body: ${text.slice(0, 500)}`, body);
  checkNames(body);
  const { apiVersion, kind, response } = JSON.parse(text) as Answered;
  const { request } = JSON.parse(body.toString('utf8'));
  if (apiVersion !== 'admission.k8s.io/v1' || kind !== 'AdmissionReview' || response.uid !== request.uid)
    throw new Finding('the envelope is wrong', body);
  if (response.allowed !== true) throw new Finding('the pod is not allowed', body);
  if ((response.patch === undefined) !== (response.patchType !== 'JSONPatch'))
    throw new Finding('patch and patchType do not come together', body);
  for (const warning of response.warnings ?? [])
    if (warning.length > 120 || /\p{Cc}|\p{Cs}/u.test(warning)) throw new Finding(`a warning says ${JSON.stringify(warning)}`, body);
  if (response.patch === undefined) return 'unpatched';
  if (mode === 'shadow') throw new Finding('a patch in shadow mode', body);
  checkPatch(body, request.object, response.patch);
  return 'patched';
}

/** Much longer than its review, an answer is not given. */
function checkTooLong(body: Buffer, text: string): string {
  const { response }: Answered = JSON.parse(text);
  if (response.allowed !== true || response.patch !== undefined || response.warnings?.length !== 1)
    throw new Finding(`an answer that would be too long is ${text.slice(0, 500)}`, body);
  return 'too-large';
}

/** An answer from memory is logged under the names of who asked, and not of who asked first. */
function checkNames(body: Buffer): void {
  const read = readReview(JSON.parse(body.toString('utf8')), reviewFields([]));
  if (!read.ok) return;
  const { uid, pod, owner } = identityFields(identityOf(read.review));
  const line = JSON.parse(lines[0] ?? '{}');
  // In bytes as they are logged: half of a character is none.
  if (JSON.stringify([line.uid, line.pod, line.owner]) !== JSON.stringify([uid, pod, owner]))
    throw new Finding(`the line is that of ${JSON.stringify(line).slice(0, 300)}`, body);
}

function checkPatch(body: Buffer, object: unknown, patch: string): void {
  const operations = JSON.parse(Buffer.from(patch, 'base64').toString('utf8'));
  try {
    // Validated one by one while they are applied, and with `__proto__` in no path.
    fjp.applyPatch(object, operations, true, true, true);
  } catch (error) {
    throw new Finding(`the patch does not apply: ${JSON.stringify(operations).slice(0, 1000)}`, body, error);
  }
}
