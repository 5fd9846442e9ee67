/** Compiles a policy into the table that decides: parses patterns, resolves registries, and reports every error with its path. */
import { imageManagersOf, type ImageManager } from '../policy/image-managers.ts';
import { siblingLabels } from '../policy/never-pulled.ts';
import { problem, type PolicyPath, type PolicyProblem } from '../policy/problem.ts';
import type { PatternSource, RewritePolicy, RulePolicy } from '../policy/types.ts';
import { compileTarget, noTarget } from './compile-target.ts';
import { parsePattern, type Pattern } from './pattern.ts';
import { indexPatterns } from './pattern-index.ts';
import { addressProblem, repositoryPrefix, resolveRegistry, type Registry, type ResolvedHosts } from './registries.ts';
import type { Rule } from './rule.ts';
import type { Table } from './table.ts';
import { indexTargets } from './targets.ts';

export interface CompiledPolicy {
  readonly policy: RewritePolicy;
  readonly registries: ReadonlyMap<string, Registry>;
  readonly excluded: readonly Pattern[];
  readonly rules: readonly Rule[];
  readonly table: Table;
  readonly imageManagers: readonly ImageManager[];
  /** Identifies the files that it was loaded from; null if it was not loaded from files. */
  readonly revision: string | null;
  /** All errors: with any of them the table must not be used. */
  readonly problems: readonly PolicyProblem[];
}

export function compilePolicy(policy: RewritePolicy, hosts: ResolvedHosts = {}): CompiledPolicy {
  const problems: PolicyProblem[] = [];
  const registries = new Map(Object.entries(policy.registries).map(([name, registry]) => [name, resolveRegistry(name, registry, hosts)]));
  for (const [name, registry] of Object.entries(policy.registries)) checkAddress(name, registry.host, problems);
  checkSecretNames(policy, problems);
  const excluded = compilePatterns(policy.exclude.images, ['exclude', 'images'], problems);
  const rules = policy.rules.map((rule, index) => compileRule(rule, index, { registries, problems }));
  checkNames(policy.rules, problems);
  checkManagers(policy, problems);
  const table = { ...buildTable(registries, excluded, rules), placeholders: new Set(policy.placeholders) };
  return { policy, registries, excluded, rules, table, imageManagers: imageManagersOf(policy.imageManagers), revision: null, problems };
}

function buildTable(
  registries: ReadonlyMap<string, Registry>,
  excluded: readonly Pattern[],
  rules: readonly Rule[],
): Omit<Table, 'placeholders'> {
  const withSecrets = [...registries.values()].filter((registry) => registry.pullSecrets.length > 0);
  return {
    excluded: indexPatterns(excluded.map((pattern) => ({ pattern, value: pattern.text }))),
    rules: indexPatterns(rules.flatMap((rule) => rule.images.map((pattern) => ({ pattern, value: rule })))),
    isConditional: rules.some(({ policy: { match } }) => match.namespaces !== undefined || match.podLabels !== undefined),
    dependsOnPullPolicy: rules.some(({ isDiverted, policy }) => isDiverted && policy.onMutableTag === 'keep'),
    labelKeys: [...new Set(rules.flatMap(labelKeysOf))],
    targets: indexTargets(rules.flatMap((rule) => [rule, ...rule.alternatives].flatMap(({ rewrite }) => rewrite?.target ?? []))),
    registries: withSecrets.flatMap((registry) =>
      registry.address === null ? [] : { registry, prefix: repositoryPrefix(registry.address) },
    ),
  };
}

/** Keys of the labels that decisions of the rule read. */
function labelKeysOf({ policy: { match, rewrite, onPullPolicyNever } }: Rule): string[] {
  const never = rewrite !== undefined && onPullPolicyNever === 'auto' ? siblingLabels : [];
  return [...Object.keys(match.podLabels ?? {}), ...never];
}

interface CompileContext {
  readonly registries: ReadonlyMap<string, Registry>;
  readonly problems: PolicyProblem[];
}

function compileRule(policy: RulePolicy, index: number, { registries, problems }: CompileContext): Rule {
  const at: PolicyPath = ['rules', index];
  const images = compilePatterns(policy.match.images, [...at, 'match', 'images'], problems);
  const exclude = compilePatterns(policy.match.exclude, [...at, 'match', 'exclude'], problems);
  const context = { registries, images, problems };
  const target = policy.rewrite === undefined ? noTarget : compileTarget(policy.rewrite, [...at, 'rewrite'], context);
  const alternatives = policy.alternatives.map((alternative, position) => ({
    policy: alternative,
    ...compileTarget(alternative, [...at, 'alternatives', position], context),
  }));
  const isDiverted = target.isUnavailable && alternatives.some(({ isUnavailable }) => !isUnavailable);
  return { policy, images, exclude, ...target, alternatives, isDiverted };
}

function compilePatterns(sources: readonly PatternSource[], path: PolicyPath, problems: PolicyProblem[]): Pattern[] {
  return sources.flatMap((source, index) => {
    const parsed = parsePattern(source);
    if (parsed.ok) return [parsed.pattern];
    problems.push(problem('invalid-pattern', [...path, index], parsed.problem));
    return [];
  });
}

function checkAddress(name: string, host: string | undefined, problems: PolicyProblem[]): void {
  const wrong = host === undefined ? null : addressProblem(host);
  if (wrong !== null) problems.push(problem('invalid-host', ['registries', name, 'host'], `host of registry ${name}: ${wrong}`));
}

/** Two sources for one Secret would overwrite each other for ever. */
function checkSecretNames(policy: RewritePolicy, problems: PolicyProblem[]): void {
  const owners = new Map<string, string>();
  for (const [name, registry] of Object.entries(policy.registries)) {
    if (registry.credentials === undefined) continue;
    for (const [index, secret] of registry.pullSecrets.entries()) {
      const owner = owners.get(secret) ?? name;
      owners.set(secret, owner);
      if (owner !== name)
        problems.push(
          problem(
            'secret-of-two-registries',
            ['registries', name, 'pullSecrets', index],
            `registry ${owner} fills Secret ${secret} already; give this registry a name of its own`,
          ),
        );
    }
  }
}

function checkManagers({ imageManagers }: RewritePolicy, problems: PolicyProblem[]): void {
  for (const [index, { name }] of imageManagers.entries()) {
    if (imageManagers.findIndex((other) => other.name === name) === index) continue;
    problems.push(problem('duplicate-name', ['imageManagers', index, 'name'], `another entry is called ${name}; keep one of them`));
  }
}

function checkNames(rules: readonly RulePolicy[], problems: PolicyProblem[]): void {
  const seen = new Set<string>();
  for (const [index, { name }] of rules.entries()) {
    if (seen.has(name))
      problems.push(
        problem('duplicate-name', ['rules', index, 'name'], `another rule is called ${name}; logs and metrics could not tell them apart`),
      );
    seen.add(name);
  }
}
