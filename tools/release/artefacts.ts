/** The files of a release, each made by the command that anybody can run by hand. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Layout } from '../image/layout.ts';
import { buildAirgapBundle } from './airgap.ts';
import { withReleaseAnnotations } from './chart-metadata.ts';
import { buildPrograms } from './programs.ts';
import { archive, run, sha256Of, type Build } from './steps.ts';
import { releaseNotes } from './versions.ts';

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
  const imageArchive = `transship-${build.version}-oci.tar`;
  await archive(build, 'image', imageArchive);
  await archive(build, join(build.project, 'plugins/helm-post-renderer'), `transship-post-renderer-${build.version}.tgz`);
  cpSync(join(build.project, 'docs/reference/policy.schema.json'), join(build.output, 'policy.schema.json'));
  await buildSite(build);
  await buildPrograms(build);
  const chart = packageChart(build, image);
  await buildAirgapBundle(build, { image: join(build.output, imageArchive), chart });
  return { image, imageLayout, chart, npmPackage: packNpm(build) };
}

/** The chart names the image by its registry and digest, so that what was tested is what is pulled. */
export function packageChart(build: Build, image: string): string {
  const staged = mkdtempSync(join(tmpdir(), 'transship-chart-'));
  try {
    const chart = join(staged, 'transship');
    cpSync(join(build.project, 'charts/transship'), chart, { recursive: true });
    const values = join(chart, 'values.yaml');
    const text = readFileSync(values, 'utf8');
    const pinned = text
      .replace(/^( {2}registry: )""$/m, `$1${JSON.stringify(build.registry)}`)
      .replace(/^( {2}digest: )""$/m, `$1${JSON.stringify(image)}`);
    const metadata = join(chart, 'Chart.yaml');
    const notes = releaseNotes(readFileSync(join(build.project, 'CHANGELOG.md'), 'utf8'), build.version);
    const released = { image: `${build.registry}/transship@${image}`, version: build.version, notes };
    writeFileSync(metadata, withReleaseAnnotations(readFileSync(metadata, 'utf8'), released));
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

/** Its own folder, `latest` and the list of versions: what is unpacked over the site of the versions before. */
async function buildSite(build: Build): Promise<void> {
  const staged = mkdtempSync(join(tmpdir(), 'transship-site-'));
  try {
    run(build, process.execPath, [join(build.project, 'tools/site/site.ts'), '--version', build.version, '--output', staged]);
    await archive(build, staged, `transship-site-${build.version}.tgz`);
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
  return paths.toSorted().map((file) => ({ file, sha256: sha256Of(join(output, file)) }));
}
