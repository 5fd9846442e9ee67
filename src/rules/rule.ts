/** One compiled rule: its patterns parsed, its registries resolved, its transforms chosen. */
import type { AlternativeTarget, RulePolicy } from '../policy/types.ts';
import type { Transform } from '../policy/transform/transform.ts';
import type { Pattern } from './pattern.ts';
import type { Target } from './targets.ts';

/** Where images go. */
export interface CompiledTarget {
  /** Null while the registry has no host. */
  readonly rewrite: { readonly transform: Transform; readonly target: Target | null } | null;
  /** The registry without a host that keeps the target inactive; null when it is active. */
  readonly waitsFor: string | null;
  /** Secrets of the registry that `as: image` or `template` names; other secrets follow from the registry that the result is in. */
  readonly registrySecrets: readonly string[];
  /** Whether nodes do not reach the registry. */
  readonly isUnavailable: boolean;
}

export interface CompiledAlternative extends CompiledTarget {
  readonly policy: AlternativeTarget;
}

/** `rewrite` is also null for a rule that only attaches secrets. */
export interface Rule extends CompiledTarget {
  readonly policy: RulePolicy;
  readonly images: readonly Pattern[];
  readonly exclude: readonly Pattern[];
  readonly alternatives: readonly CompiledAlternative[];
  /** Whether the first target is unavailable, and an alternative is not: images go there first. */
  readonly isDiverted: boolean;
}
