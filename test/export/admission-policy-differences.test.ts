/** Where an exported admission policy differs from the webhook by nature, and how: everything else is equal. */
import tap, { test } from 'tap';
import { skipReason } from '../cluster/binaries.ts';
import { startCluster, type Admission, type Cluster, type Difference } from './equality.ts';

tap.setTimeout(120_000);

const policy = `apiVersion: transship.dev/v1
kind: RewritePolicy
registries: { mirror: { host: mirror.example.com, pullSecrets: [mirror-pull] } }
rules:
${Array.from({ length: 50 }, (_, index) => `  - { name: rule-${index}, match: { images: [quay.io/team-${index}] }, rewrite: { registry: mirror, as: fullName } }`).join('\n')}
  - { name: quay, match: { images: [quay.io] }, rewrite: { registry: mirror, as: path } }
`;
const originalImages = 'transship.dev/original-images';

const recordOf = (pod: unknown): unknown => {
  const { annotations } = pod as { annotations: Record<string, string> };
  return annotations[originalImages] === undefined ? null : JSON.parse(annotations[originalImages]);
};
const specOf = (pod: unknown): unknown => (pod as { spec: unknown }).spec;

const imageOf = (pod: unknown): unknown => (specOf(pod) as { containers: { image: string }[] }).containers[0]?.image;
const many = (length: number, image: string): object[] => Array.from({ length }, (_, index) => ({ name: `c${index}`, image }));
const main = { name: 'main', image: 'quay.io/acme/app:1' };

async function inForce(cluster: Cluster, failurePolicy: 'Ignore' | 'Fail'): Promise<Admission> {
  const admission = await cluster.enforce(policy, { failurePolicy });
  const difference = await admission.created({ metadata: { name: 'web' }, spec: { containers: [main] } });
  if (difference !== null) throw new Error(`not in force: ${JSON.stringify(difference)}`);
  return admission;
}

test('differences', { skip: skipReason({ level: 1 }) }, async (suite) => {
  const cluster = await startCluster(suite);
  const admission = await inForce(cluster, 'Ignore');

  suite.test('a record that is not of transship', async (t) => {
    const annotations = { [originalImages]: '{ "other": "quay.io/acme/other:1" }' };
    const { compiled, engine } = different(
      await admission.created({ metadata: { name: 'web', annotations }, spec: { containers: [main] } }),
    );
    t.strictSame(specOf(compiled), specOf(engine));
    t.strictSame(recordOf(engine), { other: 'quay.io/acme/other:1', main: main.image });
    t.strictSame(recordOf(compiled), { main: main.image });
  });

  suite.test('a record that is too long', async (t) => {
    const containers = many(100, `quay.io/${'a'.repeat(180)}:1`);
    const { compiled, engine } = different(await admission.created({ metadata: { name: 'web' }, spec: { containers } }));
    t.strictSame(specOf(compiled), specOf(engine));
    t.ok(Object.keys(Object(recordOf(engine))).length > 50);
    t.equal(recordOf(compiled), null);
  });

  for (const failurePolicy of ['Ignore', 'Fail'] as const)
    suite.test(`a pod that costs more than the budget of an expression: ${failurePolicy}`, async (t) => {
      const own = failurePolicy === 'Ignore' ? admission : await inForce(cluster, failurePolicy);
      const { compiled, engine } = different(
        await own.created({ metadata: { name: 'web' }, spec: { containers: many(4000, 'quay.io/acme/app:1') } }),
      );
      t.equal(imageOf(engine), 'mirror.example.com/acme/app:1');
      if (failurePolicy === 'Ignore') t.equal(imageOf(compiled), 'quay.io/acme/app:1');
      else t.match(compiled, /cost limit exceeded|exceeds budget|cost budget/);
    });

  suite.test('no warnings', async (t) => {
    const url = `/api/v1/namespaces/${admission.namespace}/pods?dryRun=All`;
    const containers = [{ name: 'main', image: 'quay.io/Acme/app' }];
    const { status, warnings } = await cluster.plane.api.send('POST', url, { metadata: { name: 'web' }, spec: { containers } });
    t.equal(status, 201);
    t.strictSame(warnings, []);
  });
});

function different(difference: Difference | null): Difference {
  if (difference === null) throw new Error('no difference: the guide is out of date');
  return difference;
}
