/** Findings as text: for people, for programs, and as annotations of GitHub Actions. */
import { formatFinding, type Finding } from '../errors/finding.ts';
import { jsonText, printable, printed, type Printable } from '../text/printable.ts';

/** One line each. */
export const findingFormats = {
  text: (finding: Finding): Printable => printed`${formatFinding(finding)}\n`,
  /** The keys and their order are a contract. */
  json: ({ file, line, column, severity, code, message }: Finding): Printable =>
    printed`${jsonText({ file, line, column, severity, code, message })}\n`,
  github: (finding: Finding): Printable => printed`${workflowCommand(finding)}\n`,
} as const;

/** https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message */
function workflowCommand({ file, line, column, severity, code, message }: Finding): string {
  const command = severity === 'note' ? 'notice' : severity;
  return `::${command} file=${property(file)},line=${line},col=${column},title=${code}::${escaped(message)}`;
}

/** As the runner unescapes it: https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts, escapeData and escapeProperty. */
function escaped(text: string): string {
  return printable(text).replaceAll('%', '%25');
}

function property(text: string): string {
  return escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}
