/** The page that documents the code of every finding, from the table of codes. */
import { problemCodes, type Severity } from '../../src/policy/problem-codes.ts';

const introduction = `# Findings

<!-- Written by tools/docs/findings-reference.ts from src/policy/problem-codes.ts: change these. -->

Correct what the message says; \`transship lint\` prints it with file, line and column, and with \`-o json\`, \`github\` or \`sarif\` also the code. Codes are stable; messages may change. A policy with an error is not
used; a warning changes nothing. A note is neither right nor wrong.
`;

/** A heading for each code, which `helpUri` of SARIF leads to. */
export function findingsReference(): string {
  return [introduction, ...sections.map(([severity, title]) => `## ${title}\n\n${ofSeverity(severity)}`)].join('\n');
}

const sections: readonly (readonly [severity: Severity, title: string])[] = [
  ['error', 'Errors'],
  ['warning', 'Warnings'],
  ['note', 'Notes'],
];

function ofSeverity(wanted: Severity): string {
  return Object.entries(problemCodes)
    .filter(([, { severity }]) => severity === wanted)
    .map(([code, { when }]) => `### \`${code}\`\n\nFound when: ${when}.\n`)
    .join('\n');
}
