/**
 * The files that come with the program: beside it, or inside a single executable application
 * (https://nodejs.org/api/single-executable-applications.html#assets).
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { getAsset, isSea } from 'node:sea';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Paths below the project, as the npm package has them. `npm run executable` takes them in. */
export const programFiles = [
  'package.json',
  'examples/sample.yaml',
  'examples/admission-review.json',
  'examples/replicated.yaml',
  'examples/tilt-default-registry.yaml',
  'examples/devspace.yaml',
  'examples/gitpod.yaml',
  'examples/devtron.yaml',
] as const;
type ProgramFile = (typeof programFiles)[number];

export function programFile(path: ProgramFile): string {
  return isSea() ? getAsset(path, 'utf8') : readFileSync(pathBeside(path), 'utf8');
}

/** A path for what reads and watches files. A single executable writes a copy, which is removed when the process ends. */
export function programFilePath(path: ProgramFile): string {
  return isSea() ? copyOf(path) : pathBeside(path);
}

function pathBeside(path: ProgramFile): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

let copies: string | undefined;

function copyOf(path: ProgramFile): string {
  const folder = (copies ??= temporaryFolder());
  const copy = join(folder, path);
  mkdirSync(dirname(copy), { recursive: true });
  writeFileSync(copy, programFile(path));
  return copy;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'transship-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
