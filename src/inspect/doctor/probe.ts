/**
 * A pod that is created in dry run: whether the API server reaches the webhook, and which policy answers. Nothing is stored; the audit log of
 * the API server has the request, and other admission webhooks see it.
 */
import type { V1Namespace, V1Pod } from '@kubernetes/client-node';
import { contextOf, samplesOf } from '../../config/lint/samples.ts';
import { parseRewriter } from '../../pod/annotations.ts';
import { podFields, readPod } from '../../pod/pod.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import { decideImage } from '../../rules/decide.ts';
import { modeFor } from '../opt-in.ts';
import type { ReleasePolicy } from '../policy.ts';
import type { Release } from '../releases.ts';
import type { ClusterView } from '../view.ts';

export interface Probe {
  readonly namespace: string;
  readonly podLabels: Readonly<Record<string, string>>;
  readonly image: string;
  /** What the policy makes of the image. */
  readonly expected: string;
}

export type ProbeResult =
  | { readonly probe: Probe; readonly image: string; readonly revision: string | null }
  /** Of the API server: a webhook that it could not call, or an expression of the admission policy that failed. */
  | { readonly probe: Probe; readonly failure: string; readonly of: 'webhook' | 'admission policy' };

/** A refusal may be that of one namespace, such as a quota. */
const maxProbes = 3;

/** @returns null when nothing was learnt; the view has the reason */
export async function probe(
  view: ClusterView,
  release: Release,
  loaded: ReleasePolicy | null,
  namespaces: readonly V1Namespace[] | null,
): Promise<ProbeResult | null> {
  // Other checks tell that there is no policy, or that namespaces cannot be seen.
  if (namespaces === null || loaded === null || loaded.compiled === null) return null;
  const probes = probesFor(release, loaded.compiled, namespaces);
  if (probes.length === 0)
    view.notSeen(`a dry-run pod of release ${release.name}`, 'the policy rewrites no pod of a namespace that is opted in');
  for (const each of probes) {
    const result = await run(view, release, each);
    if (result !== null) return result;
  }
  return null;
}

/** One for each of the first namespaces in which the policy changes an image of a pod that the webhook is asked for. */
export function probesFor(release: Release, policy: CompiledPolicy, namespaces: readonly V1Namespace[]): Probe[] {
  const candidates = candidatesOf(policy);
  const probes: Probe[] = [];
  for (const { metadata, status } of namespaces) {
    if (probes.length === maxProbes) break;
    if (status?.phase === 'Terminating') continue;
    const namespace = metadata?.name ?? '';
    for (const { image, podLabels } of candidates) {
      if (modeFor(release, { name: namespace, labels: metadata?.labels }, podLabels) !== 'enforce') continue;
      const { outcome, result } = decideImage(policy.table, image, { namespace, podLabels });
      if (outcome !== 'rewritten' || result === null || result === image) continue;
      probes.push({ namespace, podLabels, image, expected: result });
      break;
    }
  }
  return probes;
}

/** Images of the policy's own tests first: an author has named them. */
function candidatesOf({ policy, rules }: CompiledPolicy): Pick<Probe, 'image' | 'podLabels'>[] {
  const tested = policy.tests.map(({ image, podLabels }) => ({ image, podLabels }));
  const sampled = rules
    .filter(({ rewrite }) => rewrite !== null)
    .flatMap((rule) => {
      const { podLabels } = contextOf(rule);
      return rule.images.flatMap((pattern) => samplesOf(pattern).map(({ text }) => ({ image: text, podLabels })));
    });
  return [...tested, ...sampled];
}

async function run(view: ClusterView, { fullName }: Release, each: Probe): Promise<ProbeResult | null> {
  const { namespace } = each;
  const result = await view.dryRunCreate<V1Pod>(`/api/v1/namespaces/${namespace}/pods`, podOf(each));
  if ('created' in result) return { probe: each, ...answerOf(result.created) };
  const { message } = result;
  // The final state that the chart's own policy saw has the image as it was written.
  const isUnrewritten = message.includes('outside the allowed registries') && message.includes(each.image);
  if (isUnrewritten) return { probe: each, image: each.image, revision: null };
  if (/failed calling webhook "[\w.-]*transship\.dev"/.test(message)) return { probe: each, failure: message, of: 'webhook' };
  // The sentence has the whole expression.
  if (message.includes(`policy '${fullName}' with binding '${fullName}-`))
    return { probe: each, failure: message.replace(/expression '[^]*' resulted in/, 'an expression resulted in'), of: 'admission policy' };
  const right = result.status === 403 ? '; the right to create pods there is enough where no quota or policy refuses it' : '';
  view.notSeen(`a dry-run pod in namespace ${namespace}`, `${message}${right}`);
  return null;
}

function answerOf(pod: V1Pod): { readonly image: string; readonly revision: string | null } {
  const { rewrittenBy } = readPod(pod, podFields([])).annotations;
  const image = pod.spec?.containers.find(({ name }) => name === container)?.image ?? '';
  return { image, revision: parseRewriter(rewrittenBy.entries.get(container) ?? '').revision };
}

const container = 'probe';

/** Fits the Pod Security Standard `restricted` and quotas that demand resources. */
function podOf({ podLabels, image }: Probe): V1Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'transship-doctor-', labels: { ...podLabels } },
    spec: {
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, runAsUser: 65_534, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: container,
          image,
          resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { cpu: '10m', memory: '16Mi' } },
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
}
