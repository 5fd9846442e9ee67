/** Namespaces that get the pull secrets of a registry. */
import { systemNamespaces } from '../../admission/scope.ts';
import { optOutValue, rewriteLabel } from '../../pod/labels.ts';
import type { RegistryPolicy } from '../../policy/types.ts';
import { matchesGlob } from '../../rules/glob.ts';
import type { ControllerOptions } from '../options.ts';
import { matchesSelector } from '../../policy/label-selector.ts';

export interface TargetNamespace {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Nothing can be created in a terminating namespace, and its content is deleted with it. */
  readonly isTerminating: boolean;
}

export type TargetScope = Pick<ControllerOptions, 'namespace' | 'optIn' | 'optInValues' | 'optOutValues' | 'excludedNamespaces'>;

/** No pods run there: it holds the Leases of nodes. */
const leaseNamespace = 'kube-node-lease';

export function isTarget(
  namespace: TargetNamespace,
  { namespaces, namespaceSelector }: Pick<RegistryPolicy, 'namespaces' | 'namespaceSelector'>,
  scope: TargetScope,
): boolean {
  if (namespace.name === leaseNamespace) return false;
  if (namespaces === undefined && namespaceSelector === undefined) return isOptedIn(namespace, scope);
  return (
    namespaces?.some((pattern) => matchesGlob(pattern, namespace.name)) === true ||
    (namespaceSelector !== undefined && matchesSelector(namespaceSelector, namespace.labels))
  );
}

/** Mirrors the selectors of the webhook: a namespace whose pods are never rewritten needs no secrets. */
export function isOptedIn({ name, labels }: Pick<TargetNamespace, 'name' | 'labels'>, scope: TargetScope): boolean {
  if (systemNamespaces.includes(name) || name === scope.namespace || scope.excludedNamespaces.includes(name)) return false;
  const rewrite = labels[rewriteLabel] ?? '';
  return scope.optIn === 'OptOut' ? !scope.optOutValues.includes(rewrite) : scope.optInValues.includes(rewrite);
}

/** As the webhook's selectors have it: a pod's own label wins, where it means something. */
export function isPodOptedIn(
  { namespace, labels }: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
  namespaceLabels: Readonly<Record<string, string>>,
  scope: TargetScope,
): boolean {
  const own = labels[rewriteLabel] ?? '';
  if (own === optOutValue) return false;
  const asLabelled = scope.optInValues.includes(own) ? { ...namespaceLabels, [rewriteLabel]: own } : namespaceLabels;
  return isOptedIn({ name: namespace, labels: asLabelled }, scope);
}
