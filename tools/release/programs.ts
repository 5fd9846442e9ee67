/** The single-file programs of a release, and the Krew manifest that names them. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { krewManifest, type ProgramArchive } from './krew.ts';
import { archive, run, sha256Of, type Build } from './steps.ts';

export async function buildPrograms(build: Build): Promise<void> {
  const { project, version, output, platforms } = build;
  const folder = join(output, 'program');
  mkdirSync(folder);
  const staged = mkdtempSync(join(tmpdir(), 'transship-program-'));
  try {
    const flags = platforms.flatMap((platform) => ['--platform', platform]);
    run(build, process.execPath, [join(project, 'tools/executable/executable.ts'), '--output', staged, ...flags]);
    run(build, process.execPath, [join(project, 'tools/bundle/bundle.ts')]);
    const archives: ProgramArchive[] = [];
    for (const platform of platforms) {
      const content = join(staged, platform);
      mkdirSync(content);
      renameSync(join(staged, `transship-${platform}`), join(content, 'transship'));
      cpSync(join(project, 'LICENSE'), join(content, 'LICENSE'));
      cpSync(join(project, 'dist/bundle/LICENSES.txt'), join(content, 'LICENSES.txt'));
      const name = `transship-${version}-${platform}.tgz`;
      await archive(build, content, join('program', name));
      archives.push({ platform, uri: `${homepage(project)}/releases/download/v${version}/${name}`, sha256: sha256Of(join(folder, name)) });
    }
    writeFileSync(join(folder, 'transship.yaml'), krewManifest({ version, homepage: homepage(project), archives }));
  } finally {
    rmSync(staged, { recursive: true });
  }
}

/** Of the repository. */
function homepage(project: string): string {
  const { repository }: { repository: { url: string } } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  return repository.url.replace(/^git\+|\.git$/g, '');
}
