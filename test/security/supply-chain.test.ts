/** What is installed for production: how much, under which licences, by whose hash, and without a script. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test } from 'tap';

const root = join(import.meta.dirname, '../..');

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly hasInstallScript?: boolean;
}

const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: Record<string, Locked> };
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: Record<string, string> };
const all = Object.entries(lock.packages).filter(([path]) => path !== '');
/** What the image holds: `npm ci --omit=dev --omit=optional`. */
const production = all.filter(([, { dev, optional }]) => dev !== true && optional !== true);
const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);

/** Raised only on purpose: each package is somebody who can change what runs. */
const mostPackages = 150;
const mostDirect = 12;

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

test('the packages of production are counted', (t) => {
  t.ok(production.length <= mostPackages, `${production.length} packages`);
  t.ok(Object.keys(dependencies).length <= mostDirect, `${Object.keys(dependencies).length} of them chosen`);
  for (const [name, version] of Object.entries(dependencies)) t.match(version, /^\d+\.\d+\.\d+$/, `${name} is pinned`);
  t.end();
});

test('no package needs a script to be installed, so npm ci --ignore-scripts is enough', (t) => {
  t.same(
    production.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path),
    [],
  );
  const installs = readFileSync(join(root, 'Dockerfile'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('"npm", "ci"'));
  t.ok(installs.length > 0);
  for (const line of installs) t.match(line, '"--ignore-scripts"');
  t.end();
});

test('every package is known by its hash and comes from the registry', (t) => {
  t.same(
    all.filter(([, { integrity }]) => integrity?.startsWith('sha512-') !== true).map(([path]) => path),
    [],
  );
  t.same(
    all.filter(([, { resolved }]) => resolved !== undefined && /^(?:git|file|http:)/.test(resolved)).map(([path]) => path),
    [],
  );
  t.end();
});

test('licences', (t) => {
  for (const [path, { license = 'none' }] of production) t.ok(allowedLicences.has(license), `${nameOf(path)}: ${license}`);
  t.end();
});

interface Bom {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly components: readonly {
    readonly name: string;
    readonly version: string;
    readonly purl: string;
    readonly licenses?: readonly unknown[];
  }[];
}

test('npm run sbom writes a CycloneDX bill of what production has', async (t) => {
  // tap loads its coverage by NODE_OPTIONS, which the Node of npm may be too old for.
  const { NODE_OPTIONS: _ours, ...env } = process.env;
  const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'sbom'], { cwd: root, env, maxBuffer: 64 * 1024 * 1024 });
  const { bomFormat, specVersion, components } = JSON.parse(stdout) as Bom;
  t.equal(bomFormat, 'CycloneDX');
  t.match(specVersion, /^1\.\d$/);
  const listed = new Set(components.map(({ name, version }) => `${name}@${version}`));
  t.same([...listed].toSorted(), [...new Set(production.map(([path, { version }]) => `${nameOf(path)}@${version}`))].toSorted());
  for (const { name, purl, licenses = [] } of components) t.ok(purl.startsWith('pkg:npm/') && licenses.length > 0, name);
});
