import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'tap';
import { formatFinding } from '../../src/errors/finding.ts';
import { loadPolicy } from '../../src/config/load.ts';

const folder = new URL('../../examples/', import.meta.url);
const names = readdirSync(folder).filter(
  (name) => name.endsWith('.yaml') && readFileSync(new URL(name, folder), 'utf8').includes('kind: RewritePolicy'),
);

/** Of the systems that transship replaces, and the one that it starts with. */
const expected = [
  'devspace.yaml',
  'devtron-airgap.yaml',
  'devtron.yaml',
  'ekco.yaml',
  'gitpod-drop-image-repo.yaml',
  'gitpod.yaml',
  'replicated-registry.yaml',
  'replicated.yaml',
  'sample.yaml',
  'tilt-default-registry.yaml',
  'tilt-single-name.yaml',
];

const spellings = ['nginx', 'library/nginx', 'docker.io/nginx', 'index.docker.io/library/nginx'];

test('every system has its example', (t) => {
  for (const name of expected) t.ok(names.includes(name), name);
  t.end();
});

for (const name of names) {
  test(`examples/${name}`, (t) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    const { compiled, findings } = loadPolicy(text, name);
    t.strictSame(findings.map(formatFinding), [], 'neither errors nor warnings, so its own tests pass');
    const [first, , third] = text.split('\n', 3);
    t.equal(first, '# yaml-language-server: $schema=../docs/reference/policy.schema.json', 'editors find the schema');
    t.match(third, /^# \S/, 'it says what it is');
    const tests = compiled?.policy.tests ?? [];
    const images = tests.map(({ image }) => image);
    t.ok(new Set(images).size >= 10, `${images.length} images`);
    for (const spelling of spellings) t.ok(images.includes(spelling), spelling);
    t.ok(
      images.some((image) => /:\d+\//.test(image)),
      'a port',
    );
    t.ok(
      images.some((image) => /^[^:]+@sha256:/.test(image)),
      'a digest alone',
    );
    t.ok(
      images.some((image) => /\/[^/]*:[^/@]+@sha256:|^[^/]*:[^/@]+@sha256:/.test(image)),
      'a tag and a digest',
    );
    t.ok(
      tests.some(({ outcome }) => outcome === 'already-there'),
      'an image that is there already',
    );
    t.end();
  });
}

test('the policy of the guide', (t) => {
  const guide = readFileSync(new URL('../../docs/guides/policy.md', import.meta.url), 'utf8');
  const [, text = ''] = /```yaml\n(.*?)```/s.exec(guide) ?? [];
  t.match(text, 'kind: RewritePolicy');
  t.strictSame(loadPolicy(text, 'policy.md').findings.map(formatFinding), []);
  t.end();
});
