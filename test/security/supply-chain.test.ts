/** What is in the bundle, and so in the image and the package: how much, under which licences, and by whose hash. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';

const root = join(import.meta.dirname, '../..');

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly resolved?: string;
}

interface Component {
  readonly 'bom-ref': string;
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses: readonly { readonly license?: { readonly id: string }; readonly expression?: string }[];
}

interface Bom {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
}

const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, Locked> };
const { version: ownVersion, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
  devDependencies: Record<string, string>;
};
const all = Object.entries(lock.packages).filter(([path]) => path !== '');
const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
const fullName = ({ group, name }: Component): string => (group === undefined ? name : `${group}/${name}`);

/** Raised only on purpose: each package is somebody who can change what runs. Two thirds come with the SDKs of the clouds. */
const maxPackages = 185;

/** Licences that ask for no more than to be named, and are compatible with Apache-2.0. */
const allowedLicences = new Set([
  'MIT',
  'Apache-2.0',
  'ISC',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'BlueOak-1.0.0',
  'Unlicense',
  'PSF-2.0',
  'Python-2.0',
  'CC0-1.0',
]);

let bom: Bom;

t.before(async () => {
  const folder = t.testdir();
  // tap loads its coverage by NODE_OPTIONS, which a bundle has no use for.
  const { NODE_OPTIONS: _ours, ...env } = process.env;
  await promisify(execFile)(process.execPath, [join(root, 'tools/bundle/bundle.ts'), folder], { env });
  bom = JSON.parse(readFileSync(join(folder, 'sbom.cdx.json'), 'utf8')) as Bom;
});

t.test('the bundle has a bill of materials in CycloneDX', (tt) => {
  tt.equal(bom.bomFormat, 'CycloneDX');
  tt.match(bom.specVersion, /^1\.\d$/);
  tt.match(bom.metadata.component, { name: 'transship', version: ownVersion, purl: `pkg:npm/transship@${ownVersion}` });
  tt.ok(bom.components.length <= maxPackages, `${bom.components.length} packages`);
  for (const name of ['fastify', 'pino', 'prom-client', '@kubernetes/client-node', '@aws-sdk/client-ecr'])
    tt.ok(
      bom.components.some((component) => fullName(component) === name && component.version === devDependencies[name]),
      name,
    );
  tt.notOk(bom.components.some((component) => ['tap', 'typescript', 'esbuild', 'fast-check'].includes(fullName(component))));
  tt.end();
});

t.test('each package is the one that package-lock.json has, by its hash', (tt) => {
  for (const component of bom.components) {
    const locked = all.filter(([path, { version }]) => nameOf(path) === fullName(component) && version === component.version);
    const hashes = locked.map(([, { integrity = '' }]) => Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex'));
    tt.ok(hashes.includes(component.hashes[0]?.content ?? ''), component['bom-ref']);
  }
  tt.end();
});

t.test('licences', (tt) => {
  for (const component of bom.components)
    for (const { license, expression } of component.licenses) {
      const names = license === undefined ? (expression ?? '').replaceAll(/[()]/g, '').split(/ (?:OR|AND) /) : [license.id];
      tt.ok(
        names.every((name) => allowedLicences.has(name)),
        `${component['bom-ref']}: ${names.join(', ')}`,
      );
    }
  tt.end();
});

t.test('the package has no dependencies: what it needs is bundled', (tt) => {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
  tt.notOk('dependencies' in manifest);
  for (const [name, version] of Object.entries(devDependencies)) tt.match(version, /^\d+\.\d+\.\d+$/, `${name} is pinned`);
  tt.end();
});

t.test('no package needs a script to be installed, so npm ci --ignore-scripts is enough', (tt) => {
  const installs = readFileSync(join(root, 'Dockerfile'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('"npm", "ci"'));
  tt.ok(installs.length > 0);
  for (const line of installs) tt.match(line, '"--ignore-scripts"');
  tt.end();
});

t.test('every package is known by its hash and comes from the registry', (tt) => {
  tt.same(
    all.filter(([, { integrity }]) => integrity?.startsWith('sha512-') !== true).map(([path]) => path),
    [],
  );
  tt.same(
    all.filter(([, { resolved }]) => resolved !== undefined && /^(?:git|file|http:)/.test(resolved)).map(([path]) => path),
    [],
  );
  tt.end();
});
