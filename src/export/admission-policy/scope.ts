/**
 * Which requests the policy is asked about: the same as for the webhook of the chart (charts/transship/templates/webhook-configuration.yaml).
 * Selectors match the object or the old object, so conditions go by the new object.
 */
import { systemNamespaces } from '../../admission/scope.ts';
import { optOutValue, rewriteLabel } from '../../pod/labels.ts';
import { mirrorAnnotation } from '../../pod/annotations.ts';
import type { LabelRequirement } from '../../policy/types.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import { literal, strings } from './cel.ts';
import { labelValue } from './entries.ts';
import { containerLists, containersIn, type ContainerList } from './sites.ts';

export interface Scope {
  readonly optIn: 'OptIn' | 'OptOut';
  /** Value of the label that turns rewriting on. */
  readonly optInValue: string;
  /** Value of the webhook's shadow mode; such pods are left alone. */
  readonly shadowValue: string;
  /** Values of other releases in the cluster. */
  readonly otherValues: readonly string[];
  /** Beside those of Kubernetes. */
  readonly excludedNamespaces: readonly string[];
  readonly matchConditions: readonly Condition[];
}

export interface Condition {
  readonly name: string;
  readonly expression: string;
  readonly comment?: string;
}

export interface Requirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn';
  readonly values: readonly string[];
}

/** Values of the label on a pod that mean something; with another one the pod goes by its namespace. */
function podValues({ optInValue, shadowValue }: Scope): string[] {
  return [optInValue, shadowValue, optOutValue];
}

/** Of every binding. */
export function guardedNamespaces({ excludedNamespaces }: Scope): Requirement {
  const values = [...new Set([...systemNamespaces, ...excludedNamespaces])].toSorted();
  return { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values };
}

export interface Binding {
  readonly name: string;
  readonly comment: string;
  readonly namespaces: Requirement | null;
  readonly pods: Requirement;
}

/** Each pod meets one of them at most. */
export function bindings(scope: Scope): Binding[] {
  return [
    {
      name: 'namespaces',
      comment: 'Pods without a label of their own go by their namespace.',
      namespaces: namespaceRequirement(scope),
      pods: { key: rewriteLabel, operator: 'NotIn', values: podValues(scope) },
    },
    {
      name: 'pods',
      comment: "A pod's own label wins over that of its namespace.",
      namespaces: null,
      pods: { key: rewriteLabel, operator: 'In', values: [scope.optInValue] },
    },
  ];
}

function namespaceRequirement({ optIn, optInValue, shadowValue, otherValues }: Scope): Requirement {
  return optIn === 'OptIn'
    ? { key: rewriteLabel, operator: 'In', values: [optInValue] }
    : { key: rewriteLabel, operator: 'NotIn', values: [...new Set([optOutValue, shadowValue, ...otherValues])] };
}

/** The bindings as one expression, by the new object: an update of the label itself may meet a binding by the old label. */
export function optedIn(scope: Scope): string {
  const own = `${labelValue(rewriteLabel)}.orValue("")`;
  const { operator, values } = namespaceRequirement(scope);
  const ofNamespace = `namespaceObject.metadata.?labels[?${literal(rewriteLabel)}].orValue("") in ${strings(values)}`;
  return `${own} == ${literal(scope.optInValue)} ||
(!(${own} in ${strings(podValues(scope))}) && ${operator === 'In' ? ofNamespace : `!(${ofNamespace})`})`;
}

/** Names of the conditions that a policy may have without those of its user. */
export const ownConditions: readonly string[] = [
  'not-a-mirror-pod',
  'not-opted-out',
  'an-image-changes',
  'not-of-transship',
  'no-image-manager',
  'an-image-is-concerned',
  'opted-in',
];

/** The API server evaluates all of them, whatever the first ones say. */
export function scopeConditions(scope: Scope, { imageManagers }: CompiledPolicy): Condition[] {
  const managers = imageManagers.filter(({ exclude }) => exclude);
  return [
    {
      name: 'not-a-mirror-pod',
      comment: 'The kubelet made a mirror pod from a file on its node: a change would not reach the node.',
      expression: `!(${literal(mirrorAnnotation)} in object.metadata.?annotations.orValue({}))`,
    },
    {
      name: 'not-opted-out',
      expression: `!(${labelValue(rewriteLabel)}.orValue("") in ${strings([...new Set([optOutValue, scope.shadowValue])])})`,
    },
    {
      name: 'an-image-changes',
      comment: 'Every label or finalizer of a pod is an UPDATE too; only those that bring another image matter.',
      expression: `request.operation != "UPDATE"${containerLists.map(changes).join('')}`,
    },
    {
      name: 'not-of-transship',
      comment: 'Pods of a webhook that helps to rewrite must not wait for it.',
      expression: `${labelValue('app.kubernetes.io/part-of')}.orValue("") != "transship"`,
    },
    ...(managers.length === 0
      ? []
      : [
          {
            name: 'no-image-manager',
            comment: `These operators compare the images of their pods: ${managers.map(({ name }) => name).join(', ')}.`,
            expression: `!(${managers.map(({ requirements }) => requirements.map(requirementText).join(' && ')).join('\n|| ')})`,
          },
        ]),
    ...scope.matchConditions,
  ];
}

function changes(list: ContainerList): string {
  const images = '.map(c, c.?image.orValue(""))';
  return `\n|| ${containersIn(list)}${images} != oldObject.spec.?${list}.orValue([])${images}`;
}

function requirementText({ key, operator, values = [] }: LabelRequirement): string {
  const value = labelValue(key);
  switch (operator) {
    case 'In':
      return `${value}.hasValue() && ${value}.orValue("") in ${strings(values)}`;
    case 'NotIn':
      return `!(${value}.hasValue() && ${value}.orValue("") in ${strings(values)})`;
    case 'Exists':
      return `${value}.hasValue()`;
    case 'DoesNotExist':
      return `!${value}.hasValue()`;
  }
}
