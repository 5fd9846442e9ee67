/** `transship lint`: checks policy files before they are used. */
import { hasErrors, type Finding } from '../errors/finding.ts';
import { loadPolicy } from '../config/load.ts';
import { unusedHosts } from '../config/resolved-hosts.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { readBaseline, type Baseline } from './baseline.ts';
import { command, stdinOnce, type Io } from './command.ts';
import { exitCodeOf } from './failure.ts';
import { findingFormats } from './finding-formats.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { readHosts, type HostsFile } from './hosts-file.ts';
import { displayName, readText } from './input.ts';
import { joined, printed } from '../text/printable.ts';
import { write } from './output.ts';
import { lintFlags } from './flags.ts';
import { variableOf } from './read-flags.ts';
import { sarif } from './sarif.ts';

export const lintCommand = command({
  name: 'lint',
  summary: 'checks policy files and runs their tests',
  usage: `transship lint [flags] FILE…
transship lint [flags] --policy FILE
transship lint [flags] --against OLD NEW   in a CI: what a change brings

Checks policy files, - for standard input, and runs the tests in them. Findings go to standard output, one a line as
FILE:LINE:COLUMN: error|warning|note: MESSAGE, and a summary of each file to standard error.

With --against, warnings that OLD has too are not printed, and a new one is a failure like an error. A note tells each image that comes out differently: those of
\`tests:\`, and one example of each pattern. For the images of your manifests or your cluster use transship diff.`,
  flags: lintFlags,
  notes: `-o json prints a line for each finding with the keys file, line, column, severity, code and message; docs/reference/findings.md has the codes.
-o github prints annotations for GitHub Actions. -o sarif prints one SARIF 2.1.0 document.

Exit codes: 0 no errors, warnings or not; 1 errors, or with --against a new warning; 2 wrong usage or unreadable input.`,
  run: async ({ values, operands }, io) => {
    const { policy, 'resolved-hosts': resolvedHosts, against, output } = values;
    // The environment variable applies only without arguments.
    const files = policy === null || (operands.length > 0 && policy === io.env[variableOf('policy')]) ? operands : [policy, ...operands];
    if (files.length === 0) throw new OperatorError('USAGE', 'no policy file given', 'name at least one');
    if (against !== null && files.length > 1)
      throw new OperatorError('USAGE', `--against with ${files.length} policy files`, 'name the new one only');
    stdinOnce([...files, resolvedHosts, against]);
    const hosts = await readHosts(resolvedHosts, io);
    const context = { hosts, baseline: await readBaseline(against, hosts, io), failsOnWarnings: against !== null };
    const all: Finding[] = [];
    let code = 0;
    for (const path of files) {
      const linted = await lintFile(path, context, io);
      code = Math.max(code, linted.code);
      if (output === 'sarif') all.push(...linted.findings);
      else await write(io.stdout, joined(linted.findings.map(findingFormats[output])));
      if (linted.summary !== null) await write(io.stderr, printed`${displayName(path)}: ${linted.summary}\n`);
    }
    if (output === 'sarif') await write(io.stdout, sarif(all));
    return code;
  },
});

interface Context {
  readonly hosts: HostsFile;
  readonly baseline: Baseline;
  readonly failsOnWarnings: boolean;
}

interface Linted {
  readonly code: number;
  readonly findings: readonly Finding[];
  /** Null where the file cannot be read. */
  readonly summary: string | null;
}

/** An unreadable file does not stop the others from being checked. */
async function lintFile(path: string, { hosts, baseline, failsOnWarnings }: Context, io: Io): Promise<Linted> {
  const name = displayName(path);
  let text: string;
  try {
    text = await readText(path, io);
  } catch (error) {
    return { code: exitCodeOf(error, 'lint', io.stderr), findings: [], summary: null };
  }
  const { compiled, findings } = loadPolicy(text, name, hosts.hosts);
  const found = compiled === null ? findings : [...findings, ...unusedHosts(hosts.hosts, hosts, compiled.policy)];
  const fresh = found.filter((finding) => !baseline.has(finding));
  const changes = compiled === null ? [] : baseline.changes({ text, name, compiled });
  const isFailure = hasErrors(fresh) || (failsOnWarnings && fresh.some(({ severity }) => severity === 'warning'));
  const known = found.length - fresh.length;
  const details = [summary(compiled, fresh), ...(known === 0 ? [] : [`${known} known`]), ...noted(changes)];
  return { code: isFailure ? 1 : 0, findings: [...fresh, ...changes], summary: details.join(', ') };
}

function noted(changes: readonly Finding[]): string[] {
  return changes.length === 0 ? [] : [counted(changes.length, 'image comes out differently', 'images come out differently')];
}

function summary(compiled: CompiledPolicy | null, findings: readonly Finding[]): string {
  const errors = findings.filter((finding) => finding.severity === 'error').length;
  const warnings = findings.filter((finding) => finding.severity === 'warning').length;
  const notes = findings.length - errors - warnings;
  const contents =
    compiled === null
      ? [counted(errors, 'error')]
      : [
          counted(compiled.rules.length, 'rule'),
          counted(compiled.registries.size, 'registry', 'registries'),
          `${counted(compiled.policy.tests.length, 'test')} passed`,
        ];
  return [...contents, counted(warnings, 'warning'), ...(notes === 0 ? [] : [counted(notes, 'note')])].join(', ');
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
