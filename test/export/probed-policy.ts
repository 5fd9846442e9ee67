/** Policies with rules that show whether they are in force. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { revisionOf } from '../../src/config/revision.ts';
import { decideImage } from '../../src/rules/decide.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { rulesOf, type CreatedPod } from '../contract/running.ts';
import type { PolicyInput, RuleInput } from '../rules/policy.ts';
import { loaded } from './equality.ts';
import { policyText } from './policy-texts.ts';

/** Images of rules that `probed` puts before all others: one that can be compiled, and one that cannot. */
export const probes = { compiled: 'probe.test/compiled', left: 'probe.test/left' } as const;

const probeRules: readonly RuleInput[] = [
  { name: 'probe', match: { images: [probes.compiled] }, rewrite: { registry: 'probe', as: 'path' } },
  {
    name: 'probe-left',
    match: { images: [{ regex: String.raw`^probe\.test/(left)$` }] },
    rewrite: { as: 'template', template: 'probe-target.test/$1' },
  },
];

/**
 * The policy with rules that show whether it is in force; null where it excludes their images.
 * @param withLeft also the rule that cannot be compiled
 */
export function probed(text: string, withLeft = false): string | null {
  const policy: PolicyInput = parse(text);
  const rules = [...probeRules.slice(0, withLeft ? 2 : 1), ...(policy.rules ?? [])];
  const result = policyText({ ...policy, registries: { ...policy.registries, probe: { host: 'probe-target.test' } }, rules });
  const { table } = loaded(result);
  const isDecided = Object.values(probes)
    .slice(0, withLeft ? 2 : 1)
    .every((image) => decideImage(table, image, { namespace: 'shop', podLabels: {} }).result !== null);
  return isDecided ? result : null;
}

interface Probe {
  readonly namespace: string;
  readonly image: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Resolves when the image is decided by that policy: the API server and the webhook learn of a change a moment later. */
export async function inForce({ api }: ControlPlane, text: string, { namespace, image, labels = {} }: Probe): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
  const pod = { metadata: { name: 'probe', labels }, spec: { containers: [{ name: 'main', image }] } };
  const revision = revisionOf(text, '');
  const deadline = performance.now() + 30_000;
  for (;;) {
    const { body } = await api.send<CreatedPod>('POST', path, pod);
    if (rulesOf(body)?.['main']?.endsWith(`@${revision}`) === true) return;
    if (performance.now() > deadline) throw new Error(`the policy is not in force after 30 s: ${JSON.stringify(body)}`);
    await sleep(20);
  }
}
