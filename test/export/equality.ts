/**
 * Whether a compiled policy makes of pods what the engine makes of them: pods go through a real API server whose only admission of ours is the
 * MutatingAdmissionPolicy, and the engine patches the same pods as the API server admits them without it.
 */
import { isDeepStrictEqual } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import jsonPatch from 'fast-json-patch';
import { parseAllDocuments } from 'yaml';
import { admit, decisionLabels } from '../../src/admission/admit.ts';
import { readReview, reviewFields } from '../../src/admission/review.ts';
import { loadPolicy } from '../../src/config/load.ts';
import { parseResolvedHosts } from '../../src/config/resolved-hosts.ts';
import { revisionOf } from '../../src/config/revision.ts';
import { exportAdmissionPolicy, type AdmissionPolicyOptions } from '../../src/export/admission-policy/admission-policy.ts';
import type { CompiledPolicy } from '../../src/rules/compile.ts';
import { startControlPlane, type ControlPlane, type ControlPlaneOptions, type TestScope } from '../cluster/control-plane.ts';

export interface PodBody {
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly spec: Readonly<Record<string, unknown>>;
}
interface AdmittedPod {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
  readonly message?: string;
}

export interface Difference {
  readonly pod: unknown;
  /** What the compiled policy makes of it, or the API server's sentence where it refuses the pod. */
  readonly compiled: unknown;
  readonly engine: unknown;
}

export interface Admission {
  readonly policy: CompiledPolicy;
  readonly namespace: string;
  /** Pods that are created; null for those that come out the same. */
  created(pod: PodBody): Promise<Difference | null>;
  /** An update of a stored pod. @param change makes the new pod of the stored one */
  updated(stored: AdmittedPod, change: (pod: AdmittedPod) => AdmittedPod): Promise<Difference | null>;
  /** New ephemeral containers of a stored pod. */
  debugged(stored: AdmittedPod, containers: readonly object[]): Promise<Difference | null>;
  /** Whether it is valid without any policy. */
  isAccepted(pod: PodBody): Promise<boolean>;
  /** Stored, with the compiled policy unless its label says otherwise. */
  store(pod: PodBody): Promise<AdmittedPod>;
  /** How many of the pods so far the engine changed: that a test is not about nothing. */
  changes(): number;
}

export interface Cluster {
  readonly plane: ControlPlane;
  /** @throws with the API server's sentence where it refuses the compiled policy */
  enforce(text: string, options?: EnforceOptions): Promise<Admission>;
}

export interface EnforceOptions extends Partial<AdmissionPolicyOptions> {
  /** Of the namespace, for rules that ask for it. */
  readonly namespace?: string;
  /** Export what can be expressed. */
  readonly partial?: boolean;
  /** Text of the file of resolved hosts. */
  readonly hosts?: string;
}

const registration = '/apis/admissionregistration.k8s.io/v1';
export const plain = 'without-policy';

export async function startCluster(t: TestScope, options: ControlPlaneOptions = {}): Promise<Cluster> {
  const plane = await startControlPlane(t, options);
  await plane.createNamespace(plain);
  let count = 0;
  return {
    plane,
    enforce: async (text, { namespace, partial = false, hosts = '', ...given } = {}) => {
      count += 1;
      const name = `policy-${count}`;
      const compiled = loaded(text, hosts);
      const scope = { ...defaults, name, optInValue: name, ...given };
      const { files, refusals } = exportAdmissionPolicy(compiled, scope);
      if (refusals.length > 0 && !partial) throw new Error(refusals.map(({ message }) => message).join('\n'));
      await applyAll(plane, files[0]?.text ?? '');
      const own = namespace ?? `pods-${count}`;
      await plane.createNamespace(own, { 'transship.dev/rewrite': scope.optInValue });
      return admission(plane, compiled, own);
    },
  };
}

export function loaded(text: string, hosts = ''): CompiledPolicy {
  const { compiled, findings } = loadPolicy(text, 'policy.yaml', parseResolvedHosts(hosts, 'hosts.yaml').hosts);
  if (compiled === null) throw new Error(findings.map(({ message }) => message).join('\n'));
  return { ...compiled, revision: revisionOf(text, hosts) };
}

/** Fail, so that an expression that fails is seen. */
export const defaults: AdmissionPolicyOptions = {
  name: 'transship',
  failurePolicy: 'Fail',
  optIn: 'OptIn',
  optInValue: 'enabled',
  shadowValue: 'shadow',
  otherValues: [],
  excludedNamespaces: [],
  matchConditions: [],
};

export async function applyAll({ api }: ControlPlane, text: string): Promise<void> {
  for (const document of parseAllDocuments(text)) {
    const object = document.toJS() as { kind: string };
    const plural = object.kind === 'MutatingAdmissionPolicy' ? 'mutatingadmissionpolicies' : 'mutatingadmissionpolicybindings';
    const { status, body } = await api.send('POST', `${registration}/${plural}`, object);
    if (status !== 201) throw new Error(`the API server refuses the ${object.kind}: ${String(body['message'])}`);
  }
}

/** The object of an AdmissionRequest as the engine patches it; the same object where it has nothing to change. */
export function patchedByEngine<Pod extends object>(
  policy: CompiledPolicy,
  request: { readonly object: Pod } & Readonly<Record<string, unknown>>,
): Pod {
  const document = {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { uid: '1', resource: { group: '', resource: 'pods' }, ...request },
  };
  const read = readReview(document, reviewFields(decisionLabels(policy)));
  if (!read.ok) throw new Error(read.problem);
  const { operations } = admit(read.review, policy, { releaseNamespace: null }, 'enforce');
  if (operations.length === 0) return request.object;
  return jsonPatch.applyPatch(structuredClone(request.object), structuredClone(operations) as jsonPatch.Operation[]).newDocument;
}

const path = (of: string): string => `/api/v1/namespaces/${of}/pods`;

/** @param namespace where the policy is in force; the namespace `plain` has none */
export function admission({ api }: ControlPlane, policy: CompiledPolicy, namespace: string): Admission {
  let changes = 0;
  let isEnforced = false;

  const send = async (method: string, url: string, pod: unknown): Promise<AdmittedPod | string> => {
    const { status, body } = await api.send<AdmittedPod>(method, url, pod);
    return status < 300 ? body : `${status} ${body.message}`;
  };
  const createIn = (of: string, { metadata = {}, spec }: PodBody) =>
    send('POST', `${path(of)}?dryRun=All`, { metadata, spec: { ...withoutToken, ...spec } });

  const engine = (object: AdmittedPod, request: object): AdmittedPod => {
    const patched = patchedByEngine(policy, { namespace, object, ...request });
    if (patched !== object) changes += 1;
    return patched;
  };

  const compare = async (pod: unknown, expected: unknown, attempt: () => Promise<unknown>): Promise<Difference | null> => {
    // The API server learns of a policy by a watch, a moment after it is made.
    const deadline = performance.now() + (isEnforced ? 0 : 30_000);
    for (;;) {
      const compiled = await attempt();
      if (isDeepStrictEqual(compiled, expected)) {
        isEnforced ||= changes > 0;
        return null;
      }
      if (performance.now() >= deadline) return { pod, compiled, engine: expected };
      await sleep(100);
    }
  };

  return {
    policy,
    namespace,
    changes: () => changes,
    created: async (pod) => {
      const before = await createIn(plain, pod);
      // A pod that is refused without any policy says nothing.
      if (typeof before === 'string') return null;
      const patched = engine(before, { operation: 'CREATE' });
      // Defaults of what the patch removed.
      const expected = await createIn(plain, { metadata: settable(patched.metadata), spec: patched.spec });
      // Records that were too long used to be refused alike.
      if (typeof expected === 'string') return { pod, compiled: null, engine: expected };
      return compare(pod, whole(expected), async () => whole(await createIn(namespace, pod)));
    },
    isAccepted: async (pod) => typeof (await createIn(plain, pod)) !== 'string',
    store: async (pod) => {
      const stored = await send('POST', path(namespace), { ...pod, spec: { ...withoutToken, ...pod.spec } });
      if (typeof stored === 'string') throw new Error(stored);
      return stored;
    },
    updated: (stored, change) => {
      const object = change(structuredClone(stored));
      const expected = engine(object, { operation: 'UPDATE', oldObject: stored });
      const url = `${path(namespace)}/${stored.metadata.name}?dryRun=All`;
      return compare(object, whole(expected), async () => whole(await send('PUT', url, object)));
    },
    debugged: (stored, containers) => {
      const ephemeralContainers = [...((stored.spec['ephemeralContainers'] ?? []) as object[]), ...containers];
      const object = { ...stored, spec: { ...stored.spec, ephemeralContainers } };
      const expected = engine(object, { operation: 'UPDATE', subResource: 'ephemeralcontainers', oldObject: stored });
      const url = `${path(namespace)}/${stored.metadata.name}/ephemeralcontainers?dryRun=All`;
      return compare(object, debugImages(expected), async () => debugImages(await send('PUT', url, object)));
    },
  };
}

/** Its volume has another name each time. */
const withoutToken = { automountServiceAccountToken: false };

function settable({ name, labels, annotations }: AdmittedPod['metadata']): Record<string, unknown> {
  return { name, labels, annotations };
}

function whole(pod: AdmittedPod | string): unknown {
  return typeof pod === 'string' ? pod : { annotations: pod.metadata.annotations ?? {}, spec: pod.spec };
}

function debugImages(pod: AdmittedPod | string): unknown {
  if (typeof pod === 'string') return pod;
  const containers = (pod.spec['ephemeralContainers'] ?? []) as { image: string }[];
  return { annotations: pod.metadata.annotations ?? {}, images: containers.map(({ image }) => image) };
}
