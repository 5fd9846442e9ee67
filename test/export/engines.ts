/**
 * Clusters that decide about pods by different engines, with the same namespaces and the same other mutators: one with the webhook as the chart
 * installs it, one with the compiled policy alone, one with what can be compiled and the webhook.
 */
import { writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { exportAdmissionPolicy, type AdmissionPolicyOptions } from '../../src/export/admission-policy/admission-policy.ts';
import { release, type Values } from '../charts/chart.ts';
import { eventually } from '../charts/installed.ts';
import { running, type CreatedPod, type Running } from '../contract/running.ts';
import { accepted, startSidecarInjector } from '../contract/sidecars.ts';
import { startControlPlane, type ControlPlane, type TestScope } from '../cluster/control-plane.ts';
import { defaults, loaded } from './equality.ts';
import { inForce, probes } from './probed-policy.ts';

/** Who is rewritten, as the chart and the export take it. */
export type EngineScope = Pick<AdmissionPolicyOptions, 'optIn' | 'otherValues' | 'excludedNamespaces' | 'matchConditions' | 'matchImages'> &
  Partial<Pick<AdmissionPolicyOptions, 'failurePolicy'>>;

export interface Engine {
  readonly plane: ControlPlane;
  /** Resolves when pods are decided by the policy, with the scope. */
  enforce(text: string, scope?: EngineScope): Promise<void>;
}

export const everyday: EngineScope = { optIn: 'OptIn', otherValues: [], excludedNamespaces: ['vault'], matchConditions: [] };

/** Labels of the namespaces, by name. */
export const namespaces: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  shop: { 'transship.dev/rewrite': 'enabled' },
  'team-a': { 'transship.dev/rewrite': 'enabled' },
  unlabelled: {},
  shadowed: { 'transship.dev/rewrite': 'shadow' },
  'opted-out': { 'transship.dev/rewrite': 'disabled' },
  'of-another': { 'transship.dev/rewrite': 'blue' },
  vault: { 'transship.dev/rewrite': 'enabled' },
  'with-injector': { 'transship.dev/rewrite': 'enabled', mesh: 'webhook' },
  'with-sidecar': { 'transship.dev/rewrite': 'enabled', mesh: 'sidecar' },
};

export const account = { metadata: { name: 'with-secrets' }, imagePullSecrets: [{ name: 'of-account' }, { name: 'two' }] };

interface EngineOptions {
  readonly minor?: string;
}

export async function webhookEngine(t: TestScope, { minor }: EngineOptions = {}): Promise<Engine> {
  const installed = await running(t, { values: valuesOf(everyday), cluster: clusterOf(minor) });
  await populate(t, installed.plane);
  return {
    plane: installed.plane,
    enforce: async (text, scope = everyday) => {
      await setWebhook(installed, text, scope);
      await inForce(installed.plane, text, { namespace: decidedNamespace(scope), image: probes.compiled });
    },
  };
}

export async function compiledEngine(t: TestScope, { minor }: EngineOptions = {}): Promise<Engine> {
  const plane = await startControlPlane(t, clusterOf(minor));
  await plane.createNamespace(release.namespace);
  await populate(t, plane);
  return {
    plane,
    enforce: async (text, scope = everyday) => {
      await applyCompiled(plane, text, { scope, isPartial: false });
      await inForce(plane, text, { namespace: decidedNamespace(scope), image: probes.compiled });
      await inForce(plane, text, { ...byLabel, image: probes.compiled });
    },
  };
}

export interface PartialEngine extends Engine {
  readonly installed: Running;
}

/** What can be compiled, and the webhook. */
export async function partialEngine(t: TestScope, { minor }: EngineOptions = {}): Promise<PartialEngine> {
  const installed = await running(t, { values: valuesOf(everyday, [notSent]), cluster: clusterOf(minor) });
  const { plane } = installed;
  await populate(t, plane);
  return {
    plane,
    installed,
    enforce: async (text, scope = everyday) => {
      await setWebhook(installed, text, scope, [notSent]);
      await applyCompiled(plane, text, { scope, isPartial: true });
      await inForce(plane, text, { namespace: decidedNamespace(scope), image: probes.compiled, labels: { [unsentLabel]: '' } });
      await inForce(plane, text, { ...byLabel, image: probes.compiled, labels: { ...byLabel.labels, [unsentLabel]: '' } });
      await inForce(plane, text, { namespace: decidedNamespace(scope), image: probes.left });
    },
  };
}

/** In which a change of the scope is seen. */
function decidedNamespace({ optIn }: EngineScope): string {
  return optIn === 'OptIn' ? 'shop' : 'unlabelled';
}

/** A pod that its own label opts in: a policy has another binding for it, which API servers may learn of later. */
const byLabel = { namespace: 'opted-out', labels: { 'transship.dev/rewrite': 'enabled' } } as const;

/** Pods with this label are decided by the compiled policy alone. */
const unsentLabel = 'test.example/unsent';
const notSent = { name: 'not-unsent', expression: `!("${unsentLabel}" in object.metadata.?labels.orValue({}))` };

function clusterOf(minor: string | undefined): { emulatedVersion?: string } {
  return minor === undefined ? {} : { emulatedVersion: minor };
}

function valuesOf({ optIn, otherValues, excludedNamespaces, matchConditions }: EngineScope, more: readonly object[] = []): Values {
  return {
    // Fail, and patiently: a pod that the webhook did not see would say nothing.
    failurePolicy: 'Fail',
    timeoutSeconds: 20,
    optIn: { mode: optIn, otherValues },
    excludeNamespaces: excludedNamespaces,
    matchConditions: [...matchConditions, ...more],
  };
}

const scopes = new WeakMap<Running, EngineScope>();

async function setWebhook(installed: Running, text: string, scope: EngineScope, more: readonly object[] = []): Promise<void> {
  writeFileSync(installed.serving.policyFile, text);
  const values = valuesOf(scope, more);
  // The chart would not take the compiled policy of the same name away from under pods.
  if (isDeepStrictEqual(valuesOf(scopes.get(installed) ?? everyday, more), values)) return;
  await installed.upgrade(values);
  scopes.set(installed, scope);
}

async function populate(t: TestScope, plane: ControlPlane): Promise<void> {
  await startSidecarInjector(t, plane);
  for (const [plural, object] of Object.entries(sidecarPolicy)) await accepted(plane, plural, object);
  for (const [name, labels] of Object.entries(namespaces)) {
    await plane.createNamespace(name, labels);
    await plane.api.send('POST', `/api/v1/namespaces/${name}/serviceaccounts`, account);
  }
  await plane.api.send('POST', '/api/v1/namespaces/kube-system/serviceaccounts', { metadata: { name: 'default' } });
  // Pods of before would differ by the others alone: API servers look for new policies once a second.
  for (const namespace of ['with-injector', 'with-sidecar']) await addsSidecar(plane, namespace);
}

/** Resolves when pods of the namespace get the container of another webhook or policy. */
export async function addsSidecar(plane: ControlPlane, namespace: string): Promise<void> {
  const url = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
  const spec = { containers: [{ name: 'main', image: 'main' }], automountServiceAccountToken: false };
  await eventually(`pods of ${namespace} get a sidecar`, async () => {
    const { body } = await plane.api.send<CreatedPod>('POST', url, { metadata: { name: 'web' }, spec });
    return body.spec?.containers.some(({ name }) => name === 'sidecar') === true;
  });
}

/** Adds a container where it is not there yet. Which of two policies comes first is not defined; reinvocation makes it immaterial. */
const sidecarPolicy = {
  mutatingadmissionpolicies: {
    metadata: { name: 'sidecar' },
    spec: {
      failurePolicy: 'Fail',
      reinvocationPolicy: 'IfNeeded',
      matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }] },
      matchConditions: [{ name: 'not-there-yet', expression: '!object.spec.containers.exists(c, c.name == "sidecar")' }],
      mutations: [
        {
          patchType: 'JSONPatch',
          jsonPatch: { expression: '[JSONPatch{op: "add", path: "/spec/containers/-", value: {"name": "sidecar", "image": "sidecar:1"}}]' },
        },
      ],
    },
  },
  mutatingadmissionpolicybindings: {
    metadata: { name: 'sidecar' },
    spec: { policyName: 'sidecar', matchResources: { namespaceSelector: { matchLabels: { mesh: 'sidecar' } } } },
  },
} as const;

const registration = '/apis/admissionregistration.k8s.io/v1';
const plurals: Readonly<Record<string, string>> = {
  MutatingAdmissionPolicy: 'mutatingadmissionpolicies',
  MutatingAdmissionPolicyBinding: 'mutatingadmissionpolicybindings',
};

interface Compiling {
  readonly scope: EngineScope;
  readonly isPartial: boolean;
}

/** As `kubectl apply --server-side`. */
async function applyCompiled({ api }: ControlPlane, text: string, { scope, isPartial }: Compiling): Promise<void> {
  const excludedNamespaces = [...scope.excludedNamespaces, release.namespace];
  const { files, refusals } = exportAdmissionPolicy(loaded(text), { ...defaults, ...scope, excludedNamespaces, followsHosts: true });
  if (refusals.length > 0 && !isPartial) throw new Error(refusals.map(({ message }) => message).join('\n'));
  for (const document of parseAllDocuments(files[0]?.text ?? '')) {
    const object = document.toJS() as { kind: string; metadata: { name: string } };
    const path = `${registration}/${plurals[object.kind]}/${object.metadata.name}?fieldManager=test&force=true`;
    const { status, body } = await api.send('PATCH', path, object, 'application/apply-patch+yaml');
    if (status >= 300) throw new Error(`the API server refuses the ${object.kind}: ${JSON.stringify(body)}`);
  }
}
