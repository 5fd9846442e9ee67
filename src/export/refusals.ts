/** What of a policy the configuration of a node cannot say: by rule and by pattern, in the order of the policy. */
import type { CompiledPolicy } from '../rules/compile.ts';
import type { Rule } from '../rules/rule.ts';
import { problem, type PolicyPath, type PolicyProblem } from '../policy/problem.ts';
import { decideName, type Winner } from './decisions.ts';
import { nameOfPattern, nameText, type Name } from './name.ts';
import { replacementOf } from './replacement.ts';

/** What one program can say. */
export interface Target {
  /** In sentences: `containerd`. */
  readonly program: string;
  /** Which patterns it knows, as the end of a sentence: `it has one mirror for each host`. */
  readonly knows: string;
  /** Why the images of a pattern cannot be said though the rule could be; null where they are. */
  readonly problemAt: (name: Name, winner: Winner) => string | null;
}

export function refusal(path: PolicyPath, message: string): PolicyProblem {
  return problem('not-exported', path, message);
}

export function ruleRefusals(policy: CompiledPolicy, target: Target): PolicyProblem[] {
  return policy.rules.flatMap((rule, index) => {
    const condition = conditionOf(rule);
    if (condition !== null) return [refusal(['rules', index, 'match', condition], `${condition}: a node knows the image and not its pod`)];
    if (rule.policy.rewrite === undefined) return [refusal(['rules', index], 'it only attaches pull secrets, which is a matter of pods')];
    const refused = rule.images.flatMap((_, entry) => patternRefusal(policy, { rule, index, entry }, target) ?? []);
    // One option of the rule is refused once, whichever of its patterns meets it.
    return [...new Map(refused.map((each) => [`${each.path.join('/')} ${each.message}`, each])).values()];
  });
}

function conditionOf({ policy: { match } }: Rule): 'namespaces' | 'podLabels' | null {
  return match.namespaces !== undefined ? 'namespaces' : match.podLabels !== undefined ? 'podLabels' : null;
}

interface Place {
  readonly rule: Rule;
  readonly index: number;
  readonly entry: number;
}

function patternRefusal(policy: CompiledPolicy, { rule, index, entry }: Place, target: Target): PolicyProblem | null {
  const pattern = rule.images[entry];
  if (pattern === undefined) return null;
  const path = ['rules', index, 'match', 'images', entry];
  const name = nameOfPattern(pattern);
  if (name === null) return refusal(path, `${target.program} cannot match ${pattern.text}: ${target.knows}`);
  const { winner } = decideName(policy, name);
  // Shadowed by an earlier rule, excluded, or already there.
  if (winner === null || winner.path.join('/') !== path.join('/')) return null;
  const replacement = replacementOf(winner, name);
  if (replacement.kind === 'none') return null;
  if (replacement.kind === 'other') return refusal(['rules', index, 'rewrite', replacement.option], replacement.reason);
  const reason = target.problemAt(name, winner);
  return reason === null ? null : refusal(path, `${nameText(name)}: ${reason}`);
}
