/**
 * Reads an AdmissionReview of admission.k8s.io/v1 as the API server posts it
 * (https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request). The type is not in the OpenAPI
 * document, so it is read by hand.
 */
import { measuredAnnotations, type AnnotationFields } from '../pod/annotations.ts';
import { identity, isObject, isTrue, member, objectOf, scalar, text, untrusted, type Untrusted } from '../pod/fields.ts';
import { imageFields, imagesOf } from '../pod/images.ts';
import { podFields, readPod, type Pod, type PodContent } from '../pod/pod.ts';

export interface Review {
  /** Copied to the response. */
  readonly uid: string;
  readonly operation: string;
  /** Namespace of the pod, empty for cluster-scoped objects. */
  readonly namespace: string;
  /** Empty until the API server has expanded `generateName`. */
  readonly name: string;
  /** `pods`, or another resource that the webhook was registered for by mistake, prefixed with its group if it has one. */
  readonly resource: string;
  /** `ephemeralcontainers` for a debug container; empty for the object itself. */
  readonly subResource: string;
  readonly dryRun: boolean;
  readonly pod: Pod;
  /** The pod before an UPDATE; null on CREATE. */
  readonly oldPod: OldPod | null;
}

/** Only its images are compared. */
export type OldPod = Pick<PodContent, 'images'>;

/** A review without its identity: reviews that differ in nothing else have the same decision. */
export interface DecisionInput extends Omit<Review, 'uid' | 'name' | 'pod'> {
  readonly pod: PodContent;
}

export type ReadReview = { readonly ok: true; readonly review: Review } | { readonly ok: false; readonly problem: string };

const apiVersion = 'admission.k8s.io/v1';
/** The API server's are 36 characters long; the limit bounds log lines and responses for other clients. */
export const maxUidLength = 256;

export type ReviewFields = ReturnType<typeof reviewFields>;

const resourceFields = objectOf({ group: scalar, resource: scalar });

/** @param labels keys of the labels that decisions read */
// oxlint-disable-next-line typescript/explicit-function-return-type -- the type is the declaration
export function reviewFields(labels: readonly string[], annotations: AnnotationFields = measuredAnnotations) {
  return objectOf({
    apiVersion: scalar,
    kind: scalar,
    request: objectOf({
      uid: identity('uid'),
      operation: scalar,
      namespace: scalar,
      name: identity('name'),
      resource: resourceFields,
      subResource: scalar,
      dryRun: scalar,
      object: podFields(labels, annotations),
      oldObject: objectOf({ spec: objectOf(imageFields) }),
    }),
  });
}

/**
 * @param document a parsed request body, of which the given fields are read
 * @param annotationsLength bytes of the pod's undeclared annotations; null if they are in the document
 */
export function readReview(document: unknown, fields: ReviewFields, annotationsLength: number | null = null): ReadReview {
  if (!isObject(document)) return problem('the body is not a JSON object; POST an AdmissionReview');
  const body = untrusted(document, fields);
  if (text(body, 'kind') !== 'AdmissionReview') return problem(`kind must be AdmissionReview, not ${describe(member(body, 'kind'))}`);
  if (text(body, 'apiVersion') !== apiVersion)
    return problem(`apiVersion must be ${apiVersion}, not ${describe(member(body, 'apiVersion'))}`);
  const request = member(body, 'request');
  if (!isObject(request)) return problem('request is missing, so there is nothing to decide');
  const uid = text(request, 'uid');
  if (uid === null || uid === '') return problem('request.uid is missing; the answer must carry it');
  if (uid.length > maxUidLength) return problem(`request.uid has more than ${maxUidLength} characters`);
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
      resource: resourceOf(member(request, 'resource')),
      subResource: text(request, 'subResource') ?? '',
      dryRun: isTrue(request, 'dryRun'),
      pod: readPod(member(request, 'object'), fields.members.request.members.object, annotationsLength),
      oldPod: isObject(oldObject) ? { images: imagesOf(member(oldObject, 'spec')) } : null,
    },
  };
}

function resourceOf(resource: Untrusted<typeof resourceFields>): string {
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
  return Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
