/** Images without a container engine: a docker archive with one layer, made of the files of a folder. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface ImageContent {
  /** Name that the archive carries. */
  readonly name: string;
  /** Folder that becomes the root of the image. */
  readonly root: string;
  readonly entrypoint: readonly string[];
  /** Makes the image another one: the kubelet remembers by image ID with which credentials something was pulled. */
  readonly label: string;
  /** The PATH of its programs. */
  readonly path?: string;
}

const tar = (...args: string[]): void =>
  void execFileSync('tar', ['--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', '--sort=name', ...args]);

/** https://github.com/moby/docker-image-spec/blob/main/spec.md */
export function writeArchive(file: string, { name, root, entrypoint, label, path }: ImageContent): void {
  const work = mkdtempSync(`${file}-`);
  try {
    tar('-C', root, '-cf', join(work, 'layer.tar'), '.');
    const layer = createHash('sha256')
      .update(readFileSync(join(work, 'layer.tar')))
      .digest('hex');
    const runtime = { Entrypoint: entrypoint, Labels: { label }, ...(path !== undefined && { Env: [`PATH=${path}`] }) };
    const config = {
      architecture: 'amd64',
      os: 'linux',
      config: runtime,
      rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
      history: [{ created_by: name }],
    };
    writeFileSync(join(work, 'config.json'), JSON.stringify(config));
    writeFileSync(join(work, 'manifest.json'), JSON.stringify([{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }]));
    tar('-C', work, '-cf', file, 'manifest.json', 'config.json', 'layer.tar');
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const programFolder = fileURLToPath(new URL('../program', import.meta.url));

/** Builds the tests' program into `root`, as /program. */
export function buildProgram(root: string): void {
  mkdirSync(root, { recursive: true });
  const env = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' };
  execFileSync('go', ['build', '-trimpath', '-buildvcs=false', '-ldflags=-s -w', '-o', join(root, 'program'), '.'], {
    cwd: programFolder,
    env,
  });
}

/** Copies a program, and the libraries that it is linked with, to `target` below `root`. */
export function copyWithLibraries(program: string, root: string, target: string): void {
  const listed = execFileSync('ldd', [program], { encoding: 'utf8' });
  const libraries = listed.match(/\/\S+\.so\S*/g) ?? [];
  for (const [from, to] of [[program, target], ...libraries.map((library) => [library, library])]) {
    if (from === undefined || to === undefined) continue;
    mkdirSync(join(root, dirname(to)), { recursive: true });
    copyFileSync(from, join(root, to));
  }
}
