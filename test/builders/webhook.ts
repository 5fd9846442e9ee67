/** The webhook without its server: a review's body in, the decision and the answer out, and the patch as the API server applies it. */
import fjp, { type Operation } from 'fast-json-patch';
import { admit, decisionLabels, type Admission, type Mode } from '../../src/admission/admit.ts';
import { toResponse, type AdmissionResponse } from '../../src/admission/response.ts';
import { readReview, reviewFields } from '../../src/admission/review.ts';
import type { Scope } from '../../src/admission/scope.ts';
import type { CompiledPolicy } from '../../src/rules/compile.ts';

/** As the chart installs it. */
export const installedScope: Scope = { releaseNamespace: 'transship' };

export interface Called {
  readonly admission: Admission;
  /** After a round trip through JSON, as the API server reads it. */
  readonly response: AdmissionResponse;
  /** Empty when the answer has none. */
  readonly patch: readonly Operation[];
}

/** Throws when the body is not a review. */
export function call(body: unknown, policy: CompiledPolicy, mode: Mode = 'enforce'): Called {
  const read = readReview(body, reviewFields(decisionLabels(policy)));
  if (!read.ok) throw new Error(read.problem);
  const admission = admit(read.review, policy, installedScope, mode);
  const { response } = JSON.parse(JSON.stringify(toResponse(read.review.uid, admission, base64)));
  return { admission, response, patch: response.patch === undefined ? [] : JSON.parse(Buffer.from(response.patch, 'base64').toString()) };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** The patched document; the given one stays as it is. Throws when the patch is not valid for it. */
export function patched<T>(document: T, patch: readonly Operation[]): T {
  const problem = fjp.validate([...patch], document);
  if (problem !== undefined) throw problem;
  return fjp.applyPatch(structuredClone(document), patch, true).newDocument;
}
