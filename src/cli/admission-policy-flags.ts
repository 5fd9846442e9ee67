/** Flags of `export admission-policy` and `export kyverno`, and of the controller that keeps the former: who is rewritten, and the name of the object. */
import { optInModes } from '../controller/options.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { ownConditions, type Condition } from '../export/admission-policy/scope.ts';
import { listOf, oneOf } from './flag-types.ts';
import { partial } from './flags.ts';
import { admissionPolicyName, labelValue, matchCondition, namespaceName } from './kubernetes-flags.ts';
import { refuseSharedValues } from './opt-in-values.ts';
import type { AdmissionPolicyOptions } from '../export/admission-policy/admission-policy.ts';
import type { Flag, Flags, Given } from './read-flags.ts';

const policyName = { type: admissionPolicyName, text: 'name of the policy object', default: 'transship' } as const satisfies Flag;

export const admissionPolicyFlags = {
  'policy-name': policyName,
  'opt-in': {
    type: oneOf('MODE', optInModes),
    text: 'OptIn: pods of namespaces with the label transship.dev/rewrite: VALUE of --opt-in-value; OptOut: of all but those that opt out',
    default: 'OptIn',
  },
  'opt-in-value': { type: labelValue, text: 'value of the label transship.dev/rewrite that opts in', default: 'enabled' },
  'shadow-value': { type: labelValue, text: 'value for the shadow mode of the webhook; such pods are left alone', default: 'shadow' },
  'other-values': {
    type: listOf(labelValue),
    text: 'values of other releases in the cluster, comma separated; OptOut leaves them alone',
    default: '',
  },
  'exclude-namespaces': { type: listOf(namespaceName), text: 'namespaces whose pods are never rewritten, comma separated', default: '' },
  'failure-policy': {
    type: oneOf('POLICY', ['Ignore', 'Fail']),
    text: 'what becomes of a pod for which an expression fails: Ignore leaves it alone, Fail refuses it',
    default: 'Ignore',
  },
  'match-images': {
    type: null,
    text: 'pass over pods that no rule concerns, by a match condition; containers that others add to them later are then left alone',
  },
  'match-condition': { type: matchCondition, text: 'a further match condition, in CEL', repeatable: true },
} as const satisfies Flags;

/** Of the controller's feature `policies`, beside those that say which namespaces are opted in. */
export const keptPolicyFlags = {
  'policy-name': { ...policyName, text: 'name of the MutatingAdmissionPolicy that the feature policies keeps' },
  'shadow-value': {
    type: labelValue,
    text: 'the one of --opt-in-values that stands for the shadow mode of the webhook; the admission policy leaves such pods alone',
    default: 'shadow',
  },
  'match-condition': {
    ...admissionPolicyFlags['match-condition'],
    text: 'a further match condition of the admission policy, in CEL',
  },
  'failure-policy': {
    ...admissionPolicyFlags['failure-policy'],
    text: 'what becomes of a pod for which an expression of the admission policy fails: Ignore leaves it alone, Fail refuses it',
  },
  partial: {
    ...partial,
    text: 'keep what CEL can express, and leave the other rules to the webhook; else such a policy is refused, and the last good one stays',
  },
} as const satisfies Flags;

/** @throws OperatorError (USAGE) when a value of the label or the name of a condition has two meanings */
export function admissionPolicyOptions(values: Given<typeof admissionPolicyFlags>['values']): AdmissionPolicyOptions {
  refuseSharedValues([
    ['--opt-in-value', [values['opt-in-value']]],
    ['--shadow-value', [values['shadow-value']]],
    ['--other-values', values['other-values']],
  ]);
  return {
    name: values['policy-name'],
    failurePolicy: values['failure-policy'],
    optIn: values['opt-in'],
    optInValue: values['opt-in-value'],
    shadowValue: values['shadow-value'],
    otherValues: values['other-values'],
    excludedNamespaces: values['exclude-namespaces'],
    matchImages: values['match-images'],
    matchConditions: matchConditions(values['match-condition']),
  };
}

/** @throws OperatorError (USAGE) for a name that another condition has: the API server refuses both */
export function matchConditions(written: readonly (readonly [name: string, expression: string])[]): Condition[] {
  const names = new Set<string>();
  return written.map(([name, expression]) => {
    const taken = ownConditions.includes(name) ? `${name} is the name of a condition of transship` : `two conditions are called ${name}`;
    if (ownConditions.includes(name) || names.has(name))
      throw new OperatorError('USAGE', `--match-condition: ${taken}`, 'use another name');
    names.add(name);
    return { name, expression };
  });
}
