/** What an exporter makes of a policy: files, and what they do not say. */
import { problem, type PolicyPath, type PolicyProblem } from '../policy/problem.ts';

export interface ExportedFile {
  /** Below the output folder. */
  readonly path: string;
  readonly text: string;
}

export interface Exported {
  /** In a stable order, with a stable text: the same policy gives the same bytes. */
  readonly files: readonly ExportedFile[];
  /** What the format cannot express, each at its place in the policy. The files have the rest. */
  readonly refusals: readonly PolicyProblem[];
}

/** What the format cannot express. */
export function refusal(path: PolicyPath, message: string): PolicyProblem {
  return problem('not-exported', path, message);
}

/** Of a host that is resolved in the cluster: an exported file would not follow it. */
export function notResolved(registry: string): string {
  return `the host of registry ${registry} is not resolved; name it with --resolved-hosts`;
}

/** The first line of every file, by which the program knows its own files again. */
export function headLine(format: string): string {
  return `# Written by transship export ${format}. Change the policy and export it again.`;
}

export function isOwnFile(text: string): boolean {
  return text.startsWith('# Written by transship export ');
}
