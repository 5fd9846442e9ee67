/** `npm run image -- --base FOLDER`: the product's image as an OCI layout, for several platforms, without a container engine. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { programFiles } from '../../src/cli/program-files.ts';
import { findBase, platformOf, textOf } from './base.ts';
import { buildImage } from './build.ts';
import { layerOf } from './layer.ts';
import { Layout } from './layout.ts';
import { runtimeSettings } from './settings.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));

const help = `usage: npm run image -- --base FOLDER [flags]

Builds the image for each platform from the base in FOLDER, an OCI layout with Node.js and nothing else that is needed:

  skopeo copy --multi-arch all docker://docker.io/library/node:26-slim oci:node

  --base FOLDER        OCI layout of the base
  --platform LIST      platforms, separated by commas (linux/amd64,linux/arm64)
  --output FOLDER      where the OCI layout is written; must not exist (dist/image)
  --revision COMMIT    for the label org.opencontainers.image.revision (the commit of this checkout)

SOURCE_DATE_EPOCH is the time of every file, in seconds of Unix time; without it that of the commit. The same sources, base and time
have the same digest.
`;

const git = (...words: string[]): string => execFileSync('git', words, { cwd: project, encoding: 'utf8' }).trim();

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      base: { type: 'string' },
      platform: { type: 'string', default: 'linux/amd64,linux/arm64' },
      output: { type: 'string', default: join(project, 'dist/image') },
      revision: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return void process.stdout.write(help);
  if (values.base === undefined) throw new Error('--base is missing; npm run image -- --help shows how to get one');
  if (existsSync(values.output)) throw new Error(`${values.output} exists; remove it, or name another folder with --output`);
  const created = new Date(Number(process.env['SOURCE_DATE_EPOCH'] ?? git('log', '-1', '--format=%ct')) * 1000);
  if (Number.isNaN(created.getTime())) throw new Error('SOURCE_DATE_EPOCH is no number of seconds');
  const platforms = values.platform.split(',').map(platformOf);
  const revision = values.revision ?? git('rev-parse', 'HEAD');
  const base = new Layout(values.base);
  for (const platform of platforms) findBase(base, platform);
  const work = mkdtempSync(join(tmpdir(), 'transship-image-'));
  try {
    const index = await build({ base, platforms, created, revision, work, output: values.output });
    process.stdout.write(`${index.digest}  ${values.output}  ${platforms.map(textOf).join(', ')}\n`);
  } finally {
    rmSync(work, { recursive: true });
  }
}

interface Request {
  readonly base: Layout;
  readonly platforms: ReturnType<typeof platformOf>[];
  readonly created: Date;
  readonly revision: string;
  /** A folder of its own for the bundle. */
  readonly work: string;
  readonly output: string;
}

async function build({ base, platforms, created, revision, work, output }: Request): Promise<ReturnType<typeof buildImage>> {
  const bundle = join(work, 'bundle');
  execFileSync(process.execPath, [join(project, 'tools/bundle/bundle.ts'), bundle], { cwd: project });
  const files = {
    'app/dist/bundle': bundle,
    ...Object.fromEntries(programFiles.map((path) => [`app/${path}`, join(project, path)])),
  };
  const { version, description, license, repository }: PackageJson = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  return buildImage(
    {
      base,
      platforms,
      layer: await layerOf(files, created),
      settings: runtimeSettings(readFileSync(join(project, 'Dockerfile'), 'utf8')),
      // https://github.com/opencontainers/image-spec/blob/main/annotations.md
      labels: {
        'org.opencontainers.image.title': 'transship',
        'org.opencontainers.image.description': description,
        'org.opencontainers.image.version': version,
        'org.opencontainers.image.revision': revision,
        'org.opencontainers.image.created': created.toISOString(),
        'org.opencontainers.image.licenses': license,
        'org.opencontainers.image.source': repository.url.replace(/^git\+|\.git$/g, ''),
      },
      created,
      sbomFile: join(bundle, 'sbom.cdx.json'),
      tag: version,
    },
    output,
  );
}

interface PackageJson {
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly repository: { readonly url: string };
}

try {
  await main();
} catch (error) {
  process.stderr.write(`image: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
