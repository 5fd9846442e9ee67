/** `transship export FORMAT`: a policy as configuration of other programs. */
import { locate } from '../config/finding.ts';
import { parseSource } from '../config/position.ts';
import { formatFinding, type Finding } from '../errors/finding.ts';
import { OperatorError } from '../errors/operator-error.ts';
import type { PolicyProblem } from '../policy/problem.ts';
import { nearest } from '../rules/nearest.ts';
import { printed } from '../text/printable.ts';
import type { Command, Io } from './command.ts';
import { exportFormats, type ExportFormat } from './export-formats.ts';
import { compareFiles, textOf, writeFiles } from './exported-files.ts';
import { flagHelp } from './flag-help.ts';
import { exportFlags } from './flags.ts';
import { readText } from './input.ts';
import { write, writeData, writeLines } from './output.ts';
import { openPolicy } from './policy-file.ts';
import { readFlags, type Flags } from './read-flags.ts';

const names = Object.keys(exportFormats);
const width = Math.max(...names.map((name) => name.length));

const usage = `transship export FORMAT --policy FILE [flags]

Prints a policy as configuration of another program. The same policy gives the same bytes.

${Object.entries(exportFormats)
  .map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`)
  .join('\n')}

What the format cannot express is an error with file, line and column, and nothing is written; with --partial, which all formats but
match-images have, the rest is. With --check, for a CI, what differs from the
files is printed.`;

const ownFlags = Object.entries(exportFormats)
  .filter(([, { flags }]) => Object.keys(flags).length > 0)
  .map(([name, { flags }]) => `Of ${name}:\n\n${flagHelp(flags)}`);

const notes =
  'Exit codes: 0 success; 1 the format cannot express it (with --partial: none of it), or with --check something differs; 2 wrong usage or unreadable input.';

/** Flags of all formats: for completion, and to find the name of the format among them. */
const allFlags: Flags = Object.assign({}, exportFlags, ...Object.values(exportFormats).map(({ flags }) => flags));

/** To find the format first: what else is missing depends on it. */
const optional: Flags = { ...allFlags, policy: { type: exportFlags.policy.type, text: exportFlags.policy.text } };

export const exportCommand: Command = {
  name: 'export',
  summary: 'a policy as configuration of other programs: containerd and others',
  flags: allFlags,
  operands: names,
  help: `${[usage, flagHelp(exportFlags), ...ownFlags, notes].join('\n\n')}\n`,
  run: async (args, io) => {
    const { name, format } = formatOf(readFlags(optional, args, io.env).operands);
    // Read again, so that a flag of another format is unknown.
    const { values } = readFlags({ ...exportFlags, ...format.flags }, args, io.env);
    if (values.check !== null && values['output-dir'] !== null)
      throw new OperatorError('USAGE', '--check with --output-dir', '--check PATH alone compares, --output-dir DIR alone writes');
    if (values.partial && format.isWhole)
      throw new OperatorError(
        'USAGE',
        `${name} has no --partial`,
        'leave it out: the condition is made from the whole policy or not at all',
      );
    const policy = await openPolicy(values, io);
    const { files, refusals } = format.export(policy, values);
    if (policy.rules.length === 0)
      writeLines(io.stderr, [printed`${values.policy}: warning: the policy has no rules, so no image is rewritten`]);
    await report(refusals, values, io);
    if (refusals.length > 0 && !values.partial) {
      const remedy = format.isWhole ? '' : '; --partial exports the rest';
      writeLines(io.stderr, [printed`transship export: ${name} cannot express all of it${remedy}`]);
      return 1;
    }
    if (files.length === 0) writeLines(io.stderr, [printed`transship export: the policy has nothing that ${name} can express`]);
    // What was exported before would be replaced by nothing.
    if (files.length === 0 && refusals.length > 0) return 1;
    if (values.check !== null) {
      const differences = await compareFiles(files, values.check);
      writeLines(io.stdout, differences);
      return differences.length === 0 ? 0 : 1;
    }
    if (values['output-dir'] === null) await writeData(io.stdout, textOf(files));
    else await write(io.stderr, await writeFiles(files, values['output-dir']));
    return 0;
  },
};

function formatOf([name, more]: readonly string[]): { readonly name: string; readonly format: ExportFormat } {
  const format = name !== undefined && Object.hasOwn(exportFormats, name) ? exportFormats[name] : undefined;
  const remedy = `formats are ${names.join(', ')}`;
  if (name === undefined) throw new OperatorError('USAGE', 'no format is named', remedy);
  if (format === undefined) {
    const near = nearest(name, names);
    throw new OperatorError('USAGE', `there is no format ${name}`, near === null ? remedy : `did you mean ${near}?`);
  }
  if (more !== undefined)
    throw new OperatorError('USAGE', `unexpected argument ${JSON.stringify(more)}`, 'name one format; the policy is --policy FILE');
  return { name, format };
}

async function report(
  refusals: readonly PolicyProblem[],
  { policy, partial }: { readonly policy: string; readonly partial: boolean },
  io: Io,
): Promise<void> {
  if (refusals.length === 0) return;
  const file = parseSource(await readText(policy, io), policy);
  const findings = refusals.map((each): Finding => ({ ...locate(file, each), severity: partial ? 'warning' : each.severity }));
  writeLines(io.stderr, findings.map(formatFinding));
}
