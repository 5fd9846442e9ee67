/** Exported files: as one text, written to a folder, or compared with what is there. */
import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { OperatorError } from '../errors/operator-error.ts';
import { errorCode, unreadableReason } from '../errors/system-error.ts';
import { isOwnFile, type ExportedFile } from '../export/exported.ts';
import { joined, printed, type Printable } from '../text/printable.ts';

/** One file is its text; several are told apart by a line with the path of each. */
export function textOf(files: readonly ExportedFile[]): string {
  const [only, more] = files;
  if (only !== undefined && more === undefined) return only.text;
  return files.map(({ path, text }) => `# --- ${path}\n${text}`).join('\n');
}

/** @returns what was done, for people */
export async function writeFiles(files: readonly ExportedFile[], folder: string): Promise<Printable> {
  for (const { path } of files) {
    const current = await readIfThere(join(folder, path));
    if (current !== null && !isOwnFile(current))
      throw new OperatorError('USAGE', `${join(folder, path)} was not written by transship export`, 'move it away, or name another folder');
  }
  for (const { path, text } of files) {
    const whole = join(folder, path);
    await orUnwritable(whole, async () => {
      await makeFolder(dirname(whole));
      await writeFile(whole, text);
    });
  }
  const left = await outdatedFiles(files, folder);
  const notes = left.map((path) => printed`${join(folder, path)} is not exported any more; remove it\n`);
  return joined([printed`${files.length} ${files.length === 1 ? 'file' : 'files'} written to ${folder}\n`, ...notes]);
}

/** With `recursive`, Node's `mkdir` does not end below /proc, where the parent is there and takes nothing. */
async function makeFolder(path: string): Promise<void> {
  const made = await mkdir(path).catch((error: unknown) => errorCode(error));
  if (made === undefined || made === 'EEXIST') return;
  if (made === 'ENOENT') await makeFolder(dirname(path));
  await mkdir(path);
}

/** A line for each file that is not what would be exported. @param path the text as one file, or a folder of files */
export async function compareFiles(files: readonly ExportedFile[], path: string): Promise<Printable[]> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    (error: unknown) => {
      throw new OperatorError('FILE_UNREADABLE', `${path} cannot be read: ${unreadableReason(error)}`, undefined, { cause: error });
    },
  );
  if (!isFolder) return difference(path, await readIfThere(path), textOf(files));
  const compared: Printable[] = [];
  for (const file of files) compared.push(...difference(join(path, file.path), await readIfThere(join(path, file.path)), file.text));
  const outdated = await outdatedFiles(files, path);
  return [...compared, ...outdated.map((each) => printed`${join(path, each)}: not exported any more; remove it`)];
}

function difference(path: string, current: string | null, expected: string): Printable[] {
  if (current === expected) return [];
  if (current === null) return [printed`${path}: missing`];
  const is = current.split('\n');
  const should = expected.split('\n');
  const index = should.findIndex((line, at) => line !== is[at]);
  const at = index === -1 ? should.length : index;
  return [printed`${path}:${at + 1}: ${JSON.stringify(is[at] ?? '')} should be ${JSON.stringify(should[at] ?? '')}`];
}

/** Files of an earlier export that this one does not have: a node would still use them. */
async function outdatedFiles(files: readonly ExportedFile[], folder: string): Promise<string[]> {
  const exported = new Set(files.map(({ path }) => path));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const outdated: string[] = [];
  for (const entry of entries) {
    const path = relative(folder, join(entry.parentPath, entry.name));
    const isSame = files.some((file) => file.path.split('/').at(-1) === entry.name);
    if (!entry.isFile() || exported.has(path) || !isSame) continue;
    const text = await readIfThere(join(folder, path));
    if (text !== null && isOwnFile(text)) outdated.push(path);
  }
  return outdated.toSorted();
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error))) return null;
    throw new OperatorError('FILE_UNREADABLE', `${path} cannot be read: ${unreadableReason(error)}`, undefined, { cause: error });
  }
}

async function orUnwritable(path: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    throw new OperatorError('OUTPUT_FAILED', `${path} cannot be written: ${unreadableReason(error)}`, undefined, { cause: error });
  }
}
