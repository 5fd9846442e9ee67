/** No key of a policy is left out of an export without a word: each is in its files, or refused with its place. */
import { test } from 'tap';
import { exportAdmissionPolicy } from '../../src/export/admission-policy/admission-policy.ts';
import { exportContainerd } from '../../src/export/containerd.ts';
import { exportCrio } from '../../src/export/crio.ts';
import type { Exported } from '../../src/export/exported.ts';
import { exportK3s } from '../../src/export/k3s.ts';
import { exportKyverno } from '../../src/export/kyverno.ts';
import type { CompiledPolicy } from '../../src/rules/compile.ts';
import type { PolicyInput } from '../rules/policy.ts';
import { defaults, loaded, patchedByEngine } from './equality.ts';
import type { Row } from './field-row.ts';
import { fieldRows } from './field-rows.ts';
import { policyText } from './policy-texts.ts';
import { schemaLeaves } from './schema-leaves.ts';
import { transformRows } from './transform-rows.ts';

type Format = (policy: CompiledPolicy) => Exported;
const admission: Readonly<Record<string, Format>> = {
  'admission-policy': (policy) => exportAdmissionPolicy(policy, defaults),
  kyverno: (policy) => exportKyverno(policy, defaults),
};
const nodes: Readonly<Record<string, Format>> = { containerd: exportContainerd, k3s: exportK3s, crio: exportCrio };

/** Of one revision, so that files and records differ by what they say alone. */
function compiledOf(input: PolicyInput, { isUnavailable }: Row): CompiledPolicy {
  const hosts = isUnavailable ? 'mirror: { unavailable: true }\n' : '';
  return { ...loaded(policyText(input), hosts), revision: 'r' };
}

const images = ['nginx', 'index.docker.io/nginx:1', 'quay.io/acme/app:1', 'ghcr.io/a/b'];
const pullPolicies = [undefined, 'Always', 'Never'];
const pods = ['shop', 'team-a'].flatMap((namespace) =>
  [{}, { 'velero.io/pod-volume-backup': 'x' }, { app: 'shop' }, { a: 'b' }, { app: 'shop', a: 'b' }, { app: 'shop', a: 'c' }].map(
    (labels) => ({ namespace, labels }),
  ),
);

/** What the engine makes of new pods, of a new image in a pod, and of a debug container. */
function decisions(policy: CompiledPolicy): unknown {
  return pods.flatMap(({ namespace, labels }) => {
    const podOf = (spec: object): object => ({ metadata: { name: 'web', labels }, spec });
    const containers = images.flatMap((image) =>
      pullPolicies.map((imagePullPolicy) =>
        Object.assign({ name: `c-${image}-${imagePullPolicy}`, image }, imagePullPolicy !== undefined && { imagePullPolicy }),
      ),
    );
    const oldObject = podOf({ containers: containers.map(({ name }) => ({ name, image: 'before' })) });
    return [
      patchedByEngine(policy, { operation: 'CREATE', namespace, object: podOf({ containers }) }),
      patchedByEngine(policy, { operation: 'UPDATE', namespace, object: podOf({ containers }), oldObject }),
      patchedByEngine(policy, {
        operation: 'UPDATE',
        subResource: 'ephemeralcontainers',
        namespace,
        object: podOf({ ephemeralContainers: containers }),
        oldObject,
      }),
    ];
  });
}

const placesOf = ({ refusals }: Exported): string[] => refusals.map(({ path }) => path.join('.'));

const rows = [...fieldRows, ...transformRows];

for (const row of rows)
  test(row.keys.join(', '), (t) => {
    const [policy, without] = [compiledOf(row.with, row), compiledOf(row.without, row)];
    // Otherwise the row would show nothing, or a key would be of importance that it calls of none.
    if (row.admission === 'said') t.notSame(decisions(policy), decisions(without), 'the webhook decides otherwise');
    if (row.admission === 'nothing') t.strictSame(decisions(policy), decisions(without), 'the webhook decides the same');
    for (const [formats, meaning, at] of [
      [admission, row.admission, row.at],
      [nodes, row.node, row.nodeAt ?? row.at],
    ] as const)
      for (const [name, format] of Object.entries(formats)) {
        const [exported, before] = [format(policy), format(without)];
        if (meaning === 'refused') {
          t.ok(
            placesOf(exported).some((place) => place === at || place.startsWith(`${at}.`)),
            `${name}: ${placesOf(exported).join(', ')} has ${at}`,
          );
          continue;
        }
        t.strictSame(placesOf(exported), placesOf(before), `${name}: refuses nothing more`);
        if (meaning === 'said') t.notSame(exported.files, before.files, `${name}: other files`);
        else t.strictSame(exported.files, before.files, `${name}: the same files`);
      }
    t.end();
  });

test('a new key of the policy has a row that says what the exports make of it', (t) => {
  const known = rows.flatMap(({ keys }) => keys);
  t.strictSame(
    schemaLeaves().filter((leaf) => !known.includes(leaf)),
    [],
    'without a row',
  );
  t.strictSame(
    known.filter((leaf) => !schemaLeaves().includes(leaf)),
    [],
    'no key of the policy',
  );
  t.end();
});
