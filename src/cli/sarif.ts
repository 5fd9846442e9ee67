/** Findings as SARIF 2.1.0, which code scanning services read: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Log, ReportingDescriptor, Result, Tool } from 'sarif';
import type { Finding } from '../errors/finding.ts';
import { problemCodes, type ProblemCode } from '../policy/problem-codes.ts';
import { escapedJson, type Printable } from '../text/printable.ts';
import { programFile } from './program-files.ts';

/** One document with one run for all findings. */
export function sarif(findings: readonly Finding[]): Printable {
  const codes = [...new Set(findings.map(({ code }) => code))].toSorted();
  const log: Log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: toolOf(codes),
        // As the columns of findings: characters of JavaScript (3.14.17).
        columnKind: 'utf16CodeUnits',
        results: findings.map((finding) => resultOf(finding, codes.indexOf(finding.code))),
      },
    ],
  };
  return escapedJson(`${JSON.stringify(log, null, 2)}\n`);
}

function toolOf(codes: readonly ProblemCode[]): Tool {
  const { version, homepage }: { version: string; homepage: string } = JSON.parse(programFile('package.json'));
  const page = new URL(`${new URL(homepage).pathname}/blob/main/docs/reference/findings.md`, homepage).href;
  return { driver: { name: 'transship', version, informationUri: homepage, rules: codes.map((code) => ruleOf(code, page)) } };
}

function ruleOf(code: ProblemCode, page: string): ReportingDescriptor {
  const { severity, when } = problemCodes[code];
  return {
    id: code,
    shortDescription: { text: when },
    helpUri: `${page}#${code}`,
    defaultConfiguration: { level: severity },
  };
}

function resultOf({ code, severity, message, file, line, column }: Finding, ruleIndex: number): Result {
  const region = { startLine: line, startColumn: column };
  const physicalLocation = { artifactLocation: { uri: uriOf(file) }, region };
  return { ruleId: code, ruleIndex, level: severity, message: { text: message }, locations: [{ physicalLocation }] };
}

/** A relative path stays relative to wherever the command ran, which in a CI is the root of the repository (3.4.4). */
function uriOf(file: string): string {
  return isAbsolute(file) ? pathToFileURL(file).href : file.split(/[\\/]/).map(encodeURIComponent).join('/');
}
