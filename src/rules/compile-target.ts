/** Compiles `rewrite` and the alternatives of a rule: which registry, which transform, and which images are there already. */
import { problem, type PolicyPath, type PolicyProblem } from '../policy/problem.ts';
import type { SourcePattern } from '../policy/transform/transform.ts';
import { transformOf, type RewriteTarget } from '../policy/transform/transforms.ts';
import type { AlternativeTarget } from '../policy/types.ts';
import { nearest } from './nearest.ts';
import type { Pattern } from './pattern.ts';
import type { Registry } from './registries.ts';
import type { CompiledTarget } from './rule.ts';
import { imageTarget, registryTarget } from './targets.ts';

export const noTarget: CompiledTarget = { rewrite: null, waitsFor: null, registrySecrets: [], isUnavailable: false };

export interface TargetContext {
  readonly registries: ReadonlyMap<string, Registry>;
  /** Of the rule. */
  readonly images: readonly Pattern[];
  readonly problems: PolicyProblem[];
}

/** @param path of the target in the policy */
export function compileTarget(
  target: AlternativeTarget,
  path: PolicyPath,
  { registries, images, problems }: TargetContext,
): CompiledTarget {
  // Not a target for idempotence: there the image would be left alone from the beginning.
  if (target.as === 'original') return { ...noTarget, rewrite: { transform: ({ text }) => ({ ok: true, text }), target: null } };
  problems.push(...targetProblems(target, images, path));
  const registry = target.registry === undefined ? undefined : registries.get(target.registry);
  if (target.registry !== undefined && registry === undefined) {
    problems.push(problem('unknown-registry', [...path, 'registry'], unknownRegistry(target.registry, [...registries.keys()])));
    return noTarget;
  }
  return rewriteOf(target, registry);
}

function rewriteOf(target: RewriteTarget, registry: Registry | undefined): CompiledTarget {
  const record = transformOf(target);
  const isUnavailable = registry?.isUnavailable === true;
  if (record.writesTo === 'image') {
    const image = record.targetImage?.(target) ?? null;
    return {
      rewrite: { transform: record.compile(target, ''), target: image === null ? null : imageTarget(image) },
      waitsFor: null,
      registrySecrets: registry?.pullSecrets ?? [],
      isUnavailable,
    };
  }
  const address = registry?.address ?? null;
  if (address === null) return { ...noTarget, waitsFor: target.registry ?? null, isUnavailable };
  const prefix = 'prefix' in target ? target.prefix : undefined;
  const base = prefix === undefined ? address : `${address}/${prefix}`;
  return { ...noTarget, rewrite: { transform: record.compile(target, base), target: registryTarget(base) }, isUnavailable };
}

function targetProblems(target: RewriteTarget, images: readonly Pattern[], path: PolicyPath): PolicyProblem[] {
  const problems = transformOf(target).problems?.(target, images.map(sourcePattern)) ?? [];
  return problems.map(({ option, message }) => problem('invalid-rewrite', [...path, option], message));
}

function sourcePattern(pattern: Pattern): SourcePattern {
  if (pattern.kind === 'name') return { text: pattern.text, captures: null };
  const { expression } = pattern;
  return { text: pattern.text, captures: { count: expression.groupCount(), names: Object.keys(expression.namedGroups()) } };
}

function unknownRegistry(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  if (near !== null) return `registry ${name} is not defined; did you mean ${near}?`;
  return `registry ${name} is not defined; ${known.length === 0 ? 'registries is empty' : `registries has ${known.join(', ')}`}`;
}
