/** The page that documents the code of every finding, from the table of codes. */
import { problemCodes } from '../../src/policy/problem-codes.ts';

const introduction = `# Findings

<!-- Written by tools/docs/findings-reference.ts from src/policy/problem-codes.ts: change these. -->

Correct what the message says; \`transship lint\` prints it with file, line and column, and with \`-o json\`, \`github\` or \`sarif\` also the code. Codes are stable; messages may change. A policy with an error is not
used; a warning changes nothing. A note is neither right nor wrong.
`;

export function findingsReference(): string {
  const rows = Object.entries(problemCodes).map(([code, { severity, when }]) => `| \`${code}\` | ${severity} | ${when} |`);
  return [introduction, '| Code | Severity | Found when |', '|---|---|---|', ...rows, ''].join('\n');
}
