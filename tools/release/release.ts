/** `npm run release -- --version X --base FOLDER`: one version everywhere, every artefact, checksums, signatures; published only when told. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { platforms } from '../executable/node-binary.ts';
import { Layout } from '../image/layout.ts';
import { buildArtefacts, checksumsOf, type Artefacts } from './artefacts.ts';
import { provenance } from './provenance.ts';
import { publish, publishPlan } from './publish.ts';
import { signerFrom } from './signature.ts';
import { releaseNotes, setVersion, versionedFiles, type Texts } from './versions.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));

const help = `usage: npm run release -- --version X --base FOLDER [flags]

Sets the version in package, chart, plugin and changelog, commits and tags that, and builds everything that a release has: image, chart,
npm package, single-file programs, Krew manifest, post-renderer, documentation site, policy schema, checksums, provenance and release notes. Nothing leaves this machine without --publish.

  --version X          the new version, as 1.2.3
  --base FOLDER        OCI layout of the base image, as for npm run image
  --registry HOST/PATH where the image and the chart are published (ghcr.io/transship-dev)
  --platform NAME      platform of a single-file program, as for npm run executable; may be repeated (all of them)
  --key FILE           private key (PEM, P-256) to sign checksums and provenance with
  --output FOLDER      where the artefacts go (dist/release)
  --publish            push image and chart to --registry and the package to npm, with the credentials of regctl, helm and npm

Needs git, helm and, to publish, regctl. RELEASE.md has the steps around it.
`;

const git = (...words: string[]): string => execFileSync('git', words, { cwd: project, encoding: 'utf8' }).trim();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      version: { type: 'string' },
      base: { type: 'string' },
      registry: { type: 'string', default: 'ghcr.io/transship-dev' },
      platform: { type: 'string', multiple: true, default: Object.keys(platforms) },
      key: { type: 'string' },
      output: { type: 'string', default: join(project, 'dist/release') },
      publish: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const { version, base, registry, platform, key, publish: isPublished } = values;
  if (version === undefined) throw new Error('--version is missing; npm run release -- --help lists the flags');
  if (base === undefined) throw new Error('--base is missing; npm run image -- --help shows how to get one');
  const unknown = platform.find((name) => !Object.hasOwn(platforms, name));
  if (unknown !== undefined) throw new Error(`--platform ${unknown}: there is ${Object.keys(platforms).join(', ')}`);
  const output = resolve(values.output);
  if (existsSync(output)) throw new Error(`${output} exists; remove it, or name another folder with --output`);
  const signer = key === undefined ? null : signerFrom(key);
  if (isPublished && signer === null) throw new Error('--publish needs --key: nothing is published unsigned');
  const changed = git('status', '--porcelain');
  if (changed !== '') throw new Error(`the work tree has changes; commit or stash them:\n${changed}`);

  const revision = commitVersion(version);
  const time = new Date(Number(git('log', '-1', '--format=%ct')) * 1000);
  const artefacts = await buildArtefacts({ project, version, base: resolve(base), output, time, registry, platforms: platform });
  writeFileSync(join(output, 'notes.md'), `${releaseNotes(readFileSync(join(project, 'CHANGELOG.md'), 'utf8'), version)}\n`);
  describe({ version, revision, base, output });
  if (signer !== null) {
    writeFileSync(join(output, 'transship.pub'), signer.publicKey);
    for (const file of ['checksums.txt', 'provenance.json']) signer.signFile(join(output, file));
  }
  finish(artefacts, { version, registry, output, isPublished });
}

/** @returns the commit that has the version */
function commitVersion(version: string): string {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an entry for each of the files
  const before = Object.fromEntries(versionedFiles.map((file) => [file, readFileSync(join(project, file), 'utf8')])) as Texts;
  const after = setVersion(before, version, new Date().toISOString().slice(0, 10));
  if (git('tag', '--list', `v${version}`) !== '') throw new Error(`the tag v${version} exists; a version is released once`);
  for (const file of versionedFiles) writeFileSync(join(project, file), after[file]);
  git('commit', '--quiet', '--message', `Release ${version}`, '--', ...versionedFiles);
  git('tag', `v${version}`);
  return git('rev-parse', 'HEAD');
}

function describe({ version, revision, base, output }: { version: string; revision: string; base: string; output: string }): void {
  const checksums = checksumsOf(output);
  writeFileSync(join(output, 'checksums.txt'), checksums.map(({ file, sha256 }) => `${sha256}  ${file}\n`).join(''));
  const { repository }: { repository: { url: string } } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  const statement = provenance({
    version,
    repository: repository.url.replace(/^git\+|\.git$/g, ''),
    revision,
    baseDigests: new Layout(base).index().manifests.map(({ digest }) => digest),
    subjects: checksums.map(({ file, sha256 }) => ({ name: file, sha256 })),
  });
  writeFileSync(join(output, 'provenance.json'), `${JSON.stringify(statement, null, 2)}\n`);
}

function finish(
  artefacts: Artefacts,
  { version, registry, output, isPublished }: { version: string; registry: string; output: string; isPublished: boolean },
): void {
  process.stdout.write(`built ${output}\nimage ${artefacts.image}\n`);
  const steps = publishPlan(artefacts, { version, registry });
  if (isPublished) publish(steps);
  else process.stdout.write(`\nNothing is published. --publish would run:\n${steps.map((words) => `  ${words.join(' ')}\n`).join('')}`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`release: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
