/** Pull secrets and their namespaces: duplicates, and settings without effect. */
import { problem, type PolicyPath, type PolicyProblem } from '../../policy/problem.ts';
import type { RewritePolicy } from '../../policy/types.ts';

/** No pods run there: it holds the Leases of nodes. */
const leaseNamespace = 'kube-node-lease';

export function pullSecretWarnings({ registries, rules }: RewritePolicy): PolicyProblem[] {
  return [
    ...Object.entries(registries).flatMap(([name, { pullSecrets }]) => repeated(pullSecrets, ['registries', name, 'pullSecrets'])),
    ...Object.entries(registries).flatMap(([name, { namespaces = [] }]) =>
      namespaceWarnings(namespaces, ['registries', name, 'namespaces']),
    ),
    ...rules.flatMap(({ pullSecrets }, index) => repeated(pullSecrets, ['rules', index, 'pullSecrets'])),
  ];
}

function namespaceWarnings(namespaces: readonly string[], path: PolicyPath): PolicyProblem[] {
  return [
    ...repeated(namespaces, path),
    ...namespaces.flatMap((name, index) => {
      if (name === leaseNamespace)
        return [
          problem('namespace-without-effect', [...path, index], `no pod runs in ${name}, and the controller never copies to it; remove it`),
        ];
      if (name.includes('**'))
        return [problem('namespace-without-effect', [...path, index], `** is the same as *; write ${name.replaceAll(/\*+/g, '*')}`)];
      return [];
    }),
  ];
}

function repeated(names: readonly string[], path: PolicyPath): PolicyProblem[] {
  return names.flatMap((name, index) =>
    names.indexOf(name) === index ? [] : [problem('repeated-entry', [...path, index], `${name} is written twice; remove one`)],
  );
}
