/** `transship import FORMAT`: a policy from the configuration of another program. */
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { OperatorError } from '../errors/operator-error.ts';
import { policyText } from '../import/policy-text.ts';
import type { SourceText } from '../import/source.ts';
import { nearest } from '../rules/nearest.ts';
import { printableLines } from '../text/printable.ts';
import { command, type Io } from './command.ts';
import { importFormats, type ImportFormat } from './import-formats.ts';
import { displayName, readText } from './input.ts';
import { write } from './output.ts';

const names = Object.keys(importFormats);
const width = Math.max(...names.map((name) => name.length));

export const importCommand = command({
  name: 'import',
  summary: 'a policy from the configuration of another program',
  usage: `transship import FORMAT FILE|DIR
transship import FORMAT -      from standard input

Prints a policy file with tests that hold. Comments in it say what means something else there.

${Object.entries(importFormats)
  .map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`)
  .join('\n')}

  transship import containerd /etc/containerd/certs.d > policy.yaml
  kubectl get imagedigestmirrorsets,imagetagmirrorsets -o yaml | transship import openshift - > policy.yaml`,
  flags: {},
  operands: names,
  notes: 'Exit codes: 0 success; 2 wrong usage, or a file that cannot be imported.',
  run: async ({ operands }, io) => {
    const [name, path, more] = operands;
    const format = formatOf(name);
    if (path === undefined) throw new OperatorError('USAGE', 'no file is named', 'name a file or a folder, or - for standard input');
    if (more !== undefined)
      throw new OperatorError('USAGE', `unexpected argument ${JSON.stringify(more)}`, 'name one file, or the folder of several');
    await write(io.stdout, printableLines(policyText(format.read(await sourcesOf(path, format, io)))));
    return 0;
  },
});

function formatOf(name: string | undefined): ImportFormat {
  const remedy = `formats are ${names.join(', ')}`;
  if (name === undefined) throw new OperatorError('USAGE', 'no format is named', remedy);
  const format = Object.hasOwn(importFormats, name) ? importFormats[name] : undefined;
  if (format !== undefined) return format;
  const near = nearest(name, names);
  throw new OperatorError('USAGE', `there is no format ${name}`, near === null ? remedy : `did you mean ${near}?`);
}

/** The file, or those of a folder that belong to the format, by name. */
async function sourcesOf(path: string, { files }: ImportFormat, io: Io): Promise<SourceText[]> {
  if (path === '-' || !(await isFolder(path))) return [{ name: displayName(path), path, text: await readText(path, io) }];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const found = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => files.test(file))
    .toSorted();
  if (found.length === 0) throw new OperatorError('FILE_UNREADABLE', `no file of ${path} is of this format`, 'name another folder');
  return Promise.all(found.map(async (file) => ({ name: displayName(file), path: relative(path, file), text: await readText(file, io) })));
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
