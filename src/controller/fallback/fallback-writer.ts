/** Writes a step to a pod, and tells of it: one patch with the images and their record, then an event for each container. */
import type { V1Pod } from '@kubernetes/client-node';
import { LRUCache } from 'lru-cache';

import { describeError, isConflict, isNotFound, retryAfterOf, statusOf } from '../../cluster/api-error.ts';
import { recordEvent } from '../../cluster/events.ts';
import { keyOf } from '../../cluster/object-store.ts';
import { strategicPatch } from '../../cluster/object-writes.ts';
import { fallbackAnnotation, fallbackText, nextStep } from '../../pod/fallback-record.ts';
import type { ReconcilerContext } from '../reconciler.ts';
import { done, requeueAfter, requeueUntil, type Requeue } from '../work-queue.ts';
import { intervalAfter, type Move, type Stay } from './fallback-plan.ts';
import type { SeenPod } from './seen-pod.ts';

const maxRefusals = 10_000;

interface Refusals {
  /** Consecutive ones. */
  readonly attempts: number;
  /** When the next attempt is due, on the monotonic clock. */
  readonly until: number;
}

export class FallbackWriter {
  readonly #context: ReconcilerContext;
  readonly #signal: AbortSignal;
  /** By the uid of a pod. */
  readonly #refusals = new LRUCache<string, Refusals>({ max: maxRefusals });

  constructor(context: ReconcilerContext, signal: AbortSignal) {
    this.#context = context;
    this.#signal = signal;
  }

  async move(pod: SeenPod, moves: readonly Move[]): Promise<Requeue> {
    const { cluster, log, metrics } = this.#context;
    const object = { apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata };
    try {
      const version = await strategicPatch(cluster, object, patchOf(pod, moves), this.#signal);
      metrics.writes.inc({ kind: 'pod', verb: 'update', result: 'done' });
      this.#refusals.delete(pod.metadata.uid ?? '');
      for (const move of moves) this.#tellMove(pod, move, 'moved');
      return requeueUntil(version);
    } catch (error) {
      if (this.#signal.aborted || isNotFound(error)) return done;
      metrics.writes.inc({ kind: 'pod', verb: 'update', result: isConflict(error) ? 'conflict' : 'failed' });
      // The kubelet wrote its status meanwhile: the watch brings the new version.
      if (isConflict(error)) return { result: 'failed' };
      log.warn({ pod: keyOf(pod), reason: describeError(error) }, 'the image of a pod could not be changed; trying again');
      if (isUnavailable(error)) return { result: 'unavailable', retryAfter: retryAfterOf(error) };
      this.#refused(pod, error);
      return requeueAfter(this.delayOf(pod));
    }
  }

  /** Milliseconds until the pod may be written again, after the API server refused it. */
  delayOf({ metadata }: SeenPod): number {
    return Math.max(0, (this.#refusals.get(metadata.uid ?? '')?.until ?? 0) - performance.now());
  }

  /** A policy, a webhook or a missing right: it may be mended, and says the same to each attempt until then. */
  #refused(pod: SeenPod, error: unknown): void {
    const uid = pod.metadata.uid ?? '';
    const attempts = (this.#refusals.get(uid)?.attempts ?? 0) + 1;
    this.#refusals.set(uid, { attempts, until: performance.now() + intervalAfter(attempts) });
    if (attempts === 1)
      this.#record(pod, 'Warning', 'FallbackFailed', `An image could not be changed to an alternative: ${describeError(error)}`);
  }

  /** What would be done, without `--fallback-dry-run`. */
  pretend(pod: SeenPod, moves: readonly Move[]): void {
    for (const move of moves) this.#tellMove(pod, move, 'dry-run');
  }

  tellStay(pod: SeenPod, { container, rule, result, message }: Stay): void {
    const { log, metrics } = this.#context;
    metrics.fallbackSteps.inc({ rule, target: '', reason: container.failure.code, result });
    log.warn({ pod: keyOf(pod), container: container.name, rule, reason: container.failure.code, result }, message);
    this.#record(pod, 'Warning', result === 'exhausted' ? 'FallbackExhausted' : 'FallbackNotPossible', message);
  }

  #tellMove(pod: SeenPod, move: Move, result: 'moved' | 'dry-run'): void {
    const { log, metrics } = this.#context;
    const { container, rule, target, to, failure } = move;
    metrics.fallbackSteps.inc({ rule, target, reason: failure.code, result });
    const fields = { pod: keyOf(pod), container: container.name, rule, target, from: container.image, to, reason: failure.code };
    if (result === 'moved') log.info(fields, 'a container got the image of an alternative');
    else log.info(fields, 'a container would get the image of an alternative, without dry run');
    this.#record(pod, 'Warning', result === 'moved' ? 'ImageFellBack' : 'ImageWouldFallBack', sentence(move, result));
  }

  #record({ metadata }: SeenPod, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { name, namespace, uid } = metadata;
    const identity = {
      ...(name !== undefined && { name }),
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
    };
    const regarding = { apiVersion: 'v1', kind: 'Pod', metadata: identity };
    void recordEvent(this.#context.cluster, { regarding, reason, message, type, action: 'FallBack' });
  }
}

/** No API server answered, or it has too much to do. A 500 is about the object: a webhook that fails, and must not be left out. */
function isUnavailable(error: unknown): boolean {
  const status = statusOf(error);
  return status === null || [429, 502, 503, 504].includes(status);
}

/** The version makes it one step: a pod that another leader has moved meanwhile has another version. */
export function patchOf({ metadata, steps }: SeenPod, moves: readonly Move[], at = new Date()): V1Pod {
  const { uid, resourceVersion } = metadata;
  const record = new Map(steps);
  for (const { container, step, to, failure } of moves) {
    const next = { step, from: container.image, to, at: at.toISOString(), reason: failure.code };
    record.set(container.name, nextStep(steps.get(container.name), next));
  }
  const imagesIn = (list: Move['container']['list']): { name: string; image: string }[] =>
    moves.filter(({ container }) => container.list === list).map(({ container, to }) => ({ name: container.name, image: to }));
  const [containers, initContainers] = [imagesIn('containers'), imagesIn('initContainers')];
  return {
    metadata: {
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      annotations: { [fallbackAnnotation]: fallbackText(record) },
    },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a patch: both lists may be absent
    spec: { ...(containers.length > 0 && { containers }), ...(initContainers.length > 0 && { initContainers }) } as NonNullable<
      V1Pod['spec']
    >,
  };
}

function sentence({ container, rule, step, steps, to, failure, missingSecrets }: Move, result: 'moved' | 'dry-run'): string {
  const becomes = result === 'moved' ? 'it is now' : 'without --fallback-dry-run it would be';
  const secrets =
    missingSecrets.length === 0 ? '' : `. The pod lacks pull secret ${missingSecrets.join(', ')}, which cannot be added any more`;
  return `Image ${container.image} of container ${container.name} could not be pulled (${failure.sentence}); ${becomes} ${to} (rule ${rule}, alternative ${step} of ${steps})${secrets}.`;
}
