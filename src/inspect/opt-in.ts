/** Whether a release wants a new pod, by the selectors of its webhooks and of the bindings of its admission policy; and where nobody wants it, why. */
import type { V1LabelSelector } from '@kubernetes/client-node';
import { systemNamespaces } from '../admission/scope.ts';
import { optOutValue, rewriteLabel } from '../pod/labels.ts';
import { matchesSelector } from '../policy/label-selector.ts';
import type { LabelSelector } from '../policy/types.ts';
import type { Release } from './releases.ts';
import type { NotRewrittenCode, PullCode } from './why/codes.ts';

type Labels = Readonly<Record<string, string>>;

export interface Labelled {
  readonly labels?: Labels | undefined;
  readonly annotations?: Labels | undefined;
}

export interface NamedNamespace extends Labelled {
  readonly name: string;
}

type Mode = 'enforce' | 'shadow';

/** A webhook, or a binding. */
interface Selection {
  readonly mode: Mode;
  readonly namespaces: readonly (V1LabelSelector | undefined)[];
  readonly pods: V1LabelSelector | undefined;
}

type Selecting = Pick<Release, 'configuration' | 'bindings' | 'admissionPolicy' | 'namespace'>;

function selections({ configuration, bindings, admissionPolicy, namespace }: Selecting): Selection[] {
  const ofWebhooks = (configuration?.webhooks ?? []).map(({ name, namespaceSelector, objectSelector }): Selection => ({
    mode: name.includes('shadow') ? 'shadow' : 'enforce',
    namespaces: [namespaceSelector],
    pods: objectSelector,
  }));
  // Where the policy cannot be seen, as far as it is known.
  const unseen = { matchExpressions: [{ key: nameLabel, operator: 'NotIn', values: [...systemNamespaces, namespace] }] };
  const guard = admissionPolicy?.spec?.matchConstraints?.namespaceSelector ?? unseen;
  const ofBindings = bindings.map(({ spec }): Selection => ({
    mode: 'enforce',
    namespaces: [guard, spec?.matchResources?.namespaceSelector],
    pods: spec?.matchResources?.objectSelector,
  }));
  return [...ofWebhooks, ...ofBindings];
}

const nameLabel = 'kubernetes.io/metadata.name';

/** Null when the release does not want the pod. */
export function modeFor(release: Selecting, namespace: NamedNamespace, podLabels: Labels): Mode | null {
  const labels = { [nameLabel]: namespace.name, ...namespace.labels };
  const isMatch = ({ namespaces, pods }: Selection): boolean =>
    namespaces.every((selector) => matchesSelector(selectorOf(selector), labels)) && matchesSelector(selectorOf(pods), podLabels);
  return selections(release).find(isMatch)?.mode ?? null;
}

/** An absent selector matches everything. */
export function selectorOf(selector: V1LabelSelector | undefined): LabelSelector {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server validated the operators
  return (selector ?? {}) as LabelSelector;
}

export interface Remedied {
  readonly code: NotRewrittenCode | PullCode;
  readonly sentence: string;
  /** A command, or what to do. */
  readonly remedy: string;
}

/** The value of the label that opts in, as this release has it. */
export function optInValue(release: Release): string {
  const ofPods = selections(release).flatMap(({ mode, pods }) => (mode === 'enforce' ? ofLabel(pods, 'In') : []));
  return ofPods[0] ?? 'enabled';
}

function ofLabel(selector: V1LabelSelector | undefined, wanted: string): readonly string[] {
  const requirements = selector?.matchExpressions ?? [];
  return requirements.flatMap(({ key, operator, values = [] }) => (key === rewriteLabel && operator === wanted ? values : []));
}

/** The value of the shadow mode in a release without a webhook: its pods are left alone, and nothing reports about them. */
function isShadowValue(release: Release, value: string | undefined): boolean {
  if (value === undefined || release.configuration !== null) return false;
  const meaningful = release.bindings.flatMap(({ spec }) => ofLabel(spec?.matchResources?.objectSelector, 'NotIn'));
  return value !== optOutValue && value !== optInValue(release) && meaningful.includes(value);
}

/** Values that mean something to the release. */
function knownValues(release: Release): readonly string[] {
  const selectors = selections(release).flatMap(({ namespaces, pods }) => namespaces.concat(pods));
  const found = ['In', 'NotIn'].flatMap((operator) => selectors.flatMap((selector) => ofLabel(selector, operator)));
  // Of a configuration that was emptied, the chart's own.
  return [...new Set([optOutValue, ...(found.length === 0 ? ['enabled', 'shadow'] : found)])];
}

/** What is wrong with the opt-in label of an object, whichever the object; null when nothing is, or when it has none. */
export function labelMistake(release: Release, { labels = {}, annotations = {} }: Labelled, command: string): Remedied | null {
  const wanted = optInValue(release);
  const value = labels[rewriteLabel];
  if (value !== undefined && !knownValues(release).includes(value)) {
    const meant = knownValues(release).find((known) => known === value.toLowerCase().trim()) ?? wanted;
    return {
      code: 'label-value',
      sentence: `the label ${rewriteLabel} has the value ${JSON.stringify(value)}, which means nothing (${knownValues(release).join(', ')} do)`,
      remedy: `${command} ${rewriteLabel}=${meant} --overwrite`,
    };
  }
  if (value !== undefined) return null;
  if (annotations[rewriteLabel] !== undefined)
    return {
      code: 'annotation-instead-of-label',
      sentence: `${rewriteLabel} is an annotation, and only a label opts in`,
      remedy: `${command} ${rewriteLabel}=${wanted}`,
    };
  const near = Object.keys(labels).find(isNearKey);
  if (near === undefined) return null;
  return {
    code: 'label-key',
    sentence: `the label ${near} is not ${rewriteLabel}`,
    remedy: `${command} ${rewriteLabel}=${wanted} ${near}-`,
  };
}

const nearKeys: ReadonlySet<string> = new Set(['transshipdevrewrite', 'transshiprewrite', 'transshipiorewrite', 'transshipdevrewrites']);

/** A key that somebody typed for ours. */
function isNearKey(key: string): boolean {
  return key !== rewriteLabel && nearKeys.has(key.toLowerCase().replaceAll(/[^a-z]/g, ''));
}

/** Why the release does not want new pods of the namespace with these labels; the first thing to do is the remedy. */
export function whyNotOptedIn(release: Release, namespace: NamedNamespace, podLabels: Labels): Remedied {
  const { name, labels = {} } = namespace;
  const label = `kubectl label namespace ${name}`;
  const wanted = optInValue(release);
  if (systemNamespaces.includes(name))
    return {
      code: 'system-namespace',
      sentence: `namespace ${name} belongs to Kubernetes, and is never rewritten`,
      remedy: 'nothing: it is meant so',
    };
  if (name === release.namespace)
    return {
      code: 'release-namespace',
      sentence: `namespace ${name} is that of transship itself`,
      remedy: 'run the pod in another namespace',
    };
  if (podLabels[rewriteLabel] === optOutValue)
    return {
      code: 'opted-out',
      sentence: `the pod has the label ${rewriteLabel}: disabled`,
      remedy: `remove the label from the pod, or from its template`,
    };
  const mistake = labelMistake(release, namespace, label);
  if (mistake !== null) return { ...mistake, sentence: `namespace ${name}: ${mistake.sentence}` };
  const value = labels[rewriteLabel];
  if (isShadowValue(release, podLabels[rewriteLabel] ?? value))
    return {
      code: 'shadow',
      sentence: `the label ${rewriteLabel} has the value of the shadow mode, which needs a webhook: the pod is left alone, and nothing is reported`,
      remedy: `${label} ${rewriteLabel}=${wanted} --overwrite`,
    };
  if (value === optOutValue)
    return {
      code: 'namespace-opted-out',
      sentence: `namespace ${name} has the label ${rewriteLabel}: disabled`,
      remedy: `${label} ${rewriteLabel}=${wanted} --overwrite`,
    };
  if (value === undefined)
    return { code: 'not-opted-in', sentence: `namespace ${name} is not opted in`, remedy: `${label} ${rewriteLabel}=${wanted}` };
  return {
    code: 'excluded-namespace',
    sentence: `namespace ${name} is excluded by the values of the chart`,
    remedy: 'take it out of excludeNamespaces',
  };
}
