/**
 * Two images that a policy gives the same name: one would be pulled in place of the other. Found by trying images that the patterns match,
 * which works for every transform; a transform that declares itself lossy gets a warning even without an example.
 */
import { parseReference, type Reference } from '../../image/reference.ts';
import { problem, type PolicyPath, type PolicyProblem } from '../../policy/problem.ts';
import { transformOf } from '../../policy/transform/transforms.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import { decideImage } from '../../rules/decide.ts';
import { matchPattern, type Pattern } from '../../rules/pattern.ts';
import type { Rule } from '../../rules/rule.ts';
import type { Table } from '../../rules/table.ts';
import { exampleImages, repositoryOf } from './example-images.ts';
import { targetsOf, type RuleTarget } from './rule-targets.ts';
import { contextOf } from './samples.ts';

interface Source {
  readonly rule: Rule;
  readonly target: RuleTarget;
  readonly pattern: Pattern;
  readonly path: PolicyPath;
}

interface Example extends Source {
  readonly image: Reference;
  readonly result: string;
}

export function collisions({ rules, table }: CompiledPolicy): PolicyProblem[] {
  const sources = rules.flatMap(sourcesOf);
  const leaves = [...new Set(['app', ...sources.flatMap(({ pattern }) => repositoryOf(pattern)?.path.split('/').at(-1) ?? [])])].slice(
    0,
    maxLeaves,
  );
  const seen = new Map<string, Example>();
  const warned = new Set<Rule>();
  const found: PolicyProblem[] = [];
  for (const source of sources) {
    const collision = collisionAmong(examplesOf(source, leaves), seen, table);
    // One example per rule is enough; certain collisions are reported for each pattern.
    if (collision === null || (!collision.isCertain && warned.has(source.rule))) continue;
    found.push(problem(collision.isCertain ? 'collision' : 'possible-collision', source.path, collision.message));
    warned.add(source.rule);
  }
  return [...found, ...lossyWithoutExample(sources, warned)];
}

/** Names of repositories tried below each pattern. */
const maxLeaves = 20;

/** Patterns of rules with the targets that do not accept collisions. */
function sourcesOf(rule: Rule, index: number): Source[] {
  return targetsOf(rule, index)
    .filter(({ target, policy }) => target.rewrite !== null && transformOf(policy).targetImage === undefined)
    .filter(({ policy }) => !('collisions' in policy && policy.collisions === 'accept'))
    .flatMap((target) =>
      rule.images.map((pattern, position) => ({ rule, target, pattern, path: pathOf(target, ['match', 'images', position]) })),
    );
}

/** A collision of the first target is shown at the pattern, one of an alternative at the alternative. */
function pathOf({ path }: RuleTarget, pattern: PolicyPath): PolicyPath {
  return path.includes('alternatives') ? path : [...path.slice(0, 2), ...pattern];
}

function examplesOf(source: Source, leaves: readonly string[]): Example[] {
  const { pattern } = source;
  const { rewrite } = source.target.target;
  return exampleImages(pattern, leaves).flatMap((text) => {
    const parsed = parseReference(text);
    if (!parsed.ok || rewrite === null) return [];
    const image = parsed.reference;
    const match =
      repositoryOf(pattern) === null ? matchPattern(pattern, image) : { source: pattern.text, remainder: '', captures: new Map() };
    const transformed = match === null ? null : rewrite.transform(image, match);
    return transformed?.ok === true ? [{ ...source, image, result: transformed.text }] : [];
  });
}

interface Collision {
  /** Whether both images are named by their patterns, and are not examples. */
  readonly isCertain: boolean;
  readonly message: string;
}

function collisionAmong(examples: readonly Example[], seen: Map<string, Example>, table: Table): Collision | null {
  let collision: Collision | null = null;
  for (const example of examples) {
    const other = seen.get(example.result);
    if (other === undefined) seen.set(example.result, example);
    else if (collision === null && meet(example, other, table)) collision = collisionOf(example, other);
  }
  return collision;
}

function meet(example: Example, other: Example, table: Table): boolean {
  if (sameContent(example.image.name) === sameContent(other.image.name) || !haveOneTag(example, other)) return false;
  return isRewritten(example, table) && isRewritten(other, table);
}

/** Addresses that serve the same images: these may get the same name. */
const aliases: readonly (readonly [prefix: string, same: string])[] = [
  ['k8s.gcr.io/', 'registry.k8s.io/'],
  ['gcr.io/google-containers/', 'registry.k8s.io/'],
  ['gcr.io/google_containers/', 'registry.k8s.io/'],
  ['public.ecr.aws/docker/', 'docker.io/'],
  ['registry-1.docker.io/', 'docker.io/'],
];

function sameContent(name: string): string {
  const alias = aliases.find(([prefix]) => name.startsWith(prefix));
  return alias === undefined ? name : alias[1] + name.slice(alias[0].length);
}

/** Patterns with two different tags or digests never overlap. */
function haveOneTag({ pattern: a }: Example, { pattern: b }: Example): boolean {
  if (a.kind === 'regex' || b.kind === 'regex') return true;
  return (a.tag ?? b.tag) === (b.tag ?? a.tag) && (a.digest ?? b.digest) === (b.digest ?? a.digest);
}

/** Whether the rule decides in the whole table: earlier rules may match first, and `exclude` may match the image. */
function isRewritten({ rule, pattern, image }: Example, table: Table): boolean {
  // A pattern with a tag is tried as its repository, which the rule itself does not match.
  if (pattern.kind === 'name' && (pattern.tag !== null || pattern.digest !== null)) return true;
  const decision = decideImage(table, image.text, contextOf(rule));
  return decision.rule === rule.policy.name && decision.outcome === 'rewritten';
}

function collisionOf(example: Example, other: Example): Collision {
  const isCertain = [example, other].every(({ pattern }) => repositoryOf(pattern) !== null);
  const images = `${example.image.text} and ${other.image.text} (rule ${other.rule.policy.name})`;
  const both = isCertain
    ? `${images} both become ${example.result}`
    : `two images may collide: ${images} would both become ${example.result}`;
  return {
    isCertain,
    message: `${both}; one would be pulled in place of the other. If that is intended, add collisions: accept to ${placeOf(example)}`,
  };
}

function lossyWithoutExample(sources: readonly Source[], warned: ReadonlySet<Rule>): PolicyProblem[] {
  const broad = sources.filter((source) => isWholeHost(source.pattern) && isLossy(source) && !warned.has(source.rule));
  return [...new Map(broad.map((source) => [source.rule, source])).values()].map((source) => {
    const may = `as: ${source.target.policy.as} may give two images of ${source.pattern.text} the same name`;
    return problem('possible-collision', source.path, `${may}; name the repositories, or add collisions: accept to ${placeOf(source)}`);
  });
}

/** The key of the policy that the collision is accepted in. */
function placeOf({ target: { path } }: Source): string {
  return path.includes('alternatives') ? 'the alternative' : 'rewrite';
}

function isLossy({ target: { policy } }: Source): boolean {
  return transformOf(policy).isLossy;
}

function isWholeHost(pattern: Pattern): boolean {
  return pattern.kind === 'name' && pattern.path.length === 0;
}
