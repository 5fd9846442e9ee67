/** Writes a step to a pod, and tells of it: one patch with the images and their record, then an event for each container. */
import type { V1Pod } from '@kubernetes/client-node';
import { LRUCache } from 'lru-cache';

import { describeError, isConflict, isNotFound, retryAfterOf, statusOf } from '../../cluster/api-error.ts';
import { recordEvent } from '../../cluster/events.ts';
import { keyOf, versionOf } from '../../cluster/object-store.ts';
import { strategicPatch } from '../../cluster/object-writes.ts';
import type { FallbackRecord } from '../../pod/fallback-record.ts';
import type { ReconcilerContext } from '../reconciler.ts';
import { done, requeueAfter, requeueUntil, type Requeue } from '../work-queue.ts';
import { intervalAfter, type Move, type Stay } from './fallback-plan.ts';
import { OwnSteps } from './own-steps.ts';
import type { SeenPod } from './seen-pod.ts';
import { patchOf, recordOf, undoneTo } from './step-patch.ts';

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
  readonly #own = new OwnSteps();

  constructor(context: ReconcilerContext, signal: AbortSignal) {
    this.#context = context;
    this.#signal = signal;
  }

  /** The pod with the steps that were taken, also where its record has been removed. */
  complete(pod: SeenPod): SeenPod {
    return this.#own.complete(pod);
  }

  async move(pod: SeenPod, moves: readonly Move[]): Promise<Requeue> {
    const { cluster, log, metrics } = this.#context;
    const object = { apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata };
    const record = recordOf(pod, moves);
    try {
      const stored = await strategicPatch<V1Pod>(cluster, object, patchOf(pod, moves, record), this.#signal);
      metrics.writes.inc({ kind: 'pod', verb: 'update', result: 'done' });
      return this.#follow(pod, moves, { stored, record });
    } catch (error) {
      if (this.#signal.aborted || isNotFound(error)) return done;
      metrics.writes.inc({ kind: 'pod', verb: 'update', result: isConflict(error) ? 'conflict' : 'failed' });
      // The kubelet wrote its status meanwhile: the watch brings the new version.
      if (isConflict(error)) return { result: 'failed' };
      log.warn({ pod: keyOf(pod), reason: describeError(error) }, 'the image of a pod could not be changed; trying again');
      if (isUnavailable(error)) return { result: 'unavailable', retryAfter: retryAfterOf(error) };
      this.#refused(pod, `An image could not be changed to an alternative: ${describeError(error)}`);
      return requeueAfter(this.delayOf(pod));
    }
  }

  /** What the API server stored need not be what it was sent: other webhooks come in between. */
  #follow(pod: SeenPod, moves: readonly Move[], { stored, record }: { readonly stored: V1Pod; readonly record: FallbackRecord }): Requeue {
    const outcomes = moves.map((move) => ({ move, undone: undoneTo(stored, move) }));
    const undone = outcomes.flatMap((outcome) => outcome.undone ?? []);
    const moved = outcomes.flatMap((outcome) => (outcome.undone === null ? [outcome.move] : []));
    const repetitions = this.#own.took(
      pod,
      record,
      moved.map(({ container }) => container.name),
    );
    for (const move of moved) this.#tellMove(pod, move, 'moved');
    if (undone.length > 0) {
      this.#context.log.warn({ pod: keyOf(pod), reason: undone.join('; ') }, 'the image of a pod was changed back in the same request');
      this.#refused(pod, `Another webhook or admission policy undid a step: ${undone.join('; ')}. Exclude updates of pods there.`);
    } else if (repetitions > 0) this.#postpone(pod.metadata.uid ?? '', repetitions);
    else this.#refusals.delete(pod.metadata.uid ?? '');
    return requeueUntil(versionOf(stored));
  }

  /** Milliseconds until the pod may be written again, after the API server refused it. */
  delayOf({ metadata }: SeenPod): number {
    return Math.max(0, (this.#refusals.get(metadata.uid ?? '')?.until ?? 0) - performance.now());
  }

  /** A policy, a webhook or a missing right: it may be mended, and says the same to each attempt until then. */
  #refused(pod: SeenPod, message: string): void {
    const uid = pod.metadata.uid ?? '';
    const attempts = (this.#refusals.get(uid)?.attempts ?? 0) + 1;
    this.#postpone(uid, attempts);
    if (attempts === 1) this.#record(pod, 'Warning', 'FallbackFailed', message);
  }

  #postpone(uid: string, attempts: number): void {
    this.#refusals.set(uid, { attempts, until: performance.now() + intervalAfter(attempts) });
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

/**
 * No API server answered, or it has too much to do. A 500 is about the object: a webhook that fails, and must not be left out. So is a request
 * that takes too long, of a webhook that does not answer: the watch tells when it is the API server.
 */
function isUnavailable(error: unknown): boolean {
  const status = statusOf(error);
  if (status === null) return !(error instanceof Error && error.name === 'TimeoutError');
  return [429, 502, 503, 504].includes(status);
}

function sentence({ container, rule, step, steps, to, failure, missingSecrets }: Move, result: 'moved' | 'dry-run'): string {
  const becomes = result === 'moved' ? 'it is now' : 'without --fallback-dry-run it would be';
  const secrets =
    missingSecrets.length === 0 ? '' : `. The pod lacks pull secret ${missingSecrets.join(', ')}, which cannot be added any more`;
  return `Image ${container.image} of container ${container.name} could not be pulled (${failure.sentence}); ${becomes} ${to} (rule ${rule}, alternative ${step} of ${steps})${secrets}.`;
}
