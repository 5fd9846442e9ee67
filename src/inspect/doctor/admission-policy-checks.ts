/** Whether the API server has the policy itself, as the value `engine` of the chart asks it to: object, bindings, and their effect. */
import { recordedRevision } from '../../export/admission-policy/patch.ts';
import { ownConditions } from '../../export/admission-policy/scope.ts';
import { hasAdmissionPolicy, releaseCheck, type Check, type Problem } from './check.ts';
import type { Facts, ReleaseFacts } from './facts.ts';
import type { ProbeResult } from './probe.ts';
import { isWhole } from './whole-rules.ts';

const wantedBindings = ['namespaces', 'pods'];

const inPlace = releaseCheck(
  'admission-policy',
  'the MutatingAdmissionPolicy is there, and bound',
  (release) => {
    const { admissionPolicy, bindings, fullName, name, namespace } = release;
    const present = new Set(bindings.map(({ metadata }) => metadata?.name));
    const restored = `helm upgrade ${name} CHART --namespace ${namespace} --reset-then-reuse-values brings it back`;
    const missing = wantedBindings
      .map((suffix) => `${fullName}-${suffix}`)
      .filter((binding) => !present.has(binding))
      .map((binding) => ({
        sentence: `MutatingAdmissionPolicyBinding ${binding} does not exist: the pods that it selects are not rewritten`,
        remedy: restored,
      }));
    if (admissionPolicy === undefined)
      return [
        ...missing,
        {
          sentence: `MutatingAdmissionPolicy ${fullName} does not exist: its bindings do nothing`,
          remedy: `the controller writes it: kubectl --namespace ${namespace} logs deployment/${fullName}-controller; one of admissionPolicy.exported, helm upgrade`,
        },
      ];
    if (admissionPolicy === null) return missing.length === 0 ? null : missing;
    const isEdited = !isWhole(admissionPolicy.spec?.matchConstraints?.resourceRules);
    const edited = {
      sentence: `MutatingAdmissionPolicy ${fullName} does not ask for pods on CREATE and UPDATE: it was edited`,
      remedy: restored,
    };
    return isEdited ? [...missing, edited] : missing;
  },
  hasAdmissionPolicy,
);

/** Milliseconds: the kubelet takes about a minute to bring a change of a ConfigMap to the controller. */
const mountDelay = 120_000;

const revision = releaseCheck(
  'admission-policy-revision',
  'the MutatingAdmissionPolicy is made of the policy in its ConfigMap, but for changes of the last two minutes',
  ({ admissionPolicy, loaded, fullName, namespace, revised }, { now }) => {
    const wanted = loaded?.compiled?.revision ?? null;
    // That a policy does not load, or that the object is missing, other checks tell.
    if (wanted === null || admissionPolicy === null || admissionPolicy === undefined) return null;
    const found = recordedRevision(admissionPolicy.spec?.variables ?? []);
    if (found === wanted || now.getTime() - (revised?.getTime() ?? 0) < mountDelay) return [];
    return [
      {
        sentence: `revision ${wanted} of the policy is in the ConfigMap, and MutatingAdmissionPolicy ${fullName} is of ${found ?? 'none'}`,
        remedy: `kubectl --namespace ${namespace} logs deployment/${fullName}-controller says why it was not written; export it again where it is one of admissionPolicy.exported`,
      },
    ];
  },
  hasAdmissionPolicy,
);

const enforced = releaseCheck(
  'enforced',
  'the API server rewrites by the MutatingAdmissionPolicy (dry run of a pod)',
  (release, facts) => {
    const { probe, configuration } = release;
    if (probe === null) return null;
    // With a webhook beside it, a pod that is rewritten does not tell by which of the two.
    if (configuration !== null && !('failure' in probe && probe.of === 'admission policy')) return null;
    const found = unenforced(release, probe);
    if (found === null) return [];
    const only: Facts = { ...facts, releases: [release] };
    return [inPlace, revision].some(({ judge }) => (judge(only) ?? []).length > 0) || hasOwnConditions(release) ? null : [found];
  },
  hasAdmissionPolicy,
);

function unenforced({ fullName, loaded }: ReleaseFacts, result: ProbeResult): Problem | null {
  const { probe } = result;
  const where = `${probe.image} in namespace ${probe.namespace}`;
  if ('failure' in result)
    return {
      sentence: `an expression of MutatingAdmissionPolicy ${fullName} fails, and the API server refuses pods: ${result.failure}`,
      remedy: `kubectl delete mutatingadmissionpolicybinding ${fullName}-namespaces ${fullName}-pods lets them through until the next helm upgrade`,
    };
  if (result.image === probe.expected) return null;
  if (result.revision === null)
    return {
      sentence: `the API server creates pods as they are written: ${where} stays ${result.image} (dry run)`,
      remedy:
        'its admission plugin MutatingAdmissionPolicy may be off (--disable-admission-plugins); metric apiserver_mutating_admission_policy_check_total counts expressions that fail',
    };
  if (result.revision !== loaded?.compiled?.revision) return null;
  return {
    sentence: `the policy is applied, and something else changes its result: ${where} becomes ${result.image} instead of ${probe.expected} (dry run)`,
    remedy: 'kubectl get mutatingwebhookconfigurations,mutatingadmissionpolicies shows the others; leave their images out with exclude',
  };
}

/** Beside those that transship writes, there may be some of the chart's values, which may except the pod of the dry run. */
function hasOwnConditions({ admissionPolicy }: ReleaseFacts): boolean {
  return admissionPolicy?.spec?.matchConditions?.some(({ name }) => !ownConditions.includes(name)) === true;
}

/** https://kubernetes.io/docs/reference/instrumentation/metrics/ */
const failureMetric = 'apiserver_mutating_admission_policy_check_total';

/** Evaluations that failed since the API server started. */
export function failedEvaluations(metrics: string, { fullName }: ReleaseFacts): Problem[] {
  const counts = [...metrics.matchAll(new RegExp(`^${failureMetric}\\{([^}]*)\\} (\\S+)$`, 'gm'))];
  return counts.flatMap(([, labels = '', value]) => {
    const error = /error_type="([^"]*)"/.exec(labels)?.[1];
    const isOurs = labels.includes(`policy="${fullName}"`);
    if (!isOurs || error === 'no_error' || Number(value) === 0) return [];
    const sentence = `${Number(value)} evaluations of MutatingAdmissionPolicy ${fullName} failed since this API server started (${failureMetric}, ${error})`;
    return [{ sentence, remedy: 'with failurePolicy Ignore their pods were created as written: transship why pod/NAME' }];
  });
}

export const admissionPolicyChecks: readonly Check[] = [inPlace, revision, enforced];
