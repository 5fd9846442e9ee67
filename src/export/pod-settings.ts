/** What a rule says beside the name that an image gets first: configuration of a node does not. */
import type { CompiledPolicy } from '../rules/compile.ts';
import type { PolicyProblem } from '../policy/problem.ts';
import type { RewritePolicy } from '../policy/types.ts';
import { nameOfAddress, type Winner } from './decisions.ts';
import { isUnderName, type Name } from './name.ts';
import { refusal } from './exported.ts';

/** A rule whose images are exported, with the name that they get. */
export interface Used {
  readonly winner: Winner;
  readonly target: Name;
}

export function podSettings({ policy, registries }: CompiledPolicy, used: readonly Used[]): PolicyProblem[] {
  const rules = policy.rules.flatMap((rule, index) => {
    if (!used.some(({ winner }) => winner.rule.policy.name === rule.name)) return [];
    const secrets = rule.pullSecrets.length === 0 ? [] : [refusal(['rules', index, 'pullSecrets'], `pullSecrets: ${credentials}`)];
    const reason = `pullPolicy: ${rule.pullPolicy} is a setting of pods`;
    return [
      ...secrets,
      ...(rule.pullPolicy === 'keep' ? [] : [refusal(['rules', index, 'pullPolicy'], reason)]),
      ...(rule.onPullPolicyNever === 'rewrite' ? [refusal(['rules', index, 'onPullPolicyNever'], never)] : []),
      ...(rule.alternatives.length === 0 ? [] : [refusal(['rules', index, 'alternatives'], alternatives)]),
    ];
  });
  const ofRegistries = [...registries.values()].flatMap(({ name, address, pullSecrets }) => {
    if (address === null || pullSecrets.length === 0) return [];
    const place = nameOfAddress(address);
    return used.some(({ target }) => isUnderName(target, place) || isUnderName(place, target))
      ? [refusal(['registries', name, 'pullSecrets'], `registry ${name}: ${credentials}`)]
      : [];
  });
  return [...ofRegistries, ...rules, ...(used.length > 0 ? ofAdmission(policy) : [])];
}

/** Beside the rules: what the webhook does about pods. */
function ofAdmission({ imageManagers, warnings }: RewritePolicy): PolicyProblem[] {
  const managers = imageManagers.flatMap(({ name, exclude }, index) =>
    exclude
      ? [refusal(['imageManagers', index], `a node knows the image and not its pod: pods of ${name} pull from the mirror as well`)]
      : [],
  );
  return [...managers, ...(warnings === 'rewrites' ? [refusal(['warnings'], 'warnings: a node warns nobody')] : [])];
}

const alternatives = 'alternatives: only the first target is exported';
const never = 'onPullPolicyNever: rewrite: the name in a pod stays, and the node must have the image under it';
const credentials = 'pods get no pull secrets by it; credentials of the mirror belong to the configuration of the node';
