/** Where a container goes that cannot be pulled: once round the targets of its rule, beginning with the one that its pod got first. */
import type { FallbackStep } from '../../pod/fallback-record.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import type { ImageDecision } from '../../rules/decision.ts';

export interface NextTarget {
  /** A registry, `original` or a transform. */
  readonly target: string;
  readonly image: string;
  readonly pullSecrets: readonly string[];
  /** Beginning with 1. */
  readonly step: number;
}

/** Of a container. */
export interface Place {
  readonly image: string;
  /** The last step, whichever image it was to. */
  readonly last: FallbackStep | undefined;
}

/**
 * The order of the targets is a circle: which of them new pods begin with depends on the breakers, and may have changed since this pod began.
 *
 * @param decision about the image as written
 * @returns null where the image is none of the rule's; `exhausted` where there is no further target
 */
export function nextTarget(
  { image, last }: Place,
  decision: ImageDecision,
  { registries }: CompiledPolicy,
): NextTarget | 'exhausted' | null {
  const targets = [{ target: '', image: decision.result ?? decision.image, pullSecrets: decision.pullSecrets }, ...decision.alternatives];
  // Also where the policy has changed since: no more steps than targets.
  const taken = last?.to === image ? last.step : 0;
  const position = targets.findIndex((each) => each.image === image);
  if (position === -1 && taken === 0) return null;
  const from = position === -1 ? taken : position;
  const further = targets.flatMap((_, distance): NextTarget[] => {
    const next = targets[(from + distance) % targets.length];
    if (distance === 0 || taken + distance >= targets.length || next === undefined || next.image === null || next.image === image)
      return [];
    return [{ target: next.target, image: next.image, pullSecrets: next.pullSecrets, step: taken + distance }];
  });
  return further.find(({ target }) => registries.get(target)?.isUnavailable !== true) ?? further[0] ?? 'exhausted';
}
