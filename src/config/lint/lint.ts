/** Warnings about a policy that compiles but is probably not what was meant, and errors for results that are not idempotent. */
import { problem, type PolicyProblem } from '../../policy/problem.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import { covers } from '../../rules/coverage.ts';
import type { NamePattern, Pattern } from '../../rules/pattern.ts';
import { isGlob } from '../../rules/glob.ts';
import { isUnder, type RepositoryPrefix } from '../../rules/registries.ts';
import type { Rule } from '../../rules/rule.ts';
import type { Target } from '../../rules/targets.ts';
import { mutableTags, repeatedAlternatives, waitingAlternatives } from './alternatives.ts';
import { collisions } from './collisions.ts';
import { nonConverging } from './convergence.ts';
import { failing } from './failing.ts';
import { ownRegistries } from './own-registry.ts';
import { patternWarnings } from './patterns.ts';
import { pullSecretWarnings } from './pull-secrets.ts';
import { targetsOf } from './rule-targets.ts';

export function lint(compiled: CompiledPolicy): PolicyProblem[] {
  return [
    ...shadowed(compiled.rules),
    ...neverFiring(compiled),
    ...patterns(compiled),
    ...failing(compiled.rules),
    ...repeatedAlternatives(compiled.rules),
    ...waitingAlternatives(compiled.rules),
    ...mutableTags(compiled.rules),
    ...collisions(compiled),
    ...ownRegistries(compiled),
    ...pullSecretWarnings(compiled.policy),
    ...nonConverging(compiled),
  ];
}

function isUnconditional({ policy, exclude }: Rule): boolean {
  return policy.match.namespaces === undefined && policy.match.podLabels === undefined && exclude.length === 0;
}

function shadowed(rules: readonly Rule[]): PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const earlierRules = new EarlierRules();
  for (const [index, rule] of rules.entries()) {
    const [inner] = rule.images;
    const earlier = inner === undefined ? undefined : earlierRules.near(inner).find((candidate) => matchesAllOf(candidate.rule, rule));
    if (earlier !== undefined) {
      const message = `it is shadowed: rule ${earlier.rule.policy.name} matches all of its images first; move it up or remove it`;
      problems.push(problem('shadowed-rule', ['rules', index], message));
    }
    if (isUnconditional(rule)) earlierRules.add({ rule, index });
  }
  return problems;
}

interface EarlierRule {
  readonly rule: Rule;
  readonly index: number;
}

/** By what a pattern must have in common with one that covers it, or thousands of rules would be compared with each other. */
class EarlierRules {
  readonly #byKey = new Map<string, EarlierRule[]>();

  add(earlier: EarlierRule): void {
    for (const key of new Set(earlier.rule.images.map(keyOf))) {
      const same = this.#byKey.get(key);
      if (same === undefined) this.#byKey.set(key, [earlier]);
      else same.push(earlier);
    }
  }

  /** In order: those that may cover the pattern. */
  near(pattern: Pattern): EarlierRule[] {
    const [same, ofAnyHost] = [this.#byKey.get(keyOf(pattern)) ?? [], this.#byKey.get(anyHost) ?? []];
    return same === ofAnyHost ? same : [...same, ...ofAnyHost].toSorted((one, other) => one.index - other.index);
  }
}

/** Of patterns that may cover those of several hosts. */
const anyHost = '*';

function keyOf(pattern: Pattern): string {
  if (pattern.kind === 'regex') return `regex ${pattern.text}`;
  return pattern.anyPort || isGlob(pattern.host) ? anyHost : pattern.host;
}

function matchesAllOf(candidate: Rule, rule: Rule): boolean {
  return rule.images.every((inner) => candidate.images.some((outer) => covers(outer, inner)));
}

function neverFiring({ rules, excluded }: CompiledPolicy): PolicyProblem[] {
  // Thousands of rules may write to one registry.
  const distinct = [...new Map(rules.flatMap(takenBy).toReversed()).values()].toReversed();
  const targets = Map.groupBy(distinct, ({ target }) => target.prefix.host);
  return rules.flatMap((rule, index) =>
    rule.images.flatMap((pattern, position) => {
      const path = ['rules', index, 'match', 'images', position];
      if (rule.exclude.some((outer) => covers(outer, pattern)))
        return [problem('never-matches', path, `${pattern.text} never matches: the rule's own exclude covers it`)];
      if (excluded.some((outer) => covers(outer, pattern)))
        return [problem('never-matches', path, `${pattern.text} never matches: the policy's exclude covers it`)];
      const taken =
        rule.rewrite === null || pattern.kind === 'regex'
          ? undefined
          : targets.get(pattern.host)?.find(({ target }) => isPatternUnder(target.prefix, pattern));
      if (taken === undefined) return [];
      return [
        problem(
          'never-rewritten',
          path,
          `${pattern.text} is never rewritten: it is under ${taken.target.text}, where rule ${taken.rule.policy.name} writes to, so its images are already there${taken.isAlternative ? '; for the image as written the alternative is { as: original }' : ''}`,
        ),
      ];
    }),
  );
}

interface Taken {
  readonly rule: Rule;
  readonly target: Target;
  readonly isAlternative: boolean;
}

/** The targets of a rule by their texts; one for a single image takes nothing from others. */
function takenBy(rule: Rule, index: number): [string, Taken][] {
  return targetsOf(rule, index).flatMap(({ target: { rewrite } }, position): [string, Taken][] => {
    const target = rewrite?.target ?? null;
    return target === null || target.exact !== null ? [] : [[target.text, { rule, target, isAlternative: position > 0 }]];
  });
}

/** Whether every image of a pattern without `*` in its first components is below the target. */
function isPatternUnder(prefix: RepositoryPrefix, pattern: NamePattern): boolean {
  if (pattern.anyPort || pattern.text === '*') return false;
  const path = pattern.path.join('/');
  return isUnder(prefix, {
    text: '',
    host: pattern.host,
    comparableHost: pattern.host,
    path,
    name: '',
    writtenName: '',
    writtenHost: null,
    tag: null,
    digest: null,
  });
}

function patterns({ excluded, rules }: CompiledPolicy): PolicyProblem[] {
  return [
    ...patternWarnings(excluded, ['exclude', 'images']),
    ...rules.flatMap((rule, index) => [
      ...patternWarnings(rule.images, ['rules', index, 'match', 'images']),
      ...patternWarnings(rule.exclude, ['rules', index, 'match', 'exclude']),
    ]),
  ];
}
