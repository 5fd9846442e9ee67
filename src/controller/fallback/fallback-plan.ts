/** Which containers of a pod go to the next alternative of their rule, and when. Pure. */
import type { FallbackRecord } from '../../pod/fallback-record.ts';
import type { PullFailure, PullFailureCode } from '../../pod/pull-failure.ts';
import { meets } from '../../policy/label-selector.ts';
import { referenceOf } from '../../image/reference.ts';
import type { RulePolicy } from '../../policy/types.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import { isAt } from '../../rules/targets.ts';
import { decideImage } from '../../rules/decide.ts';
import { isPodOptedIn, type TargetScope } from '../secrets/target-namespaces.ts';
import { nextTarget } from './next-target.ts';
import type { FailingContainer, SeenPod } from './seen-pod.ts';

/** A container that gets the image of an alternative. */
export interface Move {
  readonly container: FailingContainer;
  readonly rule: string;
  /** Of the alternative: a registry, `original` or a transform. */
  readonly target: string;
  /** Beginning with 1. */
  readonly step: number;
  /** How many alternatives the rule has. */
  readonly steps: number;
  readonly to: string;
  readonly failure: PullFailure;
  /** Pull secrets of the alternative that the pod lacks: they cannot be added any more. */
  readonly missingSecrets: readonly string[];
}

/** A container that stays, although its rule has alternatives. */
export interface Stay {
  readonly container: FailingContainer;
  readonly rule: string;
  readonly result: 'exhausted' | 'impossible';
  /** For people. */
  readonly message: string;
}

export interface Plan {
  readonly moves: readonly Move[];
  /** Milliseconds until the moves are due; 0 for now. */
  readonly delay: number;
  readonly stays: readonly Stay[];
}

export interface PlanContext {
  readonly policy: CompiledPolicy;
  readonly scope: TargetScope;
  /** Labels of the pod's namespace; null where the namespace is not known (any more). */
  readonly namespaceLabels: Readonly<Record<string, string>> | null;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Another registry may do better. An image that was not pulled for another reason, such as a full disk, is not pulled from elsewhere either. */
const movable: ReadonlySet<PullFailureCode> = new Set([
  'not-found',
  'unauthorized',
  'too-many-requests',
  'platform',
  'unknown-host',
  'unreachable',
  'tls',
  'invalid-name',
]);

/** Milliseconds between two steps of a pod; doubled with each step. */
export const stepInterval = 60_000;
const maxInterval = 600_000;
/** Milliseconds from the creation of a pod in which its pull secret may still be on its way: the kubelet's second attempt is after 10 s. */
export const secretGrace = 20_000;

const nothing: Plan = { moves: [], delay: 0, stays: [] };

export function planFallback(pod: SeenPod, context: PlanContext): Plan {
  if (pod.failing.length === 0 || !isInScope(pod, context)) return nothing;
  const planned = pod.failing.map((container) => planContainer(pod, container, context)).filter((each) => each !== null);
  const moves = planned.filter((each) => 'to' in each);
  return {
    moves,
    delay: moves.length === 0 ? 0 : Math.max(delayOf(pod.steps, context.now), graceOf(pod, moves, context.now)),
    stays: planned.filter((each) => 'message' in each),
  };
}

/** Operators that compare images would undo a step. */
export function isInScope({ metadata, isMirror }: SeenPod, { policy, scope, namespaceLabels }: PlanContext): boolean {
  const { namespace = '', labels = {} } = metadata;
  if (isMirror || namespaceLabels === null || policy.imageManagers.some(({ requirements }) => meets(requirements, labels))) return false;
  return isPodOptedIn({ namespace, labels }, namespaceLabels, scope);
}

function planContainer(pod: SeenPod, container: FailingContainer, { policy }: PlanContext): Move | Stay | null {
  if (container.pullPolicy === 'Never' || !movable.has(container.failure.code)) return null;
  const fixed = fixedImageOf(container);
  if (fixed !== null) return stayOfFixed(container, fixed, policy);
  const original = pod.originals.get(container.name);
  if (original === undefined) return null;
  const podContext = { namespace: pod.metadata.namespace ?? '', podLabels: pod.metadata.labels ?? {} };
  const decision = decideImage(policy.table, original, podContext, container.pullPolicy);
  const rule = policy.rules.find(({ policy: { name } }) => name === decision.rule)?.policy;
  if (rule === undefined || decision.alternatives.length === 0) return null;
  const next = nextTarget({ image: container.image, last: pod.steps.get(container.name) }, decision, policy);
  const stay = (result: Stay['result'], message: string): Stay => ({ container, rule: rule.name, result, message });
  if (next === null)
    return stay(
      'impossible',
      `${container.image} of container ${container.name} cannot be pulled, and the present policy makes ${decision.result} of ${original}: the policy has changed since, or somebody else wrote the image. Create the pod again.`,
    );
  const obstacle = obstacleOf(container, rule);
  if (obstacle !== null) return stay('impossible', obstacle);
  if (next === 'exhausted')
    return stay(
      'exhausted',
      `${container.image} of container ${container.name} cannot be pulled, and rule ${rule.name} has no further alternative.`,
    );
  const { target, step, image: to } = next;
  const missingSecrets = next.pullSecrets.filter((secret) => !pod.pullSecrets.includes(secret));
  const steps = decision.alternatives.length;
  return { container, rule: rule.name, target, step, steps, to, failure: container.failure, missingSecrets };
}

interface FixedImage {
  readonly image: string;
  /** Why, for people. */
  readonly message: string;
}

/** An image that Kubernetes lets nobody change (pkg/apis/core/validation: ValidatePodUpdate, ValidatePodEphemeralContainersUpdate). */
function fixedImageOf({ list, name, image, volume }: FailingContainer): FixedImage | null {
  if (volume !== null) {
    const why = `cannot be pulled, and image volumes of an existing pod cannot be changed.`;
    return { image: volume.image, message: `The image of volume ${volume.name}, ${volume.image}, ${why}` };
  }
  if (list !== 'ephemeralContainers') return null;
  const why = `cannot be pulled, and debug containers cannot be changed. Add another one.`;
  return { image, message: `${image} of debug container ${name} ${why}` };
}

/** By where the image is: a debug container has no record, since whoever adds it cannot write annotations in the same request. */
function stayOfFixed(container: FailingContainer, { image, message }: FixedImage, { rules }: CompiledPolicy): Stay | null {
  const reference = referenceOf(image);
  if (reference === null) return null;
  const rule = rules.find(({ alternatives, rewrite }) => {
    const targets = [rewrite, ...alternatives.map((each) => each.rewrite)].flatMap((each) => each?.target ?? []);
    return alternatives.length > 0 && targets.some((target) => isAt(target, reference));
  });
  return rule === undefined ? null : { container, rule: rule.policy.name, result: 'impossible', message };
}

/** Why the image is not changed, for people; null if it is. */
function obstacleOf({ name, image, pullPolicy }: FailingContainer, rule: RulePolicy): string | null {
  if (rule.onMutableTag === 'keep' && pullPolicy === 'Always' && referenceOf(image)?.digest === null)
    return `${image} of container ${name} stays: with imagePullPolicy Always, its tag may name other content in another registry. Name it by digest, or set onMutableTag: fallBack in rule ${rule.name}.`;
  return null;
}

function graceOf({ createdAt }: SeenPod, moves: readonly Move[], now: number): number {
  return moves.some(({ failure }) => failure.code === 'unauthorized') ? Math.max(0, createdAt + secretGrace - now) : 0;
}

/** One step a minute at most, whichever the container, and longer after each. */
function delayOf(steps: FallbackRecord, now: number): number {
  const times = [...steps.values()].map(({ at }) => Date.parse(at)).filter((time) => Number.isFinite(time));
  if (times.length === 0) return 0;
  // The clock of an earlier leader may be ahead.
  const last = Math.min(now, Math.max(...times));
  const furthest = Math.max(...[...steps.values()].map(({ step }) => step));
  return Math.max(0, last + intervalAfter(furthest) - now);
}

/** Milliseconds. @param attempts of a pod, beginning with 1 */
export const intervalAfter = (attempts: number): number => Math.min(stepInterval * 2 ** Math.max(0, attempts - 1), maxInterval);
