/**
 * Rules for every image that also match images in the policy's own registries: `harbor.example.com/team/app` would become
 * `harbor.example.com/proxy/harbor.example.com/team/app`, which does not exist.
 */
import { problem, type PolicyPath, type PolicyProblem } from '../../policy/problem.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import { decideImage } from '../../rules/decide.ts';
import { isGlob } from '../../rules/glob.ts';
import { matchPattern, type Pattern } from '../../rules/pattern.ts';
import { parseReference } from '../../image/reference.ts';
import { contextOf } from './samples.ts';

export function ownRegistries({ rules, table, registries }: CompiledPolicy): PolicyProblem[] {
  const addresses = [...registries.values()].flatMap(({ address }) => address ?? []);
  return rules.flatMap((rule, index) => {
    const context = contextOf(rule);
    return addresses.flatMap((address) => {
      for (const image of new Set([`${address}/team/app`, `${address.split('/', 1)[0]}/team/app`])) {
        const found = broadPattern(rule.images, image);
        if (found === null) continue;
        const { outcome, rule: decidedBy, result } = decideImage(table, image, context);
        if (outcome !== 'rewritten' || decidedBy !== rule.policy.name) continue;
        const path: PolicyPath = ['rules', index, 'match', 'images', found.position];
        const host = image.slice(0, image.indexOf('/'));
        return [
          problem(
            'own-registry',
            path,
            `${found.text} also matches images of your own registry: ${image} would become ${result}; add ${host} to exclude, or to images if that is intended`,
          ),
        ];
      }
      return [];
    });
  });
}

/** A pattern that matches the image without naming its host; null if the rule also names the host, which is intended. */
function broadPattern(patterns: readonly Pattern[], image: string): { readonly position: number; readonly text: string } | null {
  const parsed = parseReference(image);
  if (!parsed.ok) return null;
  const { reference } = parsed;
  if (patterns.some((pattern) => pattern.kind === 'name' && pattern.host === reference.comparableHost)) return null;
  const position = patterns.findIndex(
    (pattern) => (pattern.kind === 'regex' ? pattern.prefix === '' : isGlob(pattern.host)) && matchPattern(pattern, reference) !== null,
  );
  const pattern = patterns[position];
  return pattern === undefined ? null : { position, text: pattern.text };
}
