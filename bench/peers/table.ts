/** The tables of docs/reference/benchmark.md, from the last committed result. */
import { readFileSync } from 'node:fs';
import type { Measured, PeersResult, Spread, Subject } from './result.ts';

const microseconds = (spread: Spread): string => withRange(spread, whole);
const milliseconds = microseconds;
const mebibyte = 1024 * 1024;
const megabyte = 1_000_000;

/** The committed one. */
export function lastResult(): PeersResult {
  return JSON.parse(readFileSync(new URL('result.json', import.meta.url), 'utf8'));
}

export function benchmarkTables(result: PeersResult): string {
  const measured = result.subjects.flatMap((subject) =>
    typeof subject.measured === 'string' ? [] : [{ subject, measured: subject.measured }],
  );
  const failed = result.subjects.filter(({ measured: each }) => typeof each === 'string');
  const caseNames = Object.keys(measured[0]?.measured.review ?? {});
  return [
    `Measured on ${result.date}, ${result.machine}, Node.js ${result.node}, ${result.rounds} rounds, with \`${result.command}\`. Each figure is the median of the rounds, with the least and the most of them.`,
    'CPU time of a review, in µs:',
    tableOf(
      ['Webhook', ...caseNames],
      measured.map(({ subject, measured: { review } }) => [linkOf(subject), ...caseNames.map((name) => cell(review[name], microseconds))]),
    ),
    'CPU time of a pod that is created at a real API server (as a dry run), and the process itself:',
    tableOf(
      ['Webhook', 'Webhook, µs a pod', 'API server, µs a pod', 'Memory at first, MiB', 'Memory at most, MiB', 'Start, ms', 'Program, MB'],
      [
        ...measured.map(({ subject, measured: each }) => [linkOf(subject), podCells(each), processCells(subject, each)].flat()),
        ['none', '', microseconds(result.without.apiServer), '', '', '', ''],
      ],
    ),
    'What they do differently:',
    tableOf(
      ['Webhook', 'Version', 'Differences'],
      result.subjects.map((subject) => [linkOf(subject), subject.version, subject.differences.join('; ')]),
    ),
    ...notMeasured(failed),
  ].join('\n\n');
}

function podCells({ pod }: Measured): string[] {
  if (typeof pod === 'string') return [`not measured: ${inCell(pod)}`, ''];
  return [microseconds(pod.webhook), microseconds(pod.apiServer)];
}

function processCells({ program }: Subject, { start, idle, peak }: Measured): string[] {
  const memory = (spread: Spread): string => withRange(spread, (value) => whole(value / mebibyte));
  return [memory(idle), memory(peak), milliseconds(start), program === null ? '' : whole(program / megabyte)];
}

function notMeasured(failed: readonly Subject[]): string[] {
  if (failed.length === 0) return [];
  const rows = failed.map((subject) => [linkOf(subject), typeof subject.measured === 'string' ? inCell(subject.measured) : '']);
  return ['Not measured:', tableOf(['Webhook', 'Reason'], rows)];
}

function linkOf({ name, repository }: Subject): string {
  return repository === null ? name : `[${name}](${repository})`;
}

function cell(spread: Spread | undefined, text: (spread: Spread) => string): string {
  return spread === undefined ? '' : text(spread);
}

function withRange([middle, least, most]: Spread, text: (value: number) => string): string {
  return `${text(middle)} (${text(least)} to ${text(most)})`;
}

function whole(value: number): string {
  return value < 10 ? value.toPrecision(2) : Math.round(value).toLocaleString('en');
}

function inCell(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
