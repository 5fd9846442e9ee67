/** `transship lint`: checks policy files before they are used. */
import { formatFinding, hasErrors, type Finding } from '../errors/finding.ts';
import { loadPolicy } from '../config/load.ts';
import { parseResolvedHosts } from '../config/resolved-hosts.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import type { ResolvedHosts } from '../rules/registries.ts';
import { command, stdinOnce, type Io } from './command.ts';
import { exitCodeOf } from './failure.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { PolicyError } from '../config/source.ts';
import { displayName, readText } from './input.ts';
import { jsonText, printed, type Printable } from '../text/printable.ts';
import { write } from './output.ts';
import { lintFlags } from './flags.ts';
import { variableOf } from './read-flags.ts';

export const lintCommand = command({
  name: 'lint',
  summary: 'checks policy files and runs their tests',
  usage: `transship lint [flags] FILE…
transship lint [flags] --policy FILE

Checks policy files, - for standard input, and runs the tests in them. Findings go to standard output, one a line as
FILE:LINE:COLUMN: error|warning: MESSAGE, and a summary of each file to standard error.`,
  flags: lintFlags,
  notes: `-o json prints a line for each finding with the keys file, line, column, severity, code and message; docs/reference/findings.md has the codes.

Exit codes: 0 no errors, warnings or not; 1 errors; 2 wrong usage or unreadable input.`,
  run: async ({ values, operands }, io) => {
    const { policy, 'resolved-hosts': resolvedHosts } = values;
    // The environment variable applies only without arguments.
    const files = policy === null || (operands.length > 0 && policy === io.env[variableOf('policy')]) ? operands : [policy, ...operands];
    if (files.length === 0) throw new OperatorError('USAGE', 'no policy file given', 'name at least one');
    stdinOnce([...files, resolvedHosts]);
    const hosts = await readHosts(resolvedHosts, io);
    let code = 0;
    for (const path of files) code = Math.max(code, await lintFile(path, { hosts, output: values.output }, io));
    return code;
  },
});

async function readHosts(path: string | null, io: Io): Promise<ResolvedHosts> {
  if (path === null) return {};
  const { hosts, findings } = parseResolvedHosts(await readText(path, io), displayName(path));
  if (hasErrors(findings)) throw new PolicyError(displayName(path), findings);
  return hosts;
}

/** An unreadable file does not stop the others from being checked. */
async function lintFile(path: string, { hosts, output }: { hosts: ResolvedHosts; output: 'text' | 'json' }, io: Io): Promise<number> {
  const name = displayName(path);
  let text: string;
  try {
    text = await readText(path, io);
  } catch (error) {
    return exitCodeOf(error, 'lint', io.stderr);
  }
  const { compiled, findings } = loadPolicy(text, name, hosts);
  for (const finding of findings) await write(io.stdout, output === 'json' ? jsonLine(finding) : printed`${formatFinding(finding)}\n`);
  io.stderr.write(printed`${name}: ${summary(compiled, findings)}\n`);
  return hasErrors(findings) ? 1 : 0;
}

/** The keys and their order are a contract. */
function jsonLine({ file, line, column, severity, code, message }: Finding): Printable {
  return printed`${jsonText({ file, line, column, severity, code, message })}\n`;
}

function summary(compiled: CompiledPolicy | null, findings: readonly Finding[]): string {
  const errors = findings.filter((finding) => finding.severity === 'error').length;
  const warnings = findings.length - errors;
  const contents =
    compiled === null
      ? [counted(errors, 'error')]
      : [
          counted(compiled.rules.length, 'rule'),
          counted(compiled.registries.size, 'registry', 'registries'),
          `${counted(compiled.policy.tests.length, 'test')} passed`,
        ];
  return [...contents, counted(warnings, 'warning')].join(', ');
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
