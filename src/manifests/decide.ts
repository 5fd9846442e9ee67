/** Decides the pods of manifests like the webhook would if they were created. */
import { decisionLabels } from '../admission/admit.ts';
import type { Review } from '../admission/review.ts';
import { rewritePod, type SiteDecision } from '../admission/rewrite-pod.ts';
import { reasonToSkip, type Scope } from '../admission/scope.ts';
import { add, type Operation, type PatchValue } from '../patch/operations.ts';
import { imagePointer, siteKey } from '../pod/images.ts';
import { member } from '../pod/json.ts';
import { podFields, readPod, type Pod } from '../pod/pod.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { decideImage } from '../rules/decide.ts';
import { imageDecision } from '../rules/decision.ts';
import { workloadsOf, type Workload } from './workloads.ts';

/** Outside a cluster there is no release namespace. */
export const commandLineScope: Scope = { releaseNamespace: null };

export const defaultNamespace = 'default';

export interface ManifestImage {
  readonly decision: SiteDecision;
  /** JSON Pointer of the image in its document. */
  readonly pointer: string;
  readonly workload: Workload;
}

export interface ManifestDecision {
  readonly images: readonly ManifestImage[];
  /** Pointers are relative to the document. */
  readonly operations: readonly Operation[];
}

/** Namespace and labels, from the manifest and the command line. */
export interface ManifestContext {
  readonly namespaceOf: (stated: string | null) => string;
  /** Added to the pod's own. */
  readonly labels?: Readonly<Record<string, string>>;
  /**
   * Which images are decided by their name in the pod's record of original images: those under a target of the policy, or every recorded one.
   * A webhook keeps the record of a pod; in a manifest somebody may have changed the image and left the record.
   */
  readonly originals?: 'under-target' | 'recorded';
}

/** @param value a document as plain values */
export function decideDocument(policy: CompiledPolicy, value: unknown, context: ManifestContext): ManifestDecision {
  const decisions = workloadsOf(value).map((workload) => decideWorkload(policy, workload, context));
  return { images: decisions.flatMap(({ images }) => images), operations: decisions.flatMap(({ operations }) => operations) };
}

/** Why such a pod, created in this namespace, would be left alone as a whole; null if its images are decided. */
export function skipReason(policy: CompiledPolicy, pod: Pod, namespace: string): string | null {
  const review: Review = {
    uid: '',
    operation: 'CREATE',
    namespace,
    name: pod.name,
    resource: 'pods',
    subResource: '',
    dryRun: false,
    pod,
    oldPod: null,
  };
  return reasonToSkip(review, policy, commandLineScope)?.sentence ?? null;
}

function decideWorkload(policy: CompiledPolicy, workload: Workload, { namespaceOf, labels, originals }: ManifestContext): ManifestDecision {
  const namespace = namespaceOf(workload.namespace);
  const lacksMetadata = (member(workload.pod, 'metadata') ?? null) === null;
  // The template of a Job may have no metadata; it is created when there is something to record.
  const read = readPod(lacksMetadata ? { ...Object(workload.pod), metadata: {} } : workload.pod, podFields(decisionLabels(policy)));
  const pod = labels === undefined ? read : { ...read, labels: { ...read.labels, ...labels } };
  const place = (decision: SiteDecision): ManifestImage => ({
    decision,
    pointer: workload.pointer + imagePointer(decision.site),
    workload,
  });
  const skipped = skipReason(policy, pod, namespace);
  if (skipped !== null) {
    return {
      images: pod.images.map((site) => place({ ...imageDecision(site.image, 'pod-excluded', skipped), site, missingSecrets: [] })),
      operations: [],
    };
  }
  // A manifest in a repository would change with every revision of the policy.
  const deciding = { table: policy.table, revision: null };
  const { images, operations } = rewritePod(deciding, pod, { namespace, podLabels: pod.labels }, { kind: 'create' });
  const complete = lacksMetadata ? operations.map(withMetadata) : operations;
  const written = originals === undefined ? null : pod.annotations.originalImages.entries;
  const original = (decision: SiteDecision): SiteDecision => {
    const { site, missingSecrets } = decision;
    const image = written?.get(siteKey(site));
    if (image === undefined || (originals === 'under-target' && decision.outcome !== 'already-there')) return decision;
    return { ...decideImage(policy.table, image, { namespace, podLabels: pod.labels }, site.pullPolicy), site, missingSecrets };
  };
  if (!workload.isTemplate) return { images: images.map(original).map(place), operations: [] };
  return { images: images.map(original).map(place), operations: complete.map((operation) => moved(operation, workload.pointer)) };
}

function moved(operation: Operation, pointer: string): Operation {
  const path = pointer + operation.path;
  return operation.op === 'remove' ? { op: 'remove', path } : { op: operation.op, path, value: operation.value };
}

/** For a template without metadata, the record includes the metadata. */
function withMetadata(operation: Operation): Operation {
  if (operation.op === 'remove' || operation.path !== '/metadata/annotations') return operation;
  const metadata: PatchValue = { annotations: operation.value };
  return add('/metadata', metadata);
}
