/** What building each artefact takes. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { create } from 'tar';

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
  /** Of the single-file programs: `linux-x64`. */
  readonly platforms: readonly string[];
}

export function run({ project, time }: Build, program: string, args: readonly string[], cwd = project): string {
  // What tap loads into the processes of its tests is not wanted in a build.
  const { NODE_OPTIONS: _nodeOptions, ...env } = process.env;
  const epoch = String(Math.floor(time.getTime() / 1000));
  return execFileSync(program, [...args], { cwd, encoding: 'utf8', env: { ...env, SOURCE_DATE_EPOCH: epoch }, maxBuffer: 1 << 26 });
}

/** @param folder below the output, or anywhere by its whole path */
export async function archive({ output, time }: Build, folder: string, name: string): Promise<void> {
  const cwd = folder.startsWith('/') ? folder : join(output, folder);
  const files = readdirSync(cwd, { recursive: true, encoding: 'utf8' }).toSorted();
  const options = { cwd, portable: true, noDirRecurse: true, mtime: time, gzip: name.endsWith('gz') };
  await create({ ...options, file: join(output, name) }, files);
}

export function sha256Of(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
