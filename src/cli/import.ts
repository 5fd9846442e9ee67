/** `transship import FORMAT`: a policy from the configuration of another program. */
import { OperatorError } from '../errors/operator-error.ts';
import { policyText } from '../import/policy-text.ts';
import { nearest } from '../rules/nearest.ts';
import { printableLines } from '../text/printable.ts';
import { command } from './command.ts';
import { importFormats, type ImportFormat } from './import-formats.ts';
import { sourcesOf } from './import-sources.ts';
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
