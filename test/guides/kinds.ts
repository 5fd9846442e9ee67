/** What a block of YAML in a guide can be. A block that is none of these fails the test, so none stays unchecked unnoticed. */
import { readFileSync } from 'node:fs';
import { policySchema } from '../../src/config/schema.ts';

/** Values of the chart, from its schema. */
const chartSchema: { readonly properties: Readonly<Record<string, unknown>> } = JSON.parse(
  readFileSync(new URL('../../charts/transship/values.schema.json', import.meta.url), 'utf8'),
);

/** Documents of other programs, by the keys that they have: our code reads none of them. */
const others: readonly (readonly [what: string, is: (document: Readonly<Record<string, unknown>>) => boolean])[] = [
  ['a workflow of GitHub', (document) => 'on' in document && 'jobs' in document],
  // transship export and import write and read these: the commands beside them run.
  ['registries.yaml of K3s', (document) => 'mirrors' in document],
  ['rules of harbor-container-webhook', (document) => JSON.stringify(document['rules'] ?? '').includes('"matches"')],
  ['a policy of Kyverno', (document) => document['apiVersion'] === 'kyverno.io/v1'],
  ['an image set of kube-image-keeper', (document) => document['apiVersion'] === 'kuik.enix.io/v1alpha1'],
  ['a mirror set of OpenShift', (document) => document['apiVersion'] === 'config.openshift.io/v1'],
  // promtool reads it: test/monitoring/alerts.test.ts.
  ['a configuration of Prometheus', (document) => 'scrape_configs' in document],
];

/** Objects of Argo CD and Flux, with where they hold values of the chart: their own CRDs check the rest. */
const gitOpsKinds: Readonly<Record<string, readonly string[] | null>> = {
  'argoproj.io/v1alpha1 Application': ['spec', 'source', 'helm', 'valuesObject'],
  'argoproj.io/v1alpha1 ApplicationSet': ['spec', 'template', 'spec', 'source', 'helm', 'valuesObject'],
  'helm.toolkit.fluxcd.io/v2 HelmRelease': ['spec', 'values'],
  'source.toolkit.fluxcd.io/v1 OCIRepository': null,
  'source.toolkit.fluxcd.io/v1 HelmRepository': null,
  'kustomize.toolkit.fluxcd.io/v1 Kustomization': null,
};

const kindName = (document: Readonly<Record<string, unknown>>): string => `${String(document['apiVersion'])} ${String(document['kind'])}`;

/** The values that an object of Argo CD or Flux installs this chart with, null for any other. */
export function gitOpsValues(document: Readonly<Record<string, unknown>>): Record<string, unknown> | null {
  const path = gitOpsKinds[kindName(document)] ?? null;
  if (path === null) return null;
  const values: unknown = path.reduce((value: unknown, key) => Object(value)[key], document);
  return values === undefined ? null : Object(values);
}

const manifestKinds: ReadonlySet<string> = new Set(['v1 Pod', 'apps/v1 Deployment']);

export type Kind = 'GitOps' | 'policy' | 'part of a policy' | 'values' | 'manifest' | 'other' | 'unknown';

const only = (document: object, keys: readonly string[]): boolean =>
  Object.keys(document).length > 0 && Object.keys(document).every((key) => keys.includes(key));

export function kindOf(document: Readonly<Record<string, unknown>>): Kind {
  const kind = kindName(document);
  if (Object.hasOwn(gitOpsKinds, kind)) return 'GitOps';
  if (kind === 'transship.dev/v1 RewritePolicy') return 'policy';
  if (manifestKinds.has(kind)) return 'manifest';
  if (others.some(([, is]) => is(document))) return 'other';
  if (only(document, Object.keys(policySchema.shape))) return 'part of a policy';
  if (only(document, Object.keys(chartSchema.properties))) return 'values';
  return 'unknown';
}
