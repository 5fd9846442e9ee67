/** The commands that decide the same images say the same of them, whatever the policies and manifests; none of them fails. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from '../random/fast-check.ts';
import { test } from 'tap';
import { loadPolicy } from '../../src/config/load.ts';
import { compiledPolicy } from '../builders/arbitrary-compiled.ts';
import { wildPod } from '../builders/arbitrary-pod.ts';
import type { Json } from '../builders/pod.ts';
import { transship } from './terminal.ts';

/** TRANSSHIP_AGREE_RUNS=1000 tries others (minutes). */
const runs = process.env['TRANSSHIP_AGREE_RUNS'];
const sample = runs === undefined ? { numRuns: 25, seed: 20 } : { numRuns: Number(runs) };

interface Decided {
  readonly image: string;
  readonly outcome: string;
  readonly rule: string | null;
  readonly result: string | null;
  readonly pullSecrets: readonly string[];
  readonly namespace: string;
}

/** Pod pull policies are decided for, but explain does not print them. */
const comparable = ({ image, outcome, result, pullSecrets }: Decided): string => JSON.stringify([image, outcome, result, pullSecrets]);

/** Text of a policy that commands accept: lint refuses some that compile, by the example of an image. */
const policyText = compiledPolicy
  .map(({ input }) => JSON.stringify({ apiVersion: 'transship.dev/v1', kind: 'RewritePolicy', ...input }))
  .filter((text) => loadPolicy(text, 'policy').compiled !== null);

/** A pod in a list has a kind. */
const pods = fc.array(wildPod, { minLength: 1, maxLength: 4 }).map((items) => items.map(withKind));

function withKind(pod: Json): Json {
  return typeof pod === 'object' && pod !== null && !Array.isArray(pod) ? { ...pod, kind: 'Pod' } : pod;
}

const lines = (stdout: string): unknown[] => stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));

async function succeeds(args: readonly string[], codes: readonly number[] = [0]): Promise<string> {
  const { code, stdout, stderr } = await transship(args);
  assert.ok(codes.includes(code), `${args.join(' ')}: ${code}\n${stderr}`);
  return stdout;
}

test('for every policy and manifest', async (t) => {
  const folder = t.testdir();
  const compared = { images: 0, differing: 0 };
  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const agree = fc.asyncProperty(policyText, policyText, pods, async (one, other, items) => {
    const [old, now, manifests, page] = [file('old', one), file('now', other), join(folder, 'pods.json'), join(folder, 'page.html')];
    writeFileSync(manifests, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
    const explained = async (policy: string): Promise<Decided[]> =>
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- documented keys
      lines(await succeeds(['explain', '--policy', policy, '-o', 'json', '-f', manifests])) as Decided[];
    const [before, after] = [await explained(old), await explained(now)];

    const differences = lines(await succeeds(['diff', '--policy', old, '--policy', now, '-o', 'json', '-f', manifests], [0, 1]));
    const said = new Set(
      (differences as { image: string; old: Decided; new: Decided }[]).map(({ image, old: a, new: b }) =>
        [comparable({ ...a, image }), comparable({ ...b, image })].join(' '),
      ),
    );
    const differing = before.flatMap((each, index) => {
      const [a, b] = [comparable(each), comparable(after[index] as Decided)];
      return a === b ? [] : [`${a} ${b}`];
    });
    compared.images += before.length;
    compared.differing += differing.length;
    for (const each of differing) assert.ok(said.has(each), `diff does not say ${each}`);

    const scan = JSON.parse(await succeeds(['scan', '--policy', old, '-o', 'json', '-f', manifests, '--html', page], [0, 1]));
    assert.deepEqual(Object.keys(scan), [
      'pods',
      'images',
      'namespaces',
      'imageManagers',
      'fallbacks',
      'unexamined',
      'customResources',
      'plan',
      'notSeen',
    ]);
    for (const image of scan.images)
      assert.deepEqual(Object.keys(image), ['image', 'registry', 'pods', 'namespaces', 'hasDigest', 'isAnonymousHub', 'moved']);
    const planned = new Set(
      (scan.plan.images as Decided[]).map(({ namespace, image, outcome, result }) => [namespace, image, outcome, result].join(' ')),
    );
    // An image that a pod records is decided by the recorded name.
    const current = items.some((item) => JSON.stringify(item).includes('original-images'))
      ? []
      : before.map(({ namespace, image, outcome, result }) => [namespace, image, outcome, result].join(' '));
    for (const each of current) assert.ok(planned.has(each), `scan does not plan ${each}`);

    for (const command of [
      ['images', '--policy', old],
      ['rewrite', '--policy', old],
      ['init', '--preset', 'harbor'],
    ])
      await succeeds([...command, '-f', manifests], [0, 1]);
    await succeeds(['lint', '-o', 'sarif', old, now], [0, 1]);
  });
  await t.resolves(fc.assert(agree, { ...sample, endOnFailure: true, includeErrorInReport: true }));
  t.comment(JSON.stringify(compared));
  t.ok(compared.images > 20 && compared.differing > 2, 'there was something to compare');
});
