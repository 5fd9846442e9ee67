/** A real API server takes the policies of `export kyverno` by Kyverno's own CustomResourceDefinition, and keeps every field of them. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import tap, { test } from 'tap';
import { parse } from 'yaml';
import { exportKyverno } from '../../src/export/kyverno.ts';
import { locate, skipReason } from '../cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { defaults, loaded } from '../export/equality.ts';
import { examplePolicies } from '../export/policies.ts';
import { largePolicy } from '../export/spellings.ts';
import { notBuilt } from './kyverno.ts';

tap.setTimeout(120_000);

/** Of the module that the engine is built from. */
function definition(): object {
  const cwd = fileURLToPath(new URL('../cluster/tools/kyverno', import.meta.url));
  const printed = execFileSync('go', ['mod', 'download', '-json', 'github.com/kyverno/kyverno'], { cwd, encoding: 'utf8' });
  const { Dir: folder } = JSON.parse(printed) as { Dir: string };
  const file = join(folder, 'config/crds/policies.kyverno.io/policies.kyverno.io_mutatingpolicies.yaml');
  return parse(readFileSync(file, 'utf8')) as object;
}

/** The custom resource is served a moment after its definition is made. */
async function served({ api }: ControlPlane, path: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if ((await api.send('GET', path)).status === 200) return;
    await sleep(100);
  }
  throw new Error(`${path} is not served`);
}

const policies = [...examplePolicies, { name: 'with many rules', text: largePolicy }];

test(
  'policies by the definition of Kyverno',
  { skip: locate('kyverno-mutate') === undefined ? notBuilt : skipReason({ level: 1 }) },
  async (t) => {
    const plane = await startControlPlane(t, { level: 1 });
    const { status } = await plane.api.send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition());
    t.equal(status, 201);
    const path = '/apis/policies.kyverno.io/v1/mutatingpolicies';
    await served(plane, path);
    for (const [index, { name, text }] of policies.entries()) {
      const { files, refusals } = exportKyverno(loaded(text), { ...defaults, name: `policy-${index}`, followsHosts: true });
      t.strictSame(refusals, [], name);
      const policy = parse(files[0]?.text ?? '') as { spec: object };
      const stored = await plane.api.send<{ spec: object; message?: string }>('POST', `${path}?fieldValidation=Strict`, policy);
      t.equal(stored.status, 201, `${name}: ${stored.body.message ?? ''}`);
      // Defaults may be added.
      t.match(stored.body.spec, policy.spec, name);
    }
  },
);
