/** What of a policy the configuration of a node cannot express: by rule and by pattern, in the order of the policy. */
import type { CompiledPolicy } from '../rules/compile.ts';
import type { Rule } from '../rules/rule.ts';
import type { PolicyProblem } from '../policy/problem.ts';
import { refusal } from './exported.ts';
import { decideName, namesIn, type Winner } from './decisions.ts';
import { nameOfPattern, nameText, type Name } from './name.ts';
import { replacementOf } from './replacement.ts';

/** What one program can express. */
export interface Target {
  /** In sentences: `containerd`. */
  readonly program: string;
  /** Which patterns it knows, as the end of a sentence: `it has one mirror for each host`. */
  readonly knows: string;
  /** Why the images under a name cannot be expressed though the rule could be; null where they are. */
  readonly problemAt: (name: Name, winner: Winner) => string | null;
}

export function ruleRefusals(policy: CompiledPolicy, target: Target): PolicyProblem[] {
  const ofRules = policy.rules.flatMap((rule, index) => wholeRule(rule, index) ?? unknownPatterns(rule, index, target));
  const ofNames = namesIn(policy).flatMap((name) => nameRefusal(policy, name, target) ?? []);
  // An option or a pattern is refused once, with the first of the names that meet it.
  const byPath = new Map([...ofRules, ...ofNames].toReversed().map((each) => [each.path.join('/'), each]));
  return [...byPath.values()].toReversed().toSorted((one, other) => orderOf(one) - orderOf(other));
}

const orderOf = ({ path: [, index, ...rest] }: PolicyProblem): number =>
  Number(index) * 1000 + (rest[0] === 'match' ? Number(rest[2] ?? 0) : 999);

/** Why no image of the rule can be expressed. */
function wholeRule({ policy: { match, rewrite } }: Rule, index: number): PolicyProblem | null {
  const condition = match.namespaces !== undefined ? 'namespaces' : match.podLabels !== undefined ? 'podLabels' : null;
  if (condition !== null) return refusal(['rules', index, 'match', condition], `${condition}: a node knows the image and not its pod`);
  return rewrite === undefined ? refusal(['rules', index], 'it only attaches pull secrets, which is a matter of pods') : null;
}

function unknownPatterns({ images }: Rule, index: number, { program, knows }: Target): PolicyProblem[] {
  return images.flatMap((pattern, entry) =>
    nameOfPattern(pattern) === null
      ? [refusal(['rules', index, 'match', 'images', entry], `${program} cannot match ${pattern.text}: ${knows}`)]
      : [],
  );
}

function nameRefusal(policy: CompiledPolicy, name: Name, target: Target): PolicyProblem | null {
  const { winner, obstacles } = decideName(policy, name);
  // Excluded, already there, or without a rule.
  if (winner === null || winner.rule.policy.rewrite === undefined) return null;
  const replacement = replacementOf(policy, winner, name);
  if (replacement.kind === 'other') return refusal([...winner.path.slice(0, 2), 'rewrite', replacement.option], replacement.reason);
  // Where the rule leaves images alone, those that it excludes may come to a later rule.
  const reason = replacement.kind === 'none' ? comesFirst(obstacles) : target.problemAt(name, winner);
  return reason === null ? null : refusal(winner.path, `${nameText(name)}: ${reason}`);
}

/** @param obstacles of a name */
export function comesFirst([obstacle]: readonly string[]): string | null {
  return obstacle === undefined ? null : `${obstacle} comes first for some of its images`;
}
