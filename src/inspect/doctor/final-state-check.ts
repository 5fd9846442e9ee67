/** Whether `validatingPolicy` of the chart, which looks at the images that pods end up with, agrees with the policy and the webhook. */
import type { V1Namespace, V1ValidatingAdmissionPolicy } from '@kubernetes/client-node';
import { matchesSelector } from '../../policy/label-selector.ts';
import type { Target } from '../../rules/targets.ts';
import { modeFor, selectorOf } from '../opt-in.ts';
import { releaseCheck, type Problem } from './check.ts';
import type { ReleaseFacts } from './facts.ts';

export const finalState = releaseCheck(
  'final-state',
  'the validating policy of registries, if there is one, allows what the policy makes',
  (release, { policies, namespaces }) => {
    if (policies === null) return null;
    const found = policies.find(({ metadata }) => metadata?.name === `${release.fullName}-registries`);
    if (found === undefined) return [];
    return [...refusedTargets(release, found), ...otherNamespaces(release, found, namespaces ?? [])];
  },
);

function refusedTargets({ loaded }: ReleaseFacts, policy: V1ValidatingAdmissionPolicy): Problem[] {
  const prefixes = prefixesOf(policy);
  // That an expression of the chart was edited away, nothing can be said about.
  if (prefixes === null || loaded?.compiled === null || loaded?.compiled === undefined) return [];
  const targets = loaded.compiled.rules.flatMap((rule) => [rule, ...rule.alternatives]).flatMap(({ rewrite }) => rewrite?.target ?? []);
  const refused = new Set(
    targets.filter((target) => !prefixes.some((prefix) => exampleOf(target).startsWith(prefix))).map(({ text }) => text),
  );
  if (refused.size === 0) return [];
  const sentence = `ValidatingAdmissionPolicy ${policy.metadata?.name} does not allow ${[...refused].join(', ')}, where the policy sends images: such pods are refused`;
  return [{ sentence, remedy: `add it to validatingPolicy.registries of the chart's values` }];
}

/** An image of the target as the expression completes it: canonical, with `@` behind it. */
function exampleOf({ prefix: { host, path }, exact }: Target): string {
  if (exact !== null) return `${exact.name}${exact.tag === null ? '' : `:${exact.tag}`}@`;
  return `${host}/${path === '' ? '' : `${path}/`}image@`;
}

function prefixesOf({ spec }: V1ValidatingAdmissionPolicy): readonly string[] | null {
  const expression = spec?.variables?.find(({ name }) => name === 'prefixes')?.expression ?? '';
  try {
    const value: unknown = JSON.parse(expression);
    return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : null;
  } catch {
    return null;
  }
}

/** Namespaces of which one of the two takes the pods, and the other does not. */
function otherNamespaces(release: ReleaseFacts, policy: V1ValidatingAdmissionPolicy, namespaces: readonly V1Namespace[]): Problem[] {
  const selector = policy.spec?.matchConstraints?.namespaceSelector;
  const differing = namespaces.flatMap(({ metadata }) => {
    const [name, labels] = [metadata?.name ?? '', metadata?.labels ?? {}];
    const isJudged = matchesSelector(selectorOf(selector), { 'kubernetes.io/metadata.name': name, ...labels });
    const isRewritten = modeFor(release, { name, labels }, {}) === 'enforce';
    return isJudged === isRewritten ? [] : [`${name} (${isJudged ? 'judged and not rewritten' : 'rewritten and not judged'})`];
  });
  if (differing.length === 0) return [];
  return [
    {
      sentence: `ValidatingAdmissionPolicy ${policy.metadata?.name} and the release take different namespaces: ${differing.slice(0, 3).join(', ')}`,
      remedy: 'one of them was edited: helm upgrade restores both',
    },
  ];
}
