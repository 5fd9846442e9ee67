/**
 * The flags of the commands: type, default, environment variable and help. Parsing, `--help` and the reference pages are derived from it.
 */
import { logLevels } from '../observe/log-levels.ts';
import { outcomes } from '../policy/outcome.ts';
import { loggedReviewKinds } from '../server/review-log.ts';
import { anyText, keyValue, listOf, oneOf, portNumber, trueOrFalse, wholeNumber } from './flag-types.ts';
import { label, namespaceName } from './kubernetes-flags.ts';
import type { Flag, Flags } from './read-flags.ts';

export const file = anyText('FILE');
const name = anyText('NAME');
const address = anyText('ADDRESS');

export const policy = {
  type: file,
  text: 'the policy file; also TRANSSHIP_POLICY',
  required: 'name a policy file with it, or with TRANSSHIP_POLICY',
  variable: true,
} as const satisfies Flag;

const resolvedHosts = {
  type: file,
  text: 'file of the hosts that the controller resolved: a YAML map of registry to host, or to { unavailable: true }',
  variable: true,
} as const satisfies Flag;

const manifests = {
  type: file,
  text: 'manifests in YAML or JSON, - for standard input; a folder stands for the *.yaml, *.yml and *.json below it',
  short: 'f',
  repeatable: true,
} as const satisfies Flag;

const strict = {
  type: null,
  text: 'exit code 1 when an image was invalid or refused, or something that looks like one was not examined',
} as const satisfies Flag;

export const host = { type: address, text: 'address to listen on', default: '127.0.0.1' } as const satisfies Flag;
export const logLevel = { type: oneOf('LEVEL', logLevels), text: logLevels.join(', '), default: 'info' } as const satisfies Flag;

interface OfServer {
  readonly variable?: true;
  readonly lastHolds?: true;
}

/** Flags of the servers, which can also be configured by environment variables; switches and those that can be repeated cannot. */
export function alsoVariables<const F extends Flags>(flags: F): { readonly [Name in keyof F]: F[Name] & OfServer } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same flags with more members
  return Object.fromEntries(
    Object.entries(flags).map(([key, flag]) => [
      key,
      flag.repeatable || flag.type === null ? flag : { ...flag, variable: true, lastHolds: true },
    ]),
  ) as never;
}

export const serveFlags = alsoVariables({
  policy: {
    ...policy,
    text: 'the policy file; reloaded when it changes',
    required: 'name your policy file with it; `transship try` runs a sample policy',
  },
  'resolved-hosts': resolvedHosts,
  'tls-cert': { type: file, text: 'PEM certificate chain', required: 'name the certificate with it; `transship try` makes one of its own' },
  'tls-key': { type: file, text: 'PEM private key', required: 'name the key of the certificate with it' },
  host,
  port: { type: portNumber, text: 'HTTPS port, 0 for any', default: '8443' },
  'metrics-port': { type: portNumber, text: 'HTTP port of /metrics, 0 for any', default: '9464' },
  'client-ca': { type: file, text: "PEM CA that must have signed the API server's client certificate" },
  namespace: { type: namespaceName, text: 'namespace this runs in; its pods are never rewritten' },
  'log-level': logLevel,
  'log-reviews': { type: oneOf('WHICH', loggedReviewKinds), text: loggedReviewKinds.join(', '), default: 'all' },
  'review-cache': { type: trueOrFalse, text: 'whether repeated reviews are answered from memory', default: 'true' },
  'drain-seconds': { type: wholeNumber('N', 0, 3600), text: 'how long to keep answering after SIGTERM', default: '10' },
  'max-connections': {
    type: wholeNumber('N', 1, 1_000_000),
    text: 'open connections; a new one beyond it closes another',
    default: '1024',
  },
  'max-in-flight': { type: wholeNumber('N', 1, 1_000_000), text: 'reviews at once before 503', default: '512' },
  'max-request-memory': {
    type: wholeNumber('BYTES', 1024 * 1024, 2 ** 40),
    text: "memory of requests before 503; without it a fifth of the container's limit",
  },
});

export const tryFlags = {
  once: { type: null, text: 'exit after the sample review' },
  host,
  port: { type: portNumber, text: 'HTTPS port, 0 for any', default: '8443' },
  'metrics-port': { type: portNumber, text: 'HTTP port of /metrics, 0 for any', default: '9464' },
  // The table is for a person: log lines between its rows would obscure it.
  'log-level': { ...logLevel, default: 'warn' },
} as const satisfies Flags;

export const playFlags = {
  policy: { type: file, text: 'the policy that the page begins with, instead of the sample; also TRANSSHIP_POLICY', variable: true },
  host,
  port: { type: portNumber, text: 'HTTP port, 0 for any', default: '8080' },
} as const satisfies Flags;

export const explainFlags = {
  policy,
  'resolved-hosts': resolvedHosts,
  namespace: { type: namespaceName, text: "namespace of the pod, instead of the manifest's own (default)", short: 'n' },
  file: manifests,
  label: { type: label, text: 'label of the pod, added to those of the manifest', short: 'l', repeatable: true },
  only: { type: listOf(oneOf('OUTCOME', outcomes)), text: 'print images with these outcomes only, comma separated' },
  strict,
  output: { type: oneOf('FORMAT', ['table', 'json']), text: 'table or json', short: 'o', default: 'table' },
} as const satisfies Flags;

export const rewriteFlags = {
  policy,
  'resolved-hosts': resolvedHosts,
  namespace: { type: namespaceName, text: 'namespace of manifests that do not state theirs (default)', short: 'n' },
  file: manifests,
  strict,
  review: { type: null, text: 'read one AdmissionReview in JSON and print the answer' },
} as const satisfies Flags;

export const lintFlags = {
  policy: { type: file, text: 'a policy file, as in the other commands; also TRANSSHIP_POLICY', variable: true },
  'resolved-hosts': resolvedHosts,
  against: { type: file, text: 'the policy in force: only what is new counts, and images that come out differently are noted' },
  output: {
    type: oneOf('FORMAT', ['text', 'json', 'github', 'sarif']),
    text: 'text, json, github (annotations of GitHub Actions) or sarif',
    short: 'o',
    default: 'text',
  },
} as const satisfies Flags;

/** Of the commands that read a cluster. */
const clusterFlags = {
  kubeconfig: { type: file, text: 'kubeconfig; without it $KUBECONFIG or ~/.kube/config' },
  context: { type: name, text: 'context of the kubeconfig, instead of the current one' },
  output: { type: oneOf('FORMAT', ['table', 'json']), text: 'table or json', short: 'o', default: 'table' },
} as const satisfies Flags;

export const diffFlags = {
  policy: { type: file, text: 'a policy file; twice: the one in force, then the new one', repeatable: 'twice' },
  'resolved-hosts': resolvedHosts,
  file: manifests,
  namespace: { type: namespaceName, text: 'namespace of manifests and images that do not state theirs (default)', short: 'n' },
  'all-namespaces': { type: null, text: 'the pods of a cluster, instead of images or manifests', short: 'A' },
  ...clusterFlags,
} as const satisfies Flags;

export const initFlags = {
  preset: { type: name, text: 'what to begin with; --list shows them' },
  list: { type: null, text: 'list the presets and what can be set' },
  set: { type: keyValue, text: "a part of the registry's name, as host=harbor.example.com", repeatable: true },
  file: manifests,
  'all-namespaces': { type: null, text: 'the images of the pods of a cluster', short: 'A' },
  kubeconfig: clusterFlags.kubeconfig,
  context: clusterFlags.context,
} as const satisfies Flags;

export const whyFlags = {
  namespace: { type: namespaceName, text: "namespace of the pod, instead of the context's own", short: 'n' },
  policy: { type: file, text: "a policy file, instead of the one that the cluster's release has; also TRANSSHIP_POLICY", variable: true },
  ...clusterFlags,
} as const satisfies Flags;

export const scanFlags = {
  policy: { type: file, text: 'a policy file, to see what it would change; also TRANSSHIP_POLICY', variable: true },
  'resolved-hosts': resolvedHosts,
  file: manifests,
  namespace: {
    type: namespaceName,
    text: "only this namespace, instead of the context's own; with -f, that of manifests without one",
    short: 'n',
  },
  'all-namespaces': { type: null, text: 'every namespace', short: 'A' },
  'no-custom-resources': { type: null, text: 'do not look for images in custom resources: one request for each kind and 50 objects' },
  html: { type: file, text: 'also write the report as a page to this file' },
  ...clusterFlags,
} as const satisfies Flags;

export const doctorFlags = {
  'no-probe': { type: null, text: 'do not create a pod in dry run to see that the API server reaches the webhook' },
  ...clusterFlags,
} as const satisfies Flags;

export const imagesFlags = {
  policy,
  'resolved-hosts': resolvedHosts,
  namespace: {
    type: namespaceName,
    text: 'namespace of manifests that do not state theirs, and of images named alone (default)',
    short: 'n',
  },
  file: manifests,
  strict,
  output: {
    type: oneOf('FORMAT', ['text', 'json', 'regctl', 'crane', 'skopeo']),
    text: 'text, json, regctl, crane or skopeo',
    short: 'o',
    default: 'text',
  },
} as const satisfies Flags;

/** Of `export`, and of the controller that keeps what is exported. */
export const partial = { type: null, text: 'export what the format can express, and name what is left out' } as const satisfies Flag;

/** Of every format; those of one format alone are beside it in export-formats.ts. */
export const exportFlags = {
  policy,
  'resolved-hosts': resolvedHosts,
  'output-dir': { type: anyText('DIR'), text: 'write the files below this folder, instead of one text to standard output' },
  check: { type: file, text: 'compare with this file, or with the files of this folder, and write nothing' },
  partial,
} as const satisfies Flags;
