/**
 * The tables from symptom to cause of docs/guides/troubleshooting.md. A code of `why` or a check of `doctor` without a row is an error of
 * the type check.
 */
import type { CheckId } from '../../src/inspect/doctor/check.ts';
import { checks } from '../../src/inspect/doctor/checks.ts';
import type { NotRewrittenCode } from '../../src/inspect/why/codes.ts';
import { reasons } from '../../src/policy/reason.ts';
import { cannotPull, createSecret, type Symptom } from './pull-symptoms.ts';

const label = 'kubectl label namespace shop transship.dev/rewrite=enabled';
const printed = 'the command that `why` prints';
const restart = '`kubectl rollout restart --namespace shop deployment/web`';

export const notRewritten: Readonly<Record<NotRewrittenCode, Symptom>> = {
  'not-opted-in': { says: 'namespace … is not opted in', cause: 'no label on the namespace', firstStep: `\`${label}\`` },
  'label-value': { says: 'the label … has the value …', cause: 'a value that means nothing; values are lower case', firstStep: printed },
  'label-key': { says: 'the label … is not …', cause: 'the key of the label has a spelling error', firstStep: printed },
  'annotation-instead-of-label': {
    says: '… is an annotation, and only a label opts in',
    cause: '`kubectl annotate` instead of `kubectl label`',
    firstStep: printed,
  },
  'label-on-workload': {
    says: 'the label … is on the … and not on the template of its pods',
    cause: 'pods get the labels of the template',
    firstStep: '`kubectl patch …`, as `why` prints it',
  },
  'opted-out': {
    says: 'the pod has the label …: disabled',
    cause: 'whoever wrote the pod opted it out',
    firstStep: 'remove the label from the template of the pod',
  },
  'namespace-opted-out': {
    says: 'namespace … has the label …: disabled',
    cause: 'somebody opted the namespace out, perhaps to [end an outage](runbook.md#break-glass)',
    firstStep: `\`${label} --overwrite\``,
  },
  'excluded-namespace': {
    says: 'namespace … is excluded by the values of the chart',
    cause: '`excludeNamespaces` names it',
    firstStep: '`helm get values transship --namespace transship`',
  },
  'system-namespace': {
    says: 'namespace … belongs to Kubernetes, and is never rewritten',
    cause: '`kube-system`, `kube-public` and `kube-node-lease` must work without a webhook',
    firstStep: 'none: configure mirrors on the nodes for these',
  },
  'release-namespace': {
    says: 'namespace … is that of transship itself',
    cause: 'its own pods must start before it can rewrite',
    firstStep: 'run the pod in another namespace',
  },
  shadow: {
    says: 'shadow mode decides and reports, and changes nothing',
    cause: 'the namespace has the label value `shadow`',
    firstStep: `\`${label} --overwrite\``,
  },
  'older-than-opt-in': { says: 'the pod was created before …', cause: 'running pods are never changed', firstStep: restart },
  'webhook-not-asked': {
    says: 'everything fits, but the webhook was not asked when the pod was created, or did not answer',
    cause: 'the webhook was down, and `failurePolicy` is `Ignore`',
    firstStep: '`transship doctor`; then restart the pod',
  },
  'passed-over': {
    says: 'the webhook was not asked: matchImages of the chart …',
    cause: 'the condition is of another revision of the policy, or another webhook added the image later',
    firstStep: '`transship doctor`; `transship export match-images --policy policy.yaml`, or leave `matchImages` empty',
  },
  'policy-not-applied': {
    says: 'everything fits, but the MutatingAdmissionPolicy … did not change the pod',
    cause: 'in a release with `engine: admissionPolicy`: it was missing, of another policy, or an expression failed',
    firstStep: '`transship doctor`; then restart the pod',
  },
  'no-webhook': {
    says: 'no release of transship is registered in the cluster',
    cause: 'it was never installed, or its configuration was deleted to end an outage',
    firstStep: '`helm upgrade` brings the configuration back',
  },
  'not-seen': {
    says: 'the policy would rewrite it; whether a release of transship wants this pod cannot be seen',
    cause: 'your user may not list webhook configurations, or bindings of admission policies',
    firstStep: 'the [rights](../reference/doctor.md#rights) that `doctor` and `why` use',
  },
  'changed-back': {
    says: 'it was rewritten, and something else wrote the first name back',
    cause: 'an operator, another webhook, or a user',
    firstStep: '`kubectl get pod NAME -o yaml --show-managed-fields`; then [imageManagers](../reference/policy.md#imagemanagers)',
  },
  'fell-back': {
    says: 'the controller moved it to alternative … of the rule',
    cause: 'the node could not pull the image from the place before',
    firstStep: '`kubectl describe pod`: the event `ImageFellBack` has the reason',
  },
  'rewritten-by-another-policy': {
    says: 'it was rewritten when it was created; the present policy would make it …',
    cause: 'the policy was changed since then',
    firstStep: restart,
  },
};

type Cause = Omit<Symptom, 'says'>;

export const failedChecks: Readonly<Record<CheckId, Cause>> = {
  registered: {
    cause: 'the configuration was deleted to end an outage, or nothing is installed',
    firstStep: '`helm upgrade` brings it back',
  },
  webhooks: { cause: 'the configuration was edited', firstStep: '`helm upgrade`, with `--force-conflicts` for Helm 4' },
  'ca-bundle': {
    cause: 'the controller has not written the CA yet, or the clock is wrong',
    firstStep: '[the certificate](runbook.md#the-certificate-is-gone-or-not-trusted)',
  },
  certificate: {
    cause: 'its Secret is gone, expired, or from another CA',
    firstStep: '[the certificate](runbook.md#the-certificate-is-gone-or-not-trusted)',
  },
  replicas: { cause: 'replicas wait, crash, or are scaled to 0', firstStep: '[no replica answers](runbook.md#no-replica-answers)' },
  endpoints: { cause: 'the selector of the Service was changed', firstStep: '`helm upgrade` restores it' },
  reachable: {
    cause: 'a NetworkPolicy or a firewall between the API server and the webhook, or another webhook that changes the answer',
    firstStep: '[pods are created, but not rewritten](runbook.md#pods-are-created-but-not-rewritten)',
  },
  'policy-revision': {
    cause: 'a replica did not load the present policy',
    firstStep: '`kubectl --namespace transship logs deployment/transship`',
  },
  'match-images': {
    cause: 'the ConfigMap of the policy was edited without `helm upgrade`',
    firstStep: '`transship export match-images --policy policy.yaml`, and `helm upgrade` with both',
  },
  'admission-policy': {
    cause: 'the controller has not written it, or it or a binding was deleted',
    firstStep: '`kubectl --namespace transship logs deployment/transship-controller`',
  },
  'admission-policy-revision': {
    cause: 'the present policy has something that no admission policy can express, or the exported one is older',
    firstStep:
      '`kubectl --namespace transship logs deployment/transship-controller`; `transship export admission-policy --policy policy.yaml` names the rules',
  },
  enforced: {
    cause: 'an expression fails, the admission plugin is off, or something else changes the images',
    firstStep: '[which engine](without-a-webhook.md#which-one)',
  },
  'fail-open': {
    cause: 'the webhook did not answer in time, or an expression failed, and `failurePolicy` is `Ignore`',
    firstStep: '[pods are created, but not rewritten](runbook.md#pods-are-created-but-not-rewritten)',
  },
  policy: { cause: 'the ConfigMap has a policy with an error', firstStep: '[a broken policy](runbook.md#a-broken-policy)' },
  registries: {
    cause: 'several pods could not pull from a registry: it is down, or nodes do not reach it',
    firstStep:
      '`kubectl --namespace transship get events --field-selector reason=TargetUnavailable`; [the breaker](fallback.md#the-breaker)',
  },
  'pull-secrets': { cause: 'a rule gives pods a Secret that their namespace does not have', firstStep: createSecret },
  copies: {
    cause: 'the controller cannot write a copy, or another client changes it; or the source Secret cannot be read',
    firstStep: '[copies](../reference/controller.md#copies)',
  },
  'missing-images': {
    cause: 'nobody copied an image to the mirror, or it was deleted there; or the controller cannot ask it',
    firstStep: '[images that registries lack](monitoring.md#images-that-registries-lack)',
  },
  'image-managers': {
    cause: 'the policy has `exclude: false` for an operator that compares images',
    firstStep: '[imageManagers](../reference/policy.md#imagemanagers)',
  },
  'validating-policy': { cause: 'the policy or its binding was deleted or edited', firstStep: '`helm upgrade` brings it back' },
  'final-state': {
    cause: '`validatingPolicy.registries` lacks a target of the policy, or one of the two was edited',
    firstStep: '`helm get values transship --namespace transship`',
  },
  clock: { cause: 'a machine without time synchronization', firstStep: '`timedatectl` on the machine that is named' },
  controller: {
    cause: 'the controller is down or cannot write its Lease',
    firstStep: '`kubectl --namespace transship logs deployment/transship-controller`',
  },
  'kubernetes-version': {
    cause: 'the cluster is older or newer than what is tested',
    firstStep: '[compatibility](../reference/compatibility.md)',
  },
  'namespace-labels': { cause: 'a spelling error, or an annotation', firstStep: 'the command that `doctor` prints' },
  'workload-labels': { cause: 'the label is on the workload and not on its template', firstStep: 'the command that `doctor` prints' },
  'one-release': { cause: 'two releases have the same `optIn.value`', firstStep: 'give one of them another value' },
};

export function troubleshooting(): Readonly<Record<'not rewritten' | 'left by the policy' | 'cannot pull' | 'doctor', string>> {
  return {
    'not rewritten': symptomTable(notRewritten),
    'left by the policy': reasonTable(),
    'cannot pull': symptomTable(cannotPull),
    doctor: table(
      ['Check', 'Holds when', 'Cause where it does not', 'First step'],
      checks.map(({ id, title }) => [`\`${id}\``, title, failedChecks[id].cause, failedChecks[id].firstStep]),
    ),
  };
}

function symptomTable(symptoms: Readonly<Record<string, Symptom>>): string {
  const rows = Object.entries(symptoms).map(([code, { says, cause, firstStep }]) => [says, `\`${code}\``, cause, firstStep]);
  return table(['`why` says', 'Code', 'Cause', 'First step'], rows);
}

/** Of the engine: why it decided not to rewrite. */
function reasonTable(): string {
  const kept = Object.entries(reasons).filter(([, { outcome }]) => outcome !== 'rewritten');
  return table(
    ['Code', 'Outcome', 'Meaning'],
    kept.map(([code, { outcome, description }]) => [`\`${code}\``, `\`${outcome}\``, description]),
  );
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
