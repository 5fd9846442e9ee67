/**
 * Builds the AdmissionReview of the response
 * (https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#response).
 */
import type { Admission } from './admit.ts';

export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: true;
  /** Both or neither: one without the other is a failed call. */
  readonly patchType?: 'JSONPatch';
  /** Base64 of a JSON Patch. */
  readonly patch?: string;
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

export interface ReviewResponse {
  readonly apiVersion: 'admission.k8s.io/v1';
  readonly kind: 'AdmissionReview';
  readonly response: AdmissionResponse;
}

/**
 * Always allowed: rewriting never rejects a pod.
 *
 * @param base64 encodes a UTF-8 text
 */
export function toResponse(uid: string, admission: Admission, base64: (text: string) => string): ReviewResponse {
  const { operations, warnings, auditAnnotations } = admission;
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed: true,
      ...(operations.length === 0 ? {} : { patchType: 'JSONPatch' as const, patch: base64(JSON.stringify(operations)) }),
      ...(warnings.length === 0 ? {} : { warnings }),
      ...(Object.keys(auditAnnotations).length === 0 ? {} : { auditAnnotations }),
    },
  };
}

/** A response as JSON; its uid goes between the two parts. */
export interface ResponseText {
  readonly before: string;
  readonly after: string;
}

const before = '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","response":{"uid":';

/** Equal to the JSON of `toResponse`, without processing the patch again, which has no character to escape. */
export function responseText({ operations, warnings, auditAnnotations }: Admission, base64: (text: string) => string): ResponseText {
  let after = ',"allowed":true';
  if (operations.length > 0) after += `,"patchType":"JSONPatch","patch":"${base64(JSON.stringify(operations))}"`;
  if (warnings.length > 0) after += `,"warnings":${JSON.stringify(warnings)}`;
  if (Object.keys(auditAnnotations).length > 0) after += `,"auditAnnotations":${JSON.stringify(auditAnnotations)}`;
  return { before, after: `${after}}}` };
}
