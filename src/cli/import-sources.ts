/** The files that `import` reads: one that is named, or those of a folder that belong to the format. */
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { OperatorError } from '../errors/operator-error.ts';
import { errorCode, unreadableReason } from '../errors/system-error.ts';
import type { SourceText } from '../import/source.ts';
import type { Io } from './command.ts';
import type { ImportFormat } from './import-formats.ts';
import { displayName, readText } from './input.ts';

/** By name. */
export async function sourcesOf(path: string, format: ImportFormat, io: Io): Promise<SourceText[]> {
  if (path === '-' || !(await isFolder(path))) return [{ name: displayName(path), path, text: await readText(path, io) }];
  const found = format.files === 'byHost' ? await hostsFiles(path) : (await filesBelow(path)).filter(matching(format.files));
  const [first, second] = found;
  if (first === undefined) throw new OperatorError('FILE_UNREADABLE', `no file of ${path} is of this format`, 'name another folder');
  if (format.isOneFile && second !== undefined)
    throw new OperatorError('USAGE', `${path} has several files of this format, ${first} and ${second}`, 'name one of them');
  const sources: SourceText[] = [];
  for (const file of found) sources.push({ name: displayName(file), path: relative(path, file), text: await textOf(file, format, io) });
  return sources;
}

const matching = (files: RegExp) => (file: string) => files.test(file);

/** A folder of a host without the file is one whose images come from the host itself. */
async function textOf(file: string, { files }: ImportFormat, io: Io): Promise<string> {
  const isMissing = files === 'byHost' && (await stat(file).catch((error: unknown) => errorCode(error))) === 'ENOENT';
  return isMissing ? '' : readText(file, io);
}

/**
 * As containerd finds them, one in each folder, whatever is a link there: a mounted ConfigMap has links to `..data`, and folders of its own
 * that are named after no host.
 */
async function hostsFiles(path: string): Promise<string[]> {
  const names = (await namesIn(path)).filter((name) => !name.startsWith('.')).toSorted();
  const folders: string[] = [];
  for (const name of names) if (await isFolder(join(path, name))) folders.push(join(path, name));
  const files = folders.map((folder) => join(folder, 'hosts.toml'));
  const present = await Promise.all(files.map(async (file) => (await stat(file).catch(() => null))?.isFile()));
  // Named is perhaps the folder of one host.
  if (!present.includes(true)) return names.includes('hosts.toml') ? [join(path, 'hosts.toml')] : [];
  return files.filter((file, index) => present[index] === true || isHostFolder(file));
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: unknown) => unreadable(folder, error));
}

/** Other folders, such as a backup, are named after no host. */
const isHostFolder = (file: string): boolean => /[.:]|_\d+_$|^localhost$/.test(file.split('/').at(-2) ?? '');

/** Also below links, once each: a mounted ConfigMap has links to its files. */
async function filesBelow(path: string, seen = new Set<string>()): Promise<string[]> {
  const names = (await namesIn(path)).filter((name) => !name.startsWith('..')).toSorted();
  const found: string[] = [];
  for (const name of names) {
    const file = join(path, name);
    const about = await stat(file).catch((error: unknown) => linkProblem(file, error));
    if (about === null) continue;
    const key = `${about.dev}:${about.ino}`;
    if (about.isFile()) found.push(file);
    if (!about.isDirectory() || seen.has(key)) continue;
    seen.add(key);
    found.push(...(await filesBelow(file, seen)));
  }
  return found;
}

/** A link to nothing, or to itself, is no file of the format. */
function linkProblem(file: string, error: unknown): null {
  return ['ENOENT', 'ELOOP'].includes(errorCode(error)) ? null : unreadable(file, error);
}

function unreadable(path: string, error: unknown): never {
  throw new OperatorError('FILE_UNREADABLE', `${displayName(path)} cannot be read: ${unreadableReason(error)}`, undefined, {
    cause: error,
  });
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
