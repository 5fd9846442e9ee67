/** Export, then import: an equal policy where the format can express it all. */
import assert from 'node:assert/strict';
import * as fc from '../random/fast-check.ts';
import { test } from 'tap';
import { loadPolicy } from '../../src/config/load.ts';
import { exportContainerd } from '../../src/export/containerd.ts';
import { exportCrio } from '../../src/export/crio.ts';
import type { Exported } from '../../src/export/exported.ts';
import { exportK3s } from '../../src/export/k3s.ts';
import { importContainerd } from '../../src/import/containerd.ts';
import { importCrio } from '../../src/import/crio.ts';
import type { Draft } from '../../src/import/draft.ts';
import { importK3s } from '../../src/import/k3s.ts';
import { policyText } from '../../src/import/policy-text.ts';
import type { SourceText } from '../../src/import/source.ts';
import { canonicalText, referenceOf } from '../../src/image/reference.ts';
import type { CompiledPolicy } from '../../src/rules/compile.ts';
import { decideImage } from '../../src/rules/decide.ts';
import { skipWithout } from '../cluster/binaries.ts';
import { images, policies } from '../export/arbitrary-policy.ts';
import { crioReader, k3sReader } from '../export/readers.ts';
import { compiled } from '../rules/policy.ts';

const formats: Readonly<
  Record<string, { export: (policy: CompiledPolicy) => Exported; import: (sources: readonly SourceText[]) => Draft }>
> = {
  containerd: { export: exportContainerd, import: importContainerd },
  k3s: { export: exportK3s, import: importK3s },
  crio: { export: exportCrio, import: importCrio },
};
const pod = { namespace: 'default', podLabels: {} };

/** The name that a pod has afterwards, in its canonical form. */
function pulled({ table }: CompiledPolicy, image: string): string {
  const reference = referenceOf(decideImage(table, image, pod).result ?? image);
  return reference === null ? '' : canonicalText(reference);
}

for (const [name, { export: exported, import: imported }] of Object.entries(formats))
  test(`${name}: export, then import, decides every image alike, and the tests of the policy hold`, (t) => {
    let equal = 0;
    fc.assert(
      fc.property(policies, fc.array(images, { minLength: 10, maxLength: 20 }), (input, texts) => {
        const policy = compiled(input);
        const { files, refusals } = exported(policy);
        if (policy.problems.length > 0 || refusals.length > 0 || files.length === 0) return;
        const text = policyText(imported(files.map(({ path, text: content }) => ({ name: path, path, text: content }))));
        const { compiled: again, findings } = loadPolicy(text, 'policy.yaml');
        assert.ok(again !== null, `${JSON.stringify(findings)}\n${text}`);
        for (const image of texts) assert.equal(pulled(again, image), pulled(policy, image), `${image}\n${text}`);
        equal += 1;
      }),
      { numRuns: 400 },
    );
    t.ok(equal > 50, `${equal} policies`);
    t.end();
  });

/** With every key that the package knows, in its order and layout. */
for (const [name, reader] of Object.entries({ k3s: k3sReader, crio: crioReader }))
  test(
    `${name}: what the runtime's own package prints of a file is imported as the file is`,
    { skip: skipWithout(reader.program) },
    (t) => {
      const format = formats[name];
      if (format === undefined) throw new Error(name);
      const inputs = fc.sample(policies, 300).map((input) => compiled(input));
      const exported = inputs.filter(({ problems }) => problems.length === 0).map((policy) => format.export(policy).files);
      const rules = (text: string): unknown => {
        const { compiled: policy, findings } = loadPolicy(policyText(format.import([{ name: 'file', path: 'file', text }])), 'policy.yaml');
        assert.ok(policy !== null, `${JSON.stringify(findings)}\n${text}`);
        return policy.policy;
      };
      const answers = reader.ask(exported.map((files) => ({ files, images: [] })));
      let equal = 0;
      for (const [index, { printed, error }] of answers.entries()) {
        const text = exported[index]?.[0]?.text ?? '';
        assert.equal(error, '', text);
        assert.deepEqual(rules(printed), rules(text), printed);
        equal += 1;
      }
      t.ok(equal > 100, `${equal} files`);
      t.end();
    },
  );
