/** An AdmissionReview from a file, answered as /mutate answers it. */
import { admit } from '../admission/admit.ts';
import { answer } from '../admission/answer.ts';
import { readReview } from '../admission/review.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { Failure, messageOf } from './failure.ts';
import { commandLineScope } from '../manifests/decide.ts';

/**
 * @returns the answer, a line of JSON
 * @throws Failure (INVALID) for what /mutate answers with 400
 */
export function answerReview(policy: CompiledPolicy, text: string, name: string): string {
  const read = readReview(parseJson(text, name));
  if (!read.ok) throw new Failure('INVALID', `${name}: ${read.problem}`);
  const admission = admit(read.review, policy, commandLineScope, 'enforce');
  return `${JSON.stringify(answer(read.review.uid, admission, base64))}\n`;
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Failure('INVALID', `${name} is not JSON: ${messageOf(error)}; --review reads one AdmissionReview`, error);
  }
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
