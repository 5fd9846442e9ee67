/** What CEL cannot express of a rule. */
import type { PolicyPath, PolicyProblem } from '../../policy/problem.ts';
import type { RewriteTarget } from '../../policy/transform/transforms.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import type { Pattern } from '../../rules/pattern.ts';
import type { CompiledAlternative, Rule } from '../../rules/rule.ts';
import { notResolved, refusal } from '../exported.ts';
import { addsSecretsOfAlternatives, divertedTo, resolvedAlternatives } from './rule-alternatives.ts';
import { isExpressed } from './transforms.ts';

interface Context {
  readonly policy: CompiledPolicy;
  /** Whether hosts that are not resolved yet are waited for. */
  readonly followsHosts: boolean;
}

export function actionProblems(rule: Rule, at: PolicyPath, { policy, followsHosts }: Context): PolicyProblem[] {
  const { rewrite } = rule.policy;
  if (rewrite === undefined) return [];
  const unexpressed = unexpressedProblems(rewrite, [...at, 'rewrite']);
  if (unexpressed.length > 0) return unexpressed;
  if (rule.rewrite === null && followsHosts) return [];
  const hosts = followsHosts ? [] : hostProblems(rule, at, policy);
  if (hosts.length > 0) return hosts;
  // The webhook reads the controller's record of the step.
  const original = rule.policy.alternatives.some(({ as }) => as === 'original')
    ? [
        refusal(
          [...at, 'alternatives'],
          'alternatives: as: original: CEL would rewrite the image once more when the controller moves a pod to it; leave it to the webhook',
        ),
      ]
    : [];
  return [...remainderProblems(rule, rule, at), ...alternativeProblems(rule, at, policy), ...original];
}

/** Of targets whose host the webhook learns of later. */
function hostProblems({ policy: { rewrite, alternatives } }: Rule, at: PolicyPath, { registries }: CompiledPolicy): PolicyProblem[] {
  const targets = [
    { target: rewrite, path: [...at, 'rewrite'] },
    ...alternatives.map((target, position) => ({ target, path: [...at, 'alternatives', position] })),
  ];
  return targets.flatMap(({ target, path }) => {
    // Of `image` and `template` the registry names the pull secrets alone.
    if (target === undefined || !('registry' in target) || target.registry === undefined || target.as === 'image') return [];
    return registries.get(target.registry)?.awaitsHost === true ? [refusal([...path, 'registry'], notResolved(target.registry))] : [];
  });
}

function unexpressedProblems({ as }: RewriteTarget, path: PolicyPath): PolicyProblem[] {
  if (isExpressed(as)) return [];
  const reason = as === 'template' ? 'CEL cannot replace by the captures of an expression' : 'it has no expression in CEL';
  return [refusal([...path, 'as'], `as: ${as}: ${reason}`)];
}

/** Of those alternatives by which a pod differs: where images go first, or whose pull secrets it gets. */
function alternativeProblems(rule: Rule, at: PolicyPath, policy: CompiledPolicy): PolicyProblem[] {
  const compared = addsSecretsOfAlternatives(rule, policy) ? resolvedAlternatives(rule) : divertedTo(rule);
  return compared.flatMap(({ target, rewrite, position }) =>
    unexpressedProblems(rewrite, [...at, 'alternatives', position]).concat(remainderProblems(rule, target, at)),
  );
}

/** @param target the rule itself, or one of its alternatives */
function remainderProblems(rule: Rule, target: Rule | CompiledAlternative, at: PolicyPath): PolicyProblem[] {
  const as = 'images' in target ? target.policy.rewrite?.as : target.policy.as;
  if (as !== 'remainder') return [];
  const { host, path } = target.rewrite?.target?.prefix ?? { host: '', path: '' };
  // The image docker.io/NAME is docker.io/library/NAME, and not below docker.io/NAME.
  return host === 'docker.io' && path !== '' && !path.includes('/') && rule.images.some(canBeWhole)
    ? [refusal([...at, 'rewrite', 'registry'], `as: remainder: images of docker.io/${path} itself would be rewritten again`)]
    : [];
}

/** Whether nothing may follow the match. Every path of Docker Hub has two components. */
function canBeWhole(pattern: Pattern): boolean {
  if (pattern.kind === 'regex' || pattern.tag !== null || pattern.digest !== null) return true;
  return pattern.path.length > (pattern.host === 'docker.io' ? 1 : 0);
}
