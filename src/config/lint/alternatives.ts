/** Alternatives that no node comes to, and those that may be other images. */
import { problem, type PolicyProblem } from '../../policy/problem.ts';
import { matchPattern, type Pattern } from '../../rules/pattern.ts';
import type { CompiledTarget, Rule } from '../../rules/rule.ts';
import { samplesOf } from './samples.ts';

/** What they make of an image was tried before. */
export function repeatedAlternatives(rules: readonly Rule[]): PolicyProblem[] {
  return rules.flatMap((rule, index) => {
    const before: { readonly results: string; readonly place: string }[] = [{ results: resultsOf(rule, rule.images), place: 'rewrite' }];
    return rule.alternatives.flatMap((alternative, position) => {
      const results = resultsOf(alternative, rule.images);
      const same = before.find((earlier) => earlier.results === results && results !== '');
      before.push({ results, place: `entry ${position + 1} of alternatives` });
      if (same === undefined) return [];
      const message = `it gives images the same names as ${same.place}, so it is never tried; remove it`;
      return [problem('repeated-alternative', ['rules', index, 'alternatives', position], message)];
    });
  });
}

/** The order of targets begins with the first: while that has no host, the others are not used. */
export function waitingAlternatives(rules: readonly Rule[]): PolicyProblem[] {
  return rules.flatMap(({ waitsFor, alternatives }, index) => {
    if (waitsFor === null || alternatives.length === 0) return [];
    const message = `the host of registry ${waitsFor} is not resolved, and until it is the rule is not active: its alternatives are not used instead; give the registry a host: to use until then`;
    return [problem('waiting-alternatives', ['rules', index, 'rewrite'], message)];
  });
}

export function mutableTags(rules: readonly Rule[]): PolicyProblem[] {
  return rules.flatMap(({ policy: { onMutableTag } }, index) => {
    if (onMutableTag === 'keep') return [];
    const message = 'images that are named by tag may be others in the registries of its alternatives; digests are the same everywhere';
    return [problem('mutable-tags', ['rules', index, 'onMutableTag'], message)];
  });
}

/** What becomes of example images, as one text; empty where none has a result. */
function resultsOf({ rewrite }: CompiledTarget, patterns: readonly Pattern[]): string {
  if (rewrite === null) return '';
  const results = patterns.flatMap((pattern) =>
    samplesOf(pattern).flatMap((sample) => {
      const match = matchPattern(pattern, sample);
      const transformed = match === null ? null : rewrite.transform(sample, match);
      return transformed?.ok === true ? transformed.text : [];
    }),
  );
  return results.join(' ');
}
