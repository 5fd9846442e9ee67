/**
 * Rules for every image that also match images in the policy's own registries: `harbor.example.com/team/app` would become
 * `harbor.example.com/proxy/harbor.example.com/team/app`, which does not exist.
 */
import { problem, type PolicyProblem } from '../../policy/problem.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import type { PodContext } from '../../rules/decision.ts';
import { decideImage } from '../../rules/decide.ts';
import { isGlob } from '../../rules/glob.ts';
import { matchPattern, type Pattern } from '../../rules/pattern.ts';
import type { Rule } from '../../rules/rule.ts';
import type { Table } from '../../rules/table.ts';
import { parseReference, type Reference } from '../../image/reference.ts';
import { contextOf } from './samples.ts';

/** A rule that does not name all hosts of its images. */
interface BroadRule {
  readonly rule: Rule;
  readonly index: number;
}

export function ownRegistries({ rules, table, registries }: CompiledPolicy): PolicyProblem[] {
  const broad = rules.flatMap((rule, index): BroadRule[] => (rule.images.some(isBroad) ? [{ rule, index }] : []));
  if (broad.length === 0) return [];
  const pods = podsOf(broad);
  const found = [...registries.values()].flatMap(({ address }) =>
    address === null ? [] : pods.flatMap((pod) => problemsOf(address, pod, table)),
  );
  return found.toSorted((one, other) => Number(one.path[1]) - Number(other.path[1]));
}

interface Pod {
  readonly context: PodContext;
  /** Those that are tried with this pod, by name. */
  readonly rules: ReadonlyMap<string, BroadRule>;
}

/** One for all rules with the same conditions: an image is decided once for all of them. */
function podsOf(broad: readonly BroadRule[]): Pod[] {
  const pods = Map.groupBy(broad, ({ rule }) => JSON.stringify(contextOf(rule)));
  return [...pods.values()].flatMap((same) => {
    const [first] = same;
    return first === undefined
      ? []
      : [{ context: contextOf(first.rule), rules: new Map(same.map((each) => [each.rule.policy.name, each])) }];
  });
}

/** One for each rule that would rewrite an image below the address. */
function problemsOf(address: string, { context, rules }: Pod, table: Table): PolicyProblem[] {
  const host = address.split('/', 1)[0] ?? '';
  const byRule = new Map<number, PolicyProblem>();
  for (const image of new Set([`${address}/team/app`, `${host}/team/app`])) {
    const parsed = parseReference(image);
    if (!parsed.ok) continue;
    const { outcome, rule: decidedBy, result } = decideImage(table, image, context);
    const decided = outcome === 'rewritten' && decidedBy !== null ? rules.get(decidedBy) : undefined;
    const found = decided === undefined ? null : broadPattern(decided.rule.images, parsed.reference);
    if (decided === undefined || found === null || byRule.has(decided.index)) continue;
    const message = `${found.text} also matches images of your own registry: ${image} would become ${result}; add ${host} to exclude, or to images if that is intended`;
    byRule.set(decided.index, problem('own-registry', ['rules', decided.index, 'match', 'images', found.position], message));
  }
  return [...byRule.values()];
}

const isBroad = (pattern: Pattern): boolean => (pattern.kind === 'regex' ? pattern.prefix === '' : isGlob(pattern.host));

/** A pattern that matches the image without naming its host; null if the rule also names the host, which is intended. */
function broadPattern(patterns: readonly Pattern[], reference: Reference): { readonly position: number; readonly text: string } | null {
  if (patterns.some((pattern) => pattern.kind === 'name' && pattern.host === reference.comparableHost)) return null;
  const position = patterns.findIndex((pattern) => isBroad(pattern) && matchPattern(pattern, reference) !== null);
  const pattern = patterns[position];
  return pattern === undefined ? null : { position, text: pattern.text };
}
