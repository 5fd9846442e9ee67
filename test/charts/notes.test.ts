import { test } from 'tap';

import { chartFolder, helm, release, skipWithoutHelm, type Values } from './chart.ts';
import { exportedPolicy, policyText } from './exported-policy.ts';

/** A client-side dry run is the only way to see NOTES.txt without a cluster. */
async function notes(values: Values): Promise<string> {
  const { code, stdout, stderr } = await helm(
    ['install', release.name, chartFolder, '--namespace', release.namespace, '--dry-run=client'],
    values,
  );
  if (code !== 0) throw new Error(stderr);
  return stdout.slice(stdout.indexOf('NOTES:'));
}

const test1 = { image: 'nginx', becomes: 'm/nginx' };
const empty = /The policy is empty/;
const closed = /failurePolicy is Fail/;

const rows: readonly {
  readonly says: string;
  readonly values: Values;
  readonly has: readonly RegExp[];
  readonly hasNot: readonly RegExp[];
}[] = [
  {
    says: 'the defaults',
    values: {},
    has: [
      /kubectl -n images rollout status deployment\/transship\n/,
      /label namespace NAME transship\.dev\/rewrite=enabled/,
      /--dry-run=server/,
      empty,
    ],
    hasNot: [/helm test/, closed],
  },
  {
    says: 'tests to run',
    values: { rewritePolicy: { inline: { tests: [test1, test1] } } },
    has: [/See 2 images rewritten by the API server, in dry run:\n +helm test transship --namespace images\n/],
    hasNot: [/--dry-run=server/, empty],
  },
  {
    says: 'one test, and a policy elsewhere',
    values: { rewritePolicy: { existingConfigMap: 'p' }, selfTest: { images: [test1] } },
    has: [/See 1 image rewritten/],
    hasNot: [empty],
  },
  {
    says: 'a local registry in a policy that is a text',
    values: { localRegistry: { enabled: true }, rewritePolicy: { inline: 'apiVersion: transship.dev/v1\nkind: RewritePolicy\n' } },
    has: [
      /the node port of Service images\/transship-registry on localhost/,
      /\n  local:\n    hostFrom:\n      service: \{ namespace: "images", name: transship-registry, port: registry, via: localhost \}\n/,
    ],
    hasNot: [],
  },
  {
    says: 'a local registry that the chart adds to the policy',
    values: { localRegistry: { enabled: true, nodePort: 30500 } },
    has: [/nodes pull from localhost:30500\./, /port-forward service\/transship-registry 5000/],
    hasNot: [/Add to its registries/],
  },
  {
    says: 'the strict way',
    values: { optIn: { mode: 'OptOut' }, failurePolicy: 'Fail', tls: { mode: 'certManager' } },
    has: [
      /rewrite=disabled/,
      /no pod can be created/,
      /kubectl delete mutatingwebhookconfiguration transship-cert-manager\n/,
      /\(network, DNS, storage, cert-manager\) in excludeNamespaces/,
    ],
    hasNot: [/rewrite=enabled/],
  },
  {
    says: 'a policy that the chart does not read: auto was off, and nothing said so',
    values: { rewritePolicy: { existingConfigMap: 'p' } },
    has: [
      /credentials \(controller\.features\.secrets\) and hostFrom \(controller\.features\.hosts\) of its registries\s+are not acted on/,
    ],
    hasNot: [],
  },
  {
    says: 'a policy that the chart does not read, and features that say what they do',
    values: { rewritePolicy: { existingConfigMap: 'p' }, controller: { features: { secrets: true, hosts: false } } },
    has: [],
    hasNot: [/acted on/],
  },
  {
    says: 'a mode of TLS that is changing',
    values: { tls: { mode: 'certManager', previousMode: 'controller' } },
    has: [/upgrade once more with an\s+empty tls\.previousMode/],
    hasNot: [],
  },
  {
    says: 'no webhook: the controller writes the policy',
    values: { engine: 'admissionPolicy', failurePolicy: 'Fail' },
    has: [
      /1\. Wait until the controller has written the MutatingAdmissionPolicy transship /,
      /rollout status deployment\/transship-controller\n/,
      /kubectl delete mutatingadmissionpolicybinding transship-namespaces transship-pods\n/,
      /Let a namespace in:\n/,
    ],
    hasNot: [/deployment\/transship\n/, /mutatingwebhookconfiguration/, /"shadow"/],
  },
  {
    says: 'no pod at all',
    values: { engine: 'admissionPolicy', admissionPolicy: { exported: exportedPolicy() }, rewritePolicy: { inline: policyText } },
    has: [/1\. Wait a few seconds: each API server begins to use the MutatingAdmissionPolicy transship/, /helm test transship/],
    hasNot: [/rollout status/],
  },
  {
    says: 'an exported policy with a local registry: to add hostFrom was advised, which the next render refuses',
    values: {
      engine: 'admissionPolicy',
      admissionPolicy: { exported: exportedPolicy() },
      rewritePolicy: { inline: policyText },
      localRegistry: { enabled: true, nodePort: 30500 },
    },
    has: [/Add a registry with\s+host: localhost:30500 to the policy, and export it again\./],
    hasNot: [/hostFrom/],
  },
  {
    says: 'an exported policy in a ConfigMap: controller.features.hosts was advised, which the next render refuses',
    values: {
      engine: 'admissionPolicy',
      admissionPolicy: { exported: exportedPolicy() },
      rewritePolicy: { existingConfigMap: 'p' },
    },
    has: [/credentials \(controller\.features\.secrets\) of its registries\s+is not acted on/],
    hasNot: [/features\.hosts/],
  },
  {
    says: 'both engines',
    values: { engine: 'both', failurePolicy: 'Fail' },
    has: [/deployment\/transship\n.*deployment\/transship-controller\n/, /mutatingadmissionpolicybinding/, /mutatingwebhookconfiguration/],
    hasNot: [/\n {2}1\.[^]*\n {2}1\./],
  },
  {
    says: 'a second release of the cluster',
    values: { optIn: { value: 'blue', shadowValue: 'blue-shadow' } },
    has: [/rewrite=blue\n/, /"blue-shadow"/],
    hasNot: [/rewrite=enabled/],
  },
  {
    says: 'no self-test',
    values: { rewritePolicy: { inline: { tests: [test1] } }, selfTest: { enabled: false } },
    has: [/--dry-run=server/],
    hasNot: [/helm test/],
  },
];

test('the notes say what to do next', { skip: skipWithoutHelm }, async (t) => {
  for (const { says, values, has, hasNot } of rows) {
    const text = await notes(values);
    for (const wanted of has) t.match(text, wanted, says);
    for (const unwanted of hasNot) t.notMatch(text, unwanted, says);
  }
});
