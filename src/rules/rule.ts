/** One compiled rule: its patterns parsed, its registry resolved, its transform chosen. */
import type { RulePolicy } from '../policy/types.ts';
import type { Pattern } from './pattern.ts';
import type { Target } from './targets.ts';
import type { Transform } from '../policy/transform/transform.ts';

export interface Rule {
  readonly policy: RulePolicy;
  readonly images: readonly Pattern[];
  readonly exclude: readonly Pattern[];
  /** Null for a rule that only attaches secrets, and while its registry has no host. */
  readonly rewrite: { readonly transform: Transform; readonly target: Target | null } | null;
  /** The registry without a host that keeps the rule inactive; null when the rule is active. */
  readonly waitsFor: string | null;
  /** Secrets of the registry that an `image` or `template` rule names; other secrets follow from the registry that the result is in. */
  readonly registrySecrets: readonly string[];
}
