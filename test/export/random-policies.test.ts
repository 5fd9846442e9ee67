/** What is exported without a refusal sends every image where the policy sends it. */
import assert from 'node:assert/strict';
import * as fc from '../random/fast-check.ts';
import { test } from 'tap';
import { exportContainerd } from '../../src/export/containerd.ts';
import { exportCrio } from '../../src/export/crio.ts';
import { exportK3s } from '../../src/export/k3s.ts';
import type { Exported } from '../../src/export/exported.ts';
import { canonicalText, referenceOf } from '../../src/image/reference.ts';
import type { CompiledPolicy } from '../../src/rules/compile.ts';
import { decideImage } from '../../src/rules/decide.ts';
import { compiled } from '../rules/policy.ts';
import { containerd, crio, k3s, type Runtime } from './runtimes.ts';
import { images, policies } from './arbitrary-policy.ts';

const formats: Readonly<Record<string, { export: (policy: CompiledPolicy) => Exported; runtime: Runtime }>> = {
  containerd: { export: exportContainerd, runtime: containerd },
  k3s: { export: exportK3s, runtime: k3s },
  crio: { export: exportCrio, runtime: crio },
};
const pod = { namespace: 'default', podLabels: {} };

for (const [name, { export: exported, runtime }] of Object.entries(formats))
  test(`${name}: what is exported without a refusal sends every image where the policy sends it`, (t) => {
    let expressible = 0;
    let moved = 0;
    fc.assert(
      fc.property(policies, fc.array(images, { minLength: 10, maxLength: 20 }), (input, texts) => {
        const policy = compiled(input);
        const { files, refusals } = exported(policy);
        assert.deepEqual(exported(policy), { files, refusals });
        if (policy.problems.length > 0 || refusals.length > 0) return;
        expressible += 1;
        for (const text of texts) {
          const reference = referenceOf(text);
          assert.ok(reference !== null, text);
          const { result, reason } = decideImage(policy.table, text, pod);
          const wanted = referenceOf(result ?? text);
          assert.equal(
            runtime(files, reference),
            canonicalText(wanted ?? reference),
            `${text}: ${reason}\n${files.map((file) => `${file.path}\n${file.text}`).join('\n')}`,
          );
          if (result !== null) moved += 1;
        }
      }),
      { numRuns: 3000 },
    );
    t.comment(`${expressible} policies, ${moved} images moved`);
    t.ok(expressible > 300, `${expressible} policies`);
    t.ok(moved > 500, `${moved} images`);
    t.end();
  });
