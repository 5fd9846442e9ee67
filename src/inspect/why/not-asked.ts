/** Why a pod that the policy would rewrite was not rewritten. Pure. */
import type { KubernetesObject } from '@kubernetes/client-node';
import { rewriteLabel } from '../../pod/labels.ts';
import { labelMistake, modeFor, optInValue, whyNotOptedIn, type Remedied } from '../opt-in.ts';
import { matchImagesOf } from '../match-images.ts';
import type { Release } from '../releases.ts';
import type { Evidence, Verdict } from './evidence.ts';
import { changeOfLabel } from './label-change.ts';
import { templateRemedy, type Workload } from './subject.ts';

/** The policy wants to rewrite the image, and nobody did: the first of these reasons that holds. */
export function notAsked(evidence: Evidence): Verdict {
  const { pod, workload, namespace, releases } = evidence;
  if (releases === null) return finding(notSeen);
  const named = { name: pod.metadata?.namespace ?? '', labels: namespace?.metadata?.labels, annotations: namespace?.metadata?.annotations };
  const labels = pod.metadata?.labels ?? {};
  // One that wants the pod comes first.
  const [release] = releases.toSorted((a, b) => Number(modeFor(b, named, labels) !== null) - Number(modeFor(a, named, labels) !== null));
  if (release === undefined) return finding(noRelease);
  const mode = modeFor(release, named, labels);
  if (mode === null) return finding(ofLabels(release, { pod, workload }) ?? whyNotOptedIn(release, named, labels));
  if (mode === 'shadow')
    return finding({ ...shadow, remedy: `kubectl label namespace ${named.name} ${rewriteLabel}=${optInValue(release)} --overwrite` });
  const before = beforeWhat(evidence, release);
  if (before !== null) return older(before, workload);
  const cause = causeOf(release);
  return finding({ ...cause, remedy: `${cause.remedy}; then restart the pod${restartOf(workload)}` });
}

function causeOf(release: Release): Remedied {
  return release.configuration === null ? notApplied(release) : (passedOver(release) ?? notAnswered);
}

const notSeen: Remedied = {
  code: 'not-seen',
  sentence: 'the policy would rewrite it; whether a release of transship wants this pod cannot be seen',
  remedy: 'use credentials that may list mutatingwebhookconfigurations and mutatingadmissionpolicybindings',
};
const noRelease: Remedied = {
  code: 'no-webhook',
  sentence: 'no release of transship is registered in the cluster',
  remedy: 'helm install it, or wait for the install to finish',
};
const shadow = { code: 'shadow', sentence: 'shadow mode decides and reports, and changes nothing' } as const;
const notAnswered: Remedied = {
  code: 'webhook-not-asked',
  sentence:
    'everything fits, but the webhook was not asked when the pod was created, or did not answer (failurePolicy Ignore lets the pod through)',
  remedy: 'transship doctor shows whether it answers now',
};

/** By the match condition from the rules; null where there is none. */
function passedOver(release: Release): Remedied | null {
  const found = matchImagesOf(release);
  if (found === null) return null;
  const isPresent = found.revision === found.present || found.present === null;
  return {
    code: 'passed-over',
    sentence: isPresent
      ? 'the webhook was not asked: matchImages of the chart passes over pods that no rule concerns, and another webhook or policy added this image later; or the webhook did not answer (failurePolicy Ignore lets the pod through)'
      : `the webhook was not asked: matchImages of the chart is of revision ${found.revision ?? 'unknown'} of the policy, and revision ${found.present} is in the ConfigMap`,
    remedy: isPresent
      ? 'leave matchImages empty where others add containers; transship doctor shows whether the webhook answers now'
      : 'transship export match-images --policy FILE, and helm upgrade with it',
  };
}

/** Of a release without a webhook. */
function notApplied({ admissionPolicy, fullName }: Release): Remedied {
  return {
    code: 'policy-not-applied',
    sentence:
      admissionPolicy === undefined
        ? `everything fits, but the MutatingAdmissionPolicy ${fullName} does not exist, so its bindings do nothing`
        : `everything fits, but the MutatingAdmissionPolicy ${fullName} did not change the pod: it was of another policy, or an expression failed (failurePolicy Ignore lets the pod through)`,
    remedy: 'transship doctor shows whether it is in place now',
  };
}

interface Before {
  readonly what: string;
  readonly when: Date;
}

/** The pod is older than this; null when it is not. */
function beforeWhat({ pod, namespace }: Evidence, release: Release): Before | null {
  const created = new Date(pod.metadata?.creationTimestamp ?? 0);
  const labelled = changeOfLabel(pod.metadata) ?? changeOfLabel(namespace?.metadata);
  const events = [
    { what: 'transship was registered', when: registeredAt(release) },
    { what: `the label ${rewriteLabel} was set`, when: labelled },
    { what: 'the policy was changed', when: release.policy?.changed ?? null },
  ];
  for (const { what, when } of events) if (when !== null && created < when) return { what, when };
  return null;
}

function timeOf(object: KubernetesObject | null | undefined): number[] {
  const created = object?.metadata?.creationTimestamp;
  return created === undefined ? [] : [new Date(created).getTime()];
}

/** By the first of its engines. A policy that somebody deleted is a new one when it is back. */
function registeredAt({ configuration, bindings, admissionPolicy }: Release): Date | null {
  const ofPolicy = [...bindings, admissionPolicy].flatMap(timeOf);
  const times = [...timeOf(configuration), ...(ofPolicy.length === 0 ? [] : [Math.max(...ofPolicy)])];
  return times.length === 0 ? null : new Date(Math.min(...times));
}

function finding({ code, sentence, remedy }: Remedied): Verdict {
  return { code, reason: sentence, remedy, isFinding: true };
}

/** A label on the wrong object, or one that means nothing: on the pod, its template, or the workload itself. */
function ofLabels(release: Release, { pod, workload }: Pick<Evidence, 'pod' | 'workload'>): Remedied | null {
  const { name, namespace = '', labels, annotations } = pod.metadata ?? {};
  const mistake = labelMistake(release, { labels, annotations }, `kubectl label --namespace ${namespace} pod ${name}`);
  if (mistake !== null)
    return {
      ...mistake,
      sentence: `the pod: ${mistake.sentence}`,
      remedy: workload === null ? mistake.remedy : templateRemedy(workload, namespace, optInValue(release)),
    };
  return workload === null ? null : labelOnWorkload(release, workload);
}

/** Null when it is not there, or on the template too. */
export function labelOnWorkload(release: Release, workload: Workload): Remedied | null {
  const { kind, metadata, spec } = workload;
  if (metadata?.labels?.[rewriteLabel] === undefined || spec?.template?.metadata?.labels?.[rewriteLabel] !== undefined) return null;
  return {
    code: 'label-on-workload',
    sentence: `the label ${rewriteLabel} is on the ${kind} and not on the template of its pods`,
    remedy: templateRemedy(workload, metadata.namespace ?? '', optInValue(release)),
  };
}

function older({ what, when }: Before, workload: Workload | null): Verdict {
  return {
    code: 'older-than-opt-in',
    reason: `the pod was created before ${what} (${when.toISOString()}), and running pods are never changed`,
    remedy: `restart it${restartOf(workload)}`,
    isFinding: true,
  };
}

function restartOf(workload: Workload | null): string {
  if (workload === null || workload.kind === 'job' || workload.kind === 'replicaset')
    return ': delete it, and let its owner create it again';
  return `: kubectl rollout restart --namespace ${workload.metadata?.namespace} ${workload.kind}/${workload.metadata?.name}`;
}
