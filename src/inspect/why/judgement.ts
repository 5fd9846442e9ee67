/** Why each container of a pod has the image that it has. Pure: objects of the cluster and a policy in, sentences out. */
import type { SiteDecision } from '../../admission/rewrite-pod.ts';
import { decideDocument } from '../../manifests/decide.ts';
import { parseRewriter, type Rewriter } from '../../pod/annotations.ts';
import { parseFallback, stepsOf, type FallbackStep } from '../../pod/fallback-record.ts';
import { pullFailureSentence } from '../../pod/pull-failure.ts';
import { podFields, readPod } from '../../pod/pod.ts';
import { siteKey } from '../../pod/images.ts';
import { decideImage } from '../../rules/decide.ts';
import type { ImageDecision } from '../../rules/decision.ts';
import type { ContainerVerdict, Evidence, Verdict } from './evidence.ts';
import { notAsked } from './not-asked.ts';

export function judge(evidence: Evidence): ContainerVerdict[] {
  const { pod, policy } = evidence;
  const namespace = pod.metadata?.namespace ?? '';
  const { originalImages, rewrittenBy, fallback } = readPod(pod, podFields([])).annotations;
  const steps = parseFallback(fallback);
  const { images } = decideDocument(
    policy,
    { apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata, spec: pod.spec },
    { namespaceOf: () => namespace, originals: 'recorded' },
  );
  return images.map(({ decision }) => {
    const key = siteKey(decision.site);
    const step = steps.get(key);
    const record = {
      original: originalImages.entries.get(key) ?? null,
      ...parseRewriter(rewrittenBy.entries.get(key) ?? ''),
      step: step?.to === decision.site.image ? step : null,
    };
    return verdictOf(decision, record, evidence);
  });
}

interface PodRecordOfImage extends Rewriter {
  /** Null where nothing is recorded. */
  readonly original: string | null;
  /** Null where the controller has not moved it. */
  readonly step: FallbackStep | null;
}

function verdictOf(decision: SiteDecision, { original, rule, revision, step }: PodRecordOfImage, evidence: Evidence): ContainerVerdict {
  const { site } = decision;
  const steps = step === null ? [] : stepsOf(step);
  const base = { name: siteKey(site), written: original ?? site.image, image: site.image, steps };
  if (original !== null) {
    const now = decideWritten(original, site.pullPolicy, evidence);
    return { ...base, rule: rule ?? now.rule, revision, ...(step === null ? recorded(now, rule, [original, site.image]) : fellBack(step)) };
  }
  return { ...base, rule: decision.rule, revision: null, ...(decision.outcome === 'rewritten' ? notAsked(evidence) : ofEngine(decision)) };
}

/** What the policy makes of the image that the pod was written with. */
function decideWritten(image: string, pullPolicy: string | null, { pod: { metadata }, policy }: Evidence): ImageDecision {
  return decideImage(policy.table, image, { namespace: metadata?.namespace ?? '', podLabels: metadata?.labels ?? {} }, pullPolicy);
}

function fellBack({ step, from, at, reason = '' }: FallbackStep): Verdict {
  const sentence = pullFailureSentence(reason);
  const why = sentence === null ? '' : ` (${sentence})`;
  return {
    code: 'fell-back',
    reason: `the controller moved it to alternative ${step} of the rule at ${at}, since ${from} could not be pulled${why}`,
    remedy: null,
    isFinding: false,
  };
}

function recorded(decision: ImageDecision, rule: string | null, [written, image]: readonly [string, string]): Verdict {
  if (image === written && rule === null && decision.alternatives.some(({ target }) => target === 'original'))
    return {
      code: 'original-first',
      reason: 'nodes did not reach the first target of the rule when it was created, and the image as written was the next',
      remedy: null,
      isFinding: false,
    };
  if (image === written)
    return {
      code: 'changed-back',
      reason: 'it was rewritten, and something else wrote the first name back: an operator, another webhook, or a user',
      remedy: 'kubectl get pod -o yaml --show-managed-fields shows who; imageManagers of the policy leaves such pods alone',
      isFinding: true,
    };
  // A policy that no longer rewrites it says nothing about who did.
  const isAtTarget = decision.result === image || decision.alternatives.some((alternative) => alternative.image === image);
  if (isAtTarget || decision.outcome !== 'rewritten') return { code: 'rewritten', reason: decision.reason, remedy: null, isFinding: false };
  return {
    code: 'rewritten-by-another-policy',
    reason: `it was rewritten when it was created; the present policy would make it ${decision.result}`,
    remedy: 'restart the pod when the present policy is meant',
    isFinding: true,
  };
}

function ofEngine({ code, reason, outcome }: ImageDecision): Verdict {
  const isProblem = outcome === 'invalid' || outcome === 'refused';
  return { code, reason, remedy: isProblem ? 'transship lint and explain show it with the policy' : null, isFinding: isProblem };
}
