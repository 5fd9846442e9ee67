/** Whether the policy can be used, and what it needs is there. */
import type { V1ValidatingAdmissionPolicy } from '@kubernetes/client-node';
import { meets } from '../../policy/label-selector.ts';
import { firstErrors } from '../policy.ts';
import { hasController, releaseCheck, type Check, type Problem } from './check.ts';
import { controllerDeployment, type Facts, type ReleaseFacts } from './facts.ts';

const policy = releaseCheck('policy', 'the policy loads', ({ loaded, name, namespace, deployment, configuration }) => {
  // That a webhook has no Deployment, another check tells.
  if (configuration !== null && deployment === null) return [];
  if (loaded === null)
    return [
      {
        sentence: `the policy of release ${name} is not in its ConfigMap, or cannot be seen`,
        remedy: `kubectl --namespace ${namespace} get configmaps`,
      },
    ];
  if (loaded.compiled !== null) return [];
  return [
    {
      sentence: `${loaded.source} has errors, so replicas keep the policy before, and new ones do not start: ${firstErrors(loaded)}`,
      remedy: 'correct it; transship lint shows all of them',
    },
  ];
});

/** Told, and no problem: the controller tries them again. */
const registries: Check = {
  ...releaseCheck('registries', 'nodes reach the registries that pods get images of', ({ loaded, namespace }) => {
    const unavailable = [...(loaded?.compiled?.registries.values() ?? [])].filter(({ isUnavailable }) => isUnavailable);
    return unavailable.map(({ name, address }) => ({
      sentence: `nodes do not reach registry ${name} (${address ?? 'no host'}), so new pods begin with the next alternative of their rule`,
      remedy: `kubectl --namespace ${namespace} get events --field-selector reason=TargetUnavailable says since when and why; mend the registry, or the way to it`,
    }));
  }),
  isPast: true,
};

/** Names of the pull secrets that rules may give to a pod, without those that the controller copies: the check `copies` is about these. */
function secretNames({ loaded }: ReleaseFacts): readonly string[] {
  const compiled = loaded?.compiled;
  if (compiled === null || compiled === undefined) return [];
  const ofRegistries = Object.entries(compiled.policy.registries)
    .filter(
      ([, registry]) => registry.namespaces === undefined && registry.namespaceSelector === undefined && registry.credentials === undefined,
    )
    .flatMap(([, { pullSecrets }]) => pullSecrets);
  const copied = new Set(
    Object.values(compiled.policy.registries).flatMap(({ credentials, pullSecrets }) => (credentials === undefined ? [] : pullSecrets)),
  );
  const ofRules = compiled.policy.rules.flatMap(({ pullSecrets }) => pullSecrets).filter((name) => !copied.has(name));
  return [...new Set([...ofRegistries, ...ofRules])];
}

const pullSecrets = releaseCheck('pull-secrets', 'the pull secrets of the policy are in every namespace that is opted in', (release) => {
  const wanted = secretNames(release);
  if (wanted.length === 0) return [];
  if (release.optedIn === null || release.optedIn.some(({ secrets }) => secrets === null)) return null;
  return release.optedIn.flatMap(({ namespace, secrets }) => {
    const missing = wanted.filter((name) => secrets?.has(name) !== true);
    if (missing.length === 0) return [];
    const remedy = `give the registry \`credentials\`, so that the controller copies them, or kubectl create secret docker-registry --namespace ${namespace} ${missing[0]}`;
    return [{ sentence: `namespace ${namespace} has no Secret ${missing.join(', ')}`, remedy }];
  });
});

const imageManagers = releaseCheck('image-managers', 'no operator fights for the images of its pods', ({ loaded, optedIn }) => {
  if (optedIn === null) return null;
  const managers = loaded?.compiled?.imageManagers.filter(({ exclude }) => !exclude) ?? [];
  return optedIn.flatMap(({ namespace, pods }) =>
    managers.flatMap(({ name, requirements }) => {
      const pod = pods?.find(({ metadata }) => meets(requirements, metadata?.labels ?? {}));
      if (pod === undefined) return [];
      return [
        {
          sentence: `the policy rewrites pods of ${name}, which compares their images: ${namespace}/${pod.metadata?.name}`,
          remedy: `leave out \`exclude: false\` of imageManagers ${name}, unless ${name} is known to accept it`,
        },
      ];
    }),
  );
});

const validatingPolicy: Check = {
  id: 'validating-policy',
  title: 'validating policies of transship are whole: bound, and without warnings of types',
  judge: ({ policies, bindings }) => {
    if (policies === null || bindings === null) return null;
    const bound = new Set(bindings.map(({ spec }) => spec?.policyName));
    const present = new Set(policies.map(({ metadata }) => metadata?.name));
    const orphans = bindings.flatMap(({ metadata, spec }) =>
      present.has(spec?.policyName)
        ? []
        : [
            {
              sentence: `ValidatingAdmissionPolicyBinding ${metadata?.name} is for ${spec?.policyName}, which does not exist, so it does nothing`,
              remedy: 'helm upgrade brings it back',
            },
          ],
    );
    return [...orphans, ...unbound(policies, bound), ...policies.flatMap(typeWarnings)];
  },
};

function unbound(policies: readonly V1ValidatingAdmissionPolicy[], bound: ReadonlySet<string | undefined>): Problem[] {
  return policies
    .flatMap(({ metadata }) => (metadata?.name === undefined || bound.has(metadata.name) ? [] : [metadata.name]))
    .map((name) => ({
      sentence: `ValidatingAdmissionPolicy ${name} has no binding, so it does nothing`,
      remedy: 'helm upgrade brings it back',
    }));
}

/** https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#type-checking */
function typeWarnings({ metadata, status }: V1ValidatingAdmissionPolicy): Problem[] {
  const [first] = status?.typeChecking?.expressionWarnings ?? [];
  if (first === undefined) return [];
  const warning = first.warning.split('\n').find((line) => line.trim() !== '') ?? '';
  return [
    {
      sentence: `ValidatingAdmissionPolicy ${metadata?.name} has an expression that cannot be evaluated for every object: ${first.fieldRef}: ${warning}`,
      remedy: `kubectl get validatingadmissionpolicy ${metadata?.name} -o yaml shows all warnings; if the policy was edited, helm upgrade restores it`,
    },
  ];
}

const lease = releaseCheck(
  'controller',
  'the controller holds its Lease',
  (release, facts) => {
    const { lease: found, fullName, namespace, controller } = release;
    if (controller === 'deleted')
      return [
        {
          sentence: `Deployment ${fullName}-controller does not exist, though its ServiceAccount does: what the controller keeps is not kept`,
          remedy: 'helm upgrade brings it back',
        },
      ];
    if (found === null) return null;
    if (found === undefined) return withoutLease(release, facts);
    const { now } = facts;
    const { renewTime, leaseDurationSeconds = 15, holderIdentity } = found.spec ?? {};
    const age = renewTime === undefined ? Number.POSITIVE_INFINITY : (now.getTime() - new Date(renewTime).getTime()) / 1000;
    // Some seconds for clocks that differ.
    if (age < leaseDurationSeconds + 30) return [];
    const sentence = `the controller has not renewed its Lease for ${Number.isFinite(age) ? `${Math.round(age)} s` : 'any time'} (held by ${holderIdentity || 'nobody'}): certificates and pull secrets are not kept`;
    return [{ sentence, remedy: `kubectl --namespace ${namespace} logs deployment/${fullName}-controller` }];
  },
  // Its Lease stays when the last feature is disabled.
  hasController,
);

/** Milliseconds in which a controller that was installed just now takes the Lease. */
const startTime = 60_000;

function withoutLease(release: ReleaseFacts, { workloads, now }: Facts): readonly Problem[] | null {
  if (workloads === null) return null;
  const name = `${release.fullName}-controller`;
  const created = controllerDeployment(release, workloads)?.metadata?.creationTimestamp;
  if (created === undefined || now.getTime() - new Date(created).getTime() < startTime) return [];
  const sentence = `Deployment ${name} has taken no Lease: certificates and pull secrets are not kept`;
  return [{ sentence, remedy: `kubectl --namespace ${release.namespace} logs deployment/${name}` }];
}

const oldestMinor = 31;
const newestMinor = 37;

const version: Check = {
  id: 'kubernetes-version',
  title: 'Kubernetes is a version that transship is tested on',
  isOfCluster: true,
  judge: ({ version: found }) => {
    if (found === null) return null;
    const minor = Number(/^v?1\.(\d+)/.exec(found)?.[1] ?? Number.NaN);
    if (minor >= oldestMinor && minor <= newestMinor) return [];
    return [
      {
        sentence: `Kubernetes ${found} is not one of 1.${oldestMinor} to 1.${newestMinor}`,
        remedy: minor < oldestMinor ? 'upgrade the cluster' : 'look for a newer release of transship',
      },
    ];
  },
};

export const policyChecks: readonly Check[] = [policy, registries, pullSecrets, imageManagers, validatingPolicy, lease, version];
