/** `transship init`: every preset is a policy without a warning, whose tests hold, whatever images it is given. */
import { readFileSync } from 'node:fs';
import * as fc from '../random/fast-check.ts';
import t, { type Test } from 'tap';
import { loadPolicy } from '../../src/config/load.ts';
import { examplePresets, presets } from '../../src/presets/presets.ts';
import { policyText } from '../../src/presets/policy-text.ts';
import { transship } from './terminal.ts';

const init = (...words: string[]) => transship(['init', ...words]);

/** Without a finding. */
function loads(tt: Test, text: string): void {
  const { compiled, findings } = loadPolicy(text, 'policy.yaml');
  tt.strictSame(findings, []);
  tt.not(compiled, null);
  tt.ok((compiled?.policy.tests.length ?? 0) > 0, 'it has tests');
}

t.test('every preset loads without a finding, as it is and filled in', async (tt) => {
  for (const { name, variables } of presets) {
    const plain = await init('--preset', name);
    tt.match(plain, { code: 0, stderr: '' }, name);
    loads(tt, plain.stdout);
    for (const [key, { placeholder }] of Object.entries(variables))
      tt.match(plain.stdout, `# Replace ${placeholder}: `, `${name}: ${key} is named`);
    const set = Object.entries(variables).flatMap(([key]) => [
      '--set',
      `${key}=${key === 'host' ? 'registry.acme.test' : key === 'tenant' ? '11111111-2222-3333-4444-555555555555' : 'acme1'}`,
    ]);
    const filled = await init('--preset', name, ...set, 'nginx:1', 'docker.io/bitnami/redis:7', 'Not/An Image');
    tt.match(filled, { code: 0, stderr: '' }, name);
    loads(tt, filled.stdout);
    tt.notMatch(filled.stdout, '# Replace', name);
  }
});

t.test('whatever the images are, the policy loads and its tests hold', (tt) => {
  const image = fc.oneof(
    fc.constantFrom('nginx', 'quay.io/a/b:1', `ghcr.io/a/b@sha256:${'0a'.repeat(32)}`, 'localhost:5000/x', "a'b", 'a: b', '"', '# no', ''),
    fc.string({ maxLength: 30 }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...presets), fc.array(image, { maxLength: 8 }), (preset, images) => {
      const values = Object.fromEntries(Object.entries(preset.variables).map(([key, { placeholder }]) => [key, placeholder]));
      const { compiled, findings } = loadPolicy(policyText(preset, values, images), 'policy.yaml');
      return compiled !== null && findings.length === 0 && compiled.policy.tests.length > 0;
    }),
    { numRuns: 300 },
  );
  tt.end();
});

t.test('examples are printed as they are', async (tt) => {
  for (const [name, file] of Object.entries(examplePresets)) {
    const { code, stdout } = await init('--preset', name);
    tt.equal(code, 0);
    tt.equal(stdout, readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'), name);
  }
  tt.match(await init('--preset', 'tilt', '--set', 'host=a.b'), { code: 2, stderr: /example with tests of its own/ });
});

t.test('an organization of Quay has a registry and Secrets of its own', async (tt) => {
  const { stdout } = await init('--preset', 'quay', '--set', 'host=quay.acme.test');
  const { compiled } = loadPolicy(stdout, 'policy.yaml');
  tt.match(compiled?.policy.registries['quay-ghcr'], { pullSecrets: ['quay-ghcr-pull'] });
  tt.match(stdout, 'host: quay.acme.test/ghcr\n');
  tt.match(stdout, 'secret: quay-ghcr-account');
  tt.match(
    stdout,
    '{ image: "ghcr.io/fluxcd/source-controller:v1.3.0", becomes: "quay.acme.test/ghcr/fluxcd/source-controller:v1.3.0", rule: github }',
  );
});

t.test('a connector of Nexus is a host with a port, and has no prefix', async (tt) => {
  const { stdout } = await init('--preset', 'nexus-connector', '--set', 'host=nexus.acme.test:8083', 'nginx', 'quay.io/a/b');
  tt.match(stdout, '{ image: "nginx", becomes: "nexus.acme.test:8083/library/nginx", rule: docker-hub }');
  tt.notMatch(stdout, 'prefix');
  tt.match((await init('--preset', 'nexus', '--set', 'host=nexus.acme.test')).stdout, 'nexus.acme.test/kubernetes/pause:3.10');
});

t.test('images of manifests become tests', async (tt) => {
  const folder = tt.testdir({
    'app.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec: { containers: [{ name: a, image: "redis:7" }] }\n',
  });
  const { stdout } = await init('--preset', 'harbor', '-f', `${folder}/app.yaml`);
  tt.match(stdout, '{ image: "redis:7", becomes: "harbor.example.com/docker-hub/library/redis:7", rule: docker-hub }');
  tt.notMatch(stdout, 'nginx');
});

t.test('the list, and what is wrong', async (tt) => {
  const { stdout } = await init('--list');
  for (const { name } of presets) tt.match(stdout, new RegExp(`^${name} `, 'm'));
  tt.match(await init('--preset', 'harbour'), { code: 2, stderr: /there is no preset harbour; did you mean harbor\?/ });
  tt.match(await init(), { code: 2, stderr: /no preset is named; transship init --list/ });
  tt.match(await init('--preset', 'harbor', '--set', 'hots=a.b'), { code: 2, stderr: /preset harbor has no hots; it has host/ });
  tt.match(await init('--preset', 'harbor', '--set', 'host=a b\n- x'), { code: 2, stderr: /is not part of a registry's name/ });
});

t.test('a host that no policy can have was told as a fault of transship', async (tt) => {
  for (const host of ['https://harbor.acme.test', 'harbor..acme'])
    tt.match(await init('--preset', 'harbor', '--set', `host=${host}`), {
      code: 2,
      stdout: '',
      stderr: /^transship init: USAGE: --set host=.*; write it like host=harbor\.example\.com\n$/,
    });
});
