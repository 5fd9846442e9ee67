/** The files of a release, each made by the command that anybody can run by hand. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { create } from 'tar';
import { Layout } from '../image/layout.ts';

export interface Build {
  /** The project, at the version of the release. */
  readonly project: string;
  readonly version: string;
  /** OCI layout of the base image. */
  readonly base: string;
  /** Where the artefacts go. */
  readonly output: string;
  /** Of every file. */
  readonly time: Date;
  /** Host and path that the image is published under, as the chart names it. */
  readonly registry: string;
}

export interface Artefacts {
  /** Digest of the image's index. */
  readonly image: string;
  readonly imageLayout: string;
  readonly chart: string;
  readonly npmPackage: string;
}

export async function buildArtefacts(build: Build): Promise<Artefacts> {
  mkdirSync(build.output, { recursive: true });
  const imageLayout = join(build.output, 'image');
  run(build, process.execPath, [join(build.project, 'tools/image/image.ts'), '--base', build.base, '--output', imageLayout]);
  const image = new Layout(imageLayout).index().manifests[0]?.digest;
  if (image === undefined) throw new Error(`${imageLayout} has no image`);
  await archive(build, 'image', `transship-${build.version}-oci.tar`);
  await archive(build, join(build.project, 'plugins/helm-post-renderer'), `transship-post-renderer-${build.version}.tgz`);
  cpSync(join(build.project, 'docs/reference/policy.schema.json'), join(build.output, 'policy.schema.json'));
  return { image, imageLayout, chart: packageChart(build, image), npmPackage: packNpm(build) };
}

function run({ project, time }: Build, program: string, args: readonly string[], cwd = project): string {
  // What tap loads into the processes of its tests is not wanted in a build.
  const { NODE_OPTIONS: _nodeOptions, ...env } = process.env;
  const epoch = String(Math.floor(time.getTime() / 1000));
  return execFileSync(program, [...args], { cwd, encoding: 'utf8', env: { ...env, SOURCE_DATE_EPOCH: epoch }, maxBuffer: 1 << 26 });
}

/** @param folder below the output, or anywhere by its whole path */
async function archive({ output, time }: Build, folder: string, name: string): Promise<void> {
  const cwd = folder.startsWith('/') ? folder : join(output, folder);
  const files = readdirSync(cwd, { recursive: true, encoding: 'utf8' }).toSorted();
  const options = { cwd, portable: true, noDirRecurse: true, mtime: time, gzip: name.endsWith('gz') };
  await create({ ...options, file: join(output, name) }, files);
}

/** The chart names the image by its registry and digest, so that what was tested is what is pulled. */
function packageChart(build: Build, image: string): string {
  const staged = mkdtempSync(join(tmpdir(), 'transship-chart-'));
  try {
    const chart = join(staged, 'transship');
    cpSync(join(build.project, 'charts/transship'), chart, { recursive: true });
    const values = join(chart, 'values.yaml');
    const text = readFileSync(values, 'utf8');
    const pinned = text
      .replace(/^( {2}registry: )""$/m, `$1${JSON.stringify(build.registry)}`)
      .replace(/^( {2}digest: )""$/m, `$1${JSON.stringify(image)}`);
    if (pinned.split(image).length !== 2 || !pinned.includes(build.registry))
      throw new Error('charts/transship/values.yaml has no empty image.registry and image.digest to be filled in');
    writeFileSync(values, pinned);
    const folder = join(build.output, 'chart');
    mkdirSync(folder);
    run(build, 'helm', ['package', chart, '--destination', folder], staged);
    return join(folder, `transship-${build.version}.tgz`);
  } finally {
    rmSync(staged, { recursive: true });
  }
}

function packNpm(build: Build): string {
  const folder = join(build.output, 'npm');
  mkdirSync(folder);
  run(build, process.execPath, [join(build.project, 'tools/bundle/bundle.ts')]);
  // The scripts are this project's own; the bundle is there.
  run(build, 'npm', ['pack', '--ignore-scripts', '--pack-destination', folder]);
  return join(folder, `transship-${build.version}.tgz`);
}

export interface Checksum {
  readonly file: string;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Of every artefact below the folder but the layout, whose blobs are in its archive. */
export function checksumsOf(output: string): Checksum[] {
  const files = readdirSync(output, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => relative(output, join(entry.parentPath, entry.name))).filter((path) => !path.startsWith('image/'));
  return paths.toSorted().map((file) => ({
    file,
    sha256: createHash('sha256')
      .update(readFileSync(join(output, file)))
      .digest('hex'),
  }));
}
