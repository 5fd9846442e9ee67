/** Flags of `export admission-policy` and `export kyverno`, and of the controller that keeps the former: who is rewritten, and the name of the object. */
import { optInModes } from '../controller/options.ts';
import { anyText, label, listOf, oneOf, trueOrFalse } from './flag-types.ts';
import type { AdmissionPolicyOptions } from '../export/admission-policy/admission-policy.ts';
import type { Flags, Given } from './read-flags.ts';

const nameType = anyText('NAME');

export const admissionPolicyFlags = {
  name: { type: nameType, text: 'name of the policy object', default: 'transship' },
  'opt-in': {
    type: oneOf('MODE', optInModes),
    text: 'OptIn: pods of namespaces with the label transship.dev/rewrite: VALUE of --opt-in-value; OptOut: of all but those that opt out',
    default: 'OptIn',
  },
  'opt-in-value': { type: nameType, text: 'value of the label transship.dev/rewrite that opts in', default: 'enabled' },
  'shadow-value': { type: nameType, text: 'value for the shadow mode of the webhook; such pods are left alone', default: 'shadow' },
  'other-values': {
    type: listOf(nameType),
    text: 'values of other releases in the cluster, comma separated; OptOut leaves them alone',
    default: '',
  },
  'exclude-namespaces': { type: listOf(nameType), text: 'namespaces whose pods are never rewritten, comma separated', default: '' },
  'failure-policy': {
    type: oneOf('POLICY', ['Ignore', 'Fail']),
    text: 'what becomes of a pod for which an expression fails: Ignore leaves it alone, Fail refuses it',
    default: 'Ignore',
  },
  'match-images': {
    type: null,
    text: 'pass over pods that no rule concerns, by a match condition; containers that others add to them later are then left alone',
  },
  'match-condition': { type: label, text: 'a further condition, as NAME=EXPRESSION in CEL', repeatable: true },
} as const satisfies Flags;

/** Of the controller's feature `policies`, beside those that say which namespaces are opted in. */
export const keptPolicyFlags = {
  'admission-policy': { type: nameType, text: 'MutatingAdmissionPolicy that the feature policies keeps', default: 'transship' },
  'shadow-value': {
    type: nameType,
    text: 'the one of --opt-in-values that stands for the shadow mode of the webhook; the admission policy leaves such pods alone',
    default: 'shadow',
  },
  'match-condition': {
    ...admissionPolicyFlags['match-condition'],
    text: 'a further match condition of the admission policy, as NAME=EXPRESSION in CEL',
  },
  'failure-policy': {
    ...admissionPolicyFlags['failure-policy'],
    text: 'what becomes of a pod for which an expression of the admission policy fails: Ignore leaves it alone, Fail refuses it',
  },
  'partial-policies': {
    type: trueOrFalse,
    text: 'whether rules that CEL cannot say are left to the webhook; else such a policy is refused, and the last good one stays',
    default: 'false',
  },
} as const satisfies Flags;

export function admissionPolicyOptions(values: Given<typeof admissionPolicyFlags>['values']): AdmissionPolicyOptions {
  return {
    name: values.name,
    failurePolicy: values['failure-policy'],
    optIn: values['opt-in'],
    optInValue: values['opt-in-value'],
    shadowValue: values['shadow-value'],
    otherValues: values['other-values'],
    excludedNamespaces: values['exclude-namespaces'],
    matchImages: values['match-images'],
    matchConditions: values['match-condition'].map(([name, expression]) => ({ name, expression })),
  };
}
