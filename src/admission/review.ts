/**
 * The envelope in: an AdmissionReview of admission.k8s.io/v1 as the API server posts it
 * (https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request). The type is not in the
 * OpenAPI document, so it is read by hand.
 */
import { isObject, member, text } from '../pod/json.ts';
import { readPod, type Pod, type PodContent } from '../pod/pod.ts';

export interface Review {
  /** Echoed in the answer. */
  readonly uid: string;
  readonly operation: string;
  /** Namespace of the pod, empty for objects without one. */
  readonly namespace: string;
  /** Empty while the API server has not expanded `generateName`. */
  readonly name: string;
  /** `pods`, or whatever else the webhook was registered for by mistake; with the group in front where there is one. */
  readonly resource: string;
  /** `ephemeralcontainers` for a debug container; empty for the object itself. */
  readonly subResource: string;
  readonly dryRun: boolean;
  readonly pod: Pod;
  /** The pod before an UPDATE; null on CREATE. */
  readonly oldPod: Pod | null;
}

/** A review without the names in it: reviews that differ in nothing else get the same answer, and are given it from memory. */
export interface Question extends Omit<Review, 'uid' | 'name' | 'pod' | 'oldPod'> {
  readonly pod: PodContent;
  readonly oldPod: Pick<PodContent, 'images'> | null;
}

export type ReadReview = { readonly ok: true; readonly review: Review } | { readonly ok: false; readonly problem: string };

const apiVersion = 'admission.k8s.io/v1';
/** The API server's own are 36 characters long; the bound keeps a log line and an answer small whoever calls. */
export const maximumUidLength = 256;

/** @param body a parsed request body */
export function readReview(body: unknown): ReadReview {
  if (!isObject(body)) return problem('the body is not a JSON object; POST an AdmissionReview');
  if (member(body, 'kind') !== 'AdmissionReview') return problem(`kind must be AdmissionReview, not ${describe(member(body, 'kind'))}`);
  if (member(body, 'apiVersion') !== apiVersion)
    return problem(`apiVersion must be ${apiVersion}, not ${describe(member(body, 'apiVersion'))}`);
  const request = member(body, 'request');
  if (!isObject(request)) return problem('request is missing; an AdmissionReview without one asks nothing');
  const uid = text(request, 'uid');
  if (uid === null || uid === '') return problem('request.uid is missing; the answer must carry it');
  if (uid.length > maximumUidLength) return problem(`request.uid has more than ${maximumUidLength} characters`);
  const operation = text(request, 'operation');
  if (operation === null) return problem('request.operation is missing');
  const oldObject = member(request, 'oldObject');
  return {
    ok: true,
    review: {
      uid,
      operation,
      namespace: text(request, 'namespace') ?? '',
      name: text(request, 'name') ?? '',
      resource: resourceOf(request),
      subResource: text(request, 'subResource') ?? '',
      dryRun: member(request, 'dryRun') === true,
      pod: readPod(member(request, 'object')),
      oldPod: isObject(oldObject) ? readPod(oldObject) : null,
    },
  };
}

function resourceOf(request: unknown): string {
  const resource = member(request, 'resource');
  const group = text(resource, 'group') ?? '';
  const name = text(resource, 'resource') ?? '';
  return group === '' ? name : `${group}/${name}`;
}

function problem(sentence: string): ReadReview {
  return { ok: false, problem: sentence };
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 60));
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  return Array.isArray(value) ? 'a list' : isObject(value) ? 'an object' : `a ${typeof value}`;
}
