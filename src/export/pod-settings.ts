/** What a rule says beside the name that an image gets first: configuration of a node does not. */
import type { CompiledPolicy } from '../rules/compile.ts';
import type { PolicyProblem } from '../policy/problem.ts';
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
  return [...ofRegistries, ...rules];
}

const alternatives = 'alternatives: only the first target is exported';
const credentials = 'pods get no pull secrets by it; credentials of the mirror belong to the configuration of the node';
