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
  // promtool reads it: test/monitoring/alerts.test.ts.
  ['a configuration of Prometheus', (document) => 'scrape_configs' in document],
];

const manifestKinds: ReadonlySet<string> = new Set(['v1 Pod', 'apps/v1 Deployment']);

export type Kind = 'policy' | 'part of a policy' | 'values' | 'manifest' | 'other' | 'unknown';

const only = (document: object, keys: readonly string[]): boolean =>
  Object.keys(document).length > 0 && Object.keys(document).every((key) => keys.includes(key));

export function kindOf(document: Readonly<Record<string, unknown>>): Kind {
  const kind = `${String(document['apiVersion'])} ${String(document['kind'])}`;
  if (kind === 'transship.dev/v1 RewritePolicy') return 'policy';
  if (manifestKinds.has(kind)) return 'manifest';
  if (others.some(([, is]) => is(document))) return 'other';
  if (only(document, Object.keys(policySchema.shape))) return 'part of a policy';
  if (only(document, Object.keys(chartSchema.properties))) return 'values';
  return 'unknown';
}
