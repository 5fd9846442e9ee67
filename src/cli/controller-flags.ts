/** The flags of `controller`. */
import { features, optInModes } from '../controller/options.ts';
import { optOutValue } from '../pod/labels.ts';
import { keptPolicyFlags } from './admission-policy-flags.ts';
import { duration, listOf, oneOf, portNumber, trueOrFalse, wholeNumber } from './flag-types.ts';
import { alsoVariables, file, host, logLevel, policy } from './flags.ts';
import { labelValue, namespaceName, objectName, serviceName } from './kubernetes-flags.ts';

export const controllerFlags = alsoVariables({
  policy: { ...policy, text: 'the policy file; reloaded when it changes' },
  namespace: {
    type: namespaceName,
    text: 'namespace of the release: source Secrets, the Lease, the ConfigMap of hosts',
    required: 'name the namespace of the release',
  },
  features: {
    type: listOf(oneOf('NAME', features)),
    text: `features to run, comma separated: ${features.join(', ')}`,
    default: 'secrets,hosts',
  },
  'disabled-features': {
    type: listOf(oneOf('NAME', features)),
    text: 'features disabled on purpose: no warning when the policy needs them',
    default: '',
  },
  'policy-config-map': { type: objectName, text: 'ConfigMap that the policy file comes from; events about the policy are recorded on it' },
  deployment: { type: objectName, text: 'Deployment of the webhook; events about the policy are recorded on it as well' },
  'opt-in': {
    type: oneOf('MODE', optInModes),
    text: 'namespaces that get copies: OptIn those of --opt-in-values, OptOut all but those of --opt-out-values',
    default: 'OptIn',
  },
  'opt-in-values': { type: listOf(labelValue), text: 'values of the label transship.dev/rewrite that opt in', default: 'enabled,shadow' },
  'opt-out-values': { type: listOf(labelValue), text: 'values of the label transship.dev/rewrite that opt out', default: optOutValue },
  'exclude-namespaces': { type: listOf(namespaceName), text: 'namespaces that never count as opted in, comma separated', default: '' },
  'pull-secret-retention': {
    type: duration,
    text: 'how long to keep a copy that is no longer wanted; after that, it is kept until no pod references it',
    default: '5m',
  },
  'fallback-dry-run': {
    type: trueOrFalse,
    text: 'whether the feature fallback only tells, in events and metrics, which images it would change',
    default: 'false',
  },
  breaker: {
    type: trueOrFalse,
    text: 'whether the feature fallback writes to the ConfigMap of hosts which registries are unavailable, so that new pods begin elsewhere',
    default: 'true',
  },
  'breaker-pods': { type: wholeNumber('N', 1, 1000), text: 'as many pods that cannot reach a registry make it unavailable', default: '3' },
  'breaker-window': { type: duration, text: 'time within which they fail', default: '2m' },
  'breaker-interval': {
    type: duration,
    text: 'time until new pods try it again; doubled each time that they fail, up to 10m; a longer one stays as it is',
    default: '3m',
  },
  'hosts-config-map': {
    type: objectName,
    text: 'ConfigMap of hosts.yaml: the features hosts and fallback write it; fallback, policies and verify read it',
    default: 'transship-hosts',
  },
  'verify-config-map': { type: objectName, text: 'ConfigMap that the feature verify writes what it found to', default: 'transship-verify' },
  'lease-name': { type: objectName, text: 'Lease that the leader holds', default: 'transship-controller' },
  'lease-seconds': { type: wholeNumber('N', 3, 600), text: 'duration of the Lease; it is renewed four times within it', default: '15' },
  'tls-secret': { type: objectName, text: 'Secret that the webhook mounts its certificate from', default: 'transship-tls' },
  service: { type: serviceName, text: 'Service of the webhook', default: 'transship' },
  'webhook-configuration': { type: objectName, text: 'MutatingWebhookConfiguration that gets the caBundle', default: 'transship' },
  'certificate-lifetime': { type: duration, text: 'lifetime of the serving certificate; renewed at two thirds', default: '90d' },
  'ca-lifetime': { type: duration, text: 'lifetime of the CA that signs it; renewed at two thirds', default: '365d' },
  'bundle-delay': { type: duration, text: 'time until every API server trusts a new caBundle', default: '60s' },
  'reload-delay': { type: duration, text: 'time until every webhook serves a new certificate', default: '150s' },
  ...keptPolicyFlags,
  host: { ...host, text: 'address of /healthz, /readyz and /metrics' },
  port: { type: portNumber, text: 'HTTP port of these, 0 for any', default: '9464' },
  kubeconfig: { type: file, text: "kubeconfig; without it the pod's service account, else $KUBECONFIG or ~/.kube/config" },
  'log-level': logLevel,
});
