/**
 * What a policy decides about all images under a name, as the configuration of a node can express it: by the name alone. The policy may name some
 * of these images more closely; what it says about those is asked for with their own name.
 */
import type { CompiledPolicy } from '../rules/compile.ts';
import type { Pattern } from '../rules/pattern.ts';
import type { PolicyPath } from '../policy/problem.ts';
import { repositoryPrefix, type RepositoryPrefix } from '../rules/registries.ts';
import type { Rule } from '../rules/rule.ts';
import { isUnderName, mayMatchUnder, nameOfPattern, type Name } from './name.ts';

/** The pattern of a rule that is the first to match every image under a name. */
export interface Winner {
  readonly rule: Rule;
  /** The name that the pattern is. */
  readonly source: Name;
  /** Of the pattern. */
  readonly path: PolicyPath;
}

export interface NameDecision {
  /** Null where the policy leaves the images alone. */
  readonly winner: Winner | null;
  /** Entries of the policy that decide some of the images before the winner does, or may do: `docker.io/*-private of rule vendor`. */
  readonly obstacles: readonly string[];
}

export function decideName({ excluded, rules }: CompiledPolicy, name: Name): NameDecision {
  const obstacles: string[] = [];
  if (firstMatch(excluded, name, obstacles, 'exclude of the policy') !== null) return { winner: null, obstacles };
  for (const [index, rule] of rules.entries()) {
    const winner = winnerOf(rule, index, name, obstacles);
    if (winner === null) continue;
    if (rule.rewrite === null) return { winner, obstacles };
    if (targetNames(rules).some((target) => isUnderName(name, target))) return { winner: null, obstacles };
    return { winner, obstacles: [...obstacles, ...exactTargets(rules, name)] };
  }
  return { winner: null, obstacles };
}

function winnerOf(rule: Rule, index: number, name: Name, obstacles: string[]): Winner | null {
  const label = `rule ${rule.policy.name}`;
  const { namespaces, podLabels } = rule.policy.match;
  if (namespaces !== undefined || podLabels !== undefined) {
    const matching = rule.images.find((pattern) => mayMatchUnder(pattern, name));
    if (matching !== undefined) obstacles.push(`${shown(matching)} of ${label}`);
    return null;
  }
  const own: string[] = [];
  const found = firstMatch(rule.images, name, own, label);
  const excluding: string[] = [];
  const isExcluded = firstMatch(rule.exclude, name, excluding, `exclude of ${label}`) !== null;
  if (isExcluded) return null;
  if (found === null) {
    obstacles.push(...own);
    return null;
  }
  // The same rule decides, so only a transform that asks which pattern matched makes a difference.
  if (rule.policy.rewrite?.as === 'remainder') obstacles.push(...own);
  obstacles.push(...excluding);
  return { rule, source: found.name, path: ['rules', index, 'match', 'images', found.index] };
}

/** The first pattern that matches everything under the name; collects those before it that match some of it. */
function firstMatch(
  patterns: readonly Pattern[],
  name: Name,
  obstacles: string[],
  label: string,
): { readonly index: number; readonly name: Name } | null {
  for (const [index, pattern] of patterns.entries()) {
    const source = nameOfPattern(pattern);
    if (source !== null && isUnderName(name, source)) return { index, name: source };
    if (source === null && mayMatchUnder(pattern, name)) obstacles.push(`${shown(pattern)} of ${label}`);
  }
  return null;
}

function shown(pattern: Pattern): string {
  return pattern.kind === 'regex' ? `the expression ${pattern.text}` : pattern.text;
}

export function nameOf({ host, path }: RepositoryPrefix): Name {
  return path === '' ? [host] : [host, ...path.split('/')];
}

export function nameOfAddress(address: string): Name {
  return nameOf(repositoryPrefix(address));
}

const targetsOf = (rules: readonly Rule[]) =>
  rules.flatMap((rule) => [rule, ...rule.alternatives].flatMap(({ rewrite }) => rewrite?.target ?? []));

/** Images under these are left alone: rules write there. */
function targetNames(rules: readonly Rule[]): readonly Name[] {
  return targetsOf(rules).flatMap(({ exact, prefix }) => (exact === null ? [nameOf(prefix)] : []));
}

/** A rule that makes one image of all leaves that image alone, and not its repository. */
function exactTargets(rules: readonly Rule[], name: Name): readonly string[] {
  return targetsOf(rules).flatMap(({ exact, prefix, text }) =>
    exact !== null && isUnderName(nameOf(prefix), name) ? [`the target ${text}`] : [],
  );
}

/** Every name that the policy may decide otherwise than the name above it, with their hosts; a name comes after those above it. */
export function namesIn({ excluded, rules }: CompiledPolicy): readonly Name[] {
  const patterns = [...excluded, ...rules.flatMap(({ images, exclude }) => [...images, ...exclude])];
  const names = [...patterns.map(nameOfPattern).filter((name) => name !== null), ...targetNames(rules)];
  const byText = new Map([...names, ...names.map((name) => name.slice(0, 1))].map((name) => [name.join('/'), name]));
  return [...byText].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, name]) => name);
}
