/** Which namespaces get the pull secrets of a registry. */
import { systemNamespaces } from '../../admission/scope.ts';
import type { RegistryPolicy } from '../../policy/types.ts';
import { matchesGlob } from '../../rules/glob.ts';
import type { ControllerOptions } from '../options.ts';

export interface TargetNamespace {
  readonly name: string;
  /** Value of `transship.dev/rewrite`, undefined without. */
  readonly rewrite: string | undefined;
  /** Nothing can be created in a namespace that is being deleted, and what is there goes with it. */
  readonly isTerminating: boolean;
}

export type TargetScope = Pick<ControllerOptions, 'namespace' | 'optIn' | 'optInValues' | 'optOutValues' | 'excludedNamespaces'>;

/** No pod runs there: it holds the Leases of nodes. */
const leaseNamespace = 'kube-node-lease';

export function isTarget(namespace: TargetNamespace, { namespaces }: Pick<RegistryPolicy, 'namespaces'>, scope: TargetScope): boolean {
  if (namespace.name === leaseNamespace) return false;
  if (namespaces !== undefined) return namespaces.some((pattern) => matchesGlob(pattern, namespace.name));
  return isOptedIn(namespace, scope);
}

/** As the selectors of the webhook have it: whose pods are never looked at needs no secrets. */
function isOptedIn({ name, rewrite = '' }: TargetNamespace, scope: TargetScope): boolean {
  if (systemNamespaces.includes(name) || name === scope.namespace || scope.excludedNamespaces.includes(name)) return false;
  return scope.optIn === 'OptOut' ? !scope.optOutValues.includes(rewrite) : scope.optInValues.includes(rewrite);
}
