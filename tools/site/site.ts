/** `npm run docs`: the documentation as a site of plain files, which any server and a browser without one can show. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { versionPattern } from '../release/versions.ts';
import { installPackages } from './install.ts';
import { versionsOf } from './versions.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));

const help = `usage: npm run docs -- [flags]

Builds docs/ as a site of plain files: a folder for the version, latest, which is a copy of the newest, the list of versions, and an index that
leads to latest. A dead link is an error. The packages that this takes are installed in tools/site at the first run.

  --version X      the version that the pages name, and whose tag their links to the repository lead to (that of package.json)
  --output FOLDER  where the site goes (dist/site); other versions in it stay as they are
`;

/** Leads on without a script too. */
const entrance = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=latest/index.html"><title>transship</title></head>
<body><p><a href="latest/index.html">Documentation of transship</a></p></body>
</html>
`;

function main(): number {
  const { values } = parseArgs({
    options: {
      version: { type: 'string' },
      output: { type: 'string', default: join(project, 'dist/site') },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return (process.stdout.write(help), 0);
  const own: { version: string } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  const version = values.version ?? own.version;
  if (!versionPattern.test(version)) throw new Error(`--version ${version} is no version; write it as 1.2.3 (https://semver.org)`);
  const output = resolve(values.output);
  const folder = join(output, version);

  installPackages();
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const versions = versionsOf(readFileSync(join(project, 'CHANGELOG.md'), 'utf8'), version);
  // Each page loads it, and what pages load is checked.
  writeFileSync(join(output, 'versions.js'), `versions = ${JSON.stringify(versions)};\n`);
  const built = spawnSync(process.execPath, [join(import.meta.dirname, 'build.js'), JSON.stringify({ output: folder, version })], {
    cwd: project,
    env: { ...process.env, NODE_OPTIONS: '' },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  // Eleventy says how long it took on a slow machine.
  const problems = built.stderr.replaceAll(/^\[11ty\] Benchmark.*\n/gm, '').trimEnd();
  if (built.status !== 0) throw new Error(`the site was not built:\n${problems}`);
  const latest = join(output, 'latest');
  if (versions[0] === version) {
    rmSync(latest, { recursive: true, force: true });
    cpSync(folder, latest, { recursive: true });
  }
  writeFileSync(join(output, 'index.html'), entrance);
  process.stdout.write(`${join(output, 'index.html')}\n`);
  return 0;
}

try {
  process.exitCode = main();
} catch (error) {
  process.stderr.write(`docs: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
