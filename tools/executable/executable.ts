/** `npm run executable`: the command line as one file for machines without Node.js (https://nodejs.org/api/single-executable-applications.html). */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build as bundle } from 'esbuild';
import { programFiles } from '../../src/cli/program-files.ts';
import { bundleOptions, project } from '../bundle/options.ts';
import { nodeBinary, platforms, type Platform } from './node-binary.ts';

const help = `usage: npm run executable [-- flags]

Writes the command line as single files, transship-PLATFORM: Node.js with the bundle in it, which needs nothing on its machine.
Node.js for other platforms than this one comes from the npm registry, and must be what package-lock.json names.

  --platform NAME  one of ${Object.keys(platforms).join(', ')}; may be repeated (all of them)
  --output FOLDER  where they go (dist/executable)
`;

function isPlatform(name: string): name is Platform {
  return Object.hasOwn(platforms, name);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      platform: { type: 'string', multiple: true, default: Object.keys(platforms) },
      output: { type: 'string', default: join(project, 'dist/executable') },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return void process.stdout.write(help);
  const wanted = values.platform.map((name) => {
    if (isPlatform(name)) return name;
    throw new Error(`--platform ${name}: there is ${Object.keys(platforms).join(', ')}`);
  });
  const output = resolve(values.output);
  mkdirSync(output, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), 'transship-executable-'));
  try {
    const script = join(work, 'main.mjs');
    await bundle({ ...bundleOptions, outfile: script });
    for (const platform of wanted) await buildExecutable(platform, { script, work, output });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

interface Folders {
  readonly script: string;
  readonly work: string;
  readonly output: string;
}

async function buildExecutable(platform: Platform, { script, work, output }: Folders): Promise<void> {
  const file = join(output, `transship-${platform}`);
  const configuration = join(work, `${platform}.json`);
  const settings = {
    main: script,
    mainFormat: 'module',
    executable: await nodeBinary(project, platform, work),
    output: file,
    disableExperimentalSEAWarning: true,
    execArgv: ['--disable-warning=ExperimentalWarning'],
    assets: Object.fromEntries(programFiles.map((path) => [path, join(project, path)])),
  };
  writeFileSync(configuration, JSON.stringify(settings));
  // What tap loads into the processes of its tests is not wanted in a build.
  const { NODE_OPTIONS: _nodeOptions, ...env } = process.env;
  execFileSync(process.execPath, ['--build-sea', configuration], { cwd: work, env, stdio: 'pipe' });
  chmodSync(file, 0o755);
  process.stdout.write(`${file}\n`);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`executable: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
