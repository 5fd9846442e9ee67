/** Answers an AdmissionReview from a file like /mutate. */
import { admit, decisionLabels } from '../admission/admit.ts';
import { toResponse } from '../admission/response.ts';
import { readReview, reviewFields } from '../admission/review.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { jsonText, printed, type Printable } from '../text/printable.ts';
import { messageOf } from '../errors/message.ts';
import { commandLineScope } from '../manifests/decide.ts';

/**
 * @returns the response, a line of JSON
 * @throws OperatorError (REVIEW_INVALID) where /mutate responds with 400
 */
export function answerReview(policy: CompiledPolicy, text: string, name: string): Printable {
  const read = readReview(parseJson(text, name), reviewFields(decisionLabels(policy)));
  if (!read.ok)
    throw new OperatorError('REVIEW_INVALID', `${name}: ${read.problem}`, '--review reads one AdmissionReview of admission.k8s.io/v1');
  const admission = admit(read.review, policy, commandLineScope, 'enforce');
  return printed`${jsonText(toResponse(read.review.uid, admission, base64))}\n`;
}

function parseJson(text: string, name: string): unknown {
  try {
    // Windows PowerShell saves JSON with a byte-order mark.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new OperatorError('REVIEW_INVALID', `${name} is not JSON: ${messageOf(error)}`, '--review reads one AdmissionReview', {
      cause: error,
    });
  }
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
