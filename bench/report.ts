/** Figures as a table for a person and as JSON for a program. */
import { movement, summarize, type Figure } from './figure.ts';
import type { Subject } from './subject.ts';

export interface Report {
  readonly node: string;
  readonly machine: string;
  readonly date: string;
  /** One list a subject, in the same order. */
  readonly subjects: readonly { readonly name: string; readonly figures: readonly Figure[] }[];
  /** Suites that could not run, with the reason. */
  readonly skipped: Readonly<Record<string, string>>;
}

/** The figures of one subject. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const { value, reference, ratio, noise } = summarize(figure);
    return [
      figure.suite,
      figure.name,
      `${short(value)} ${figure.unit}`,
      `${short(reference)} ${figure.unit}`,
      ratio.toFixed(2),
      figure.rounds.length > 1 ? `±${(noise * 100).toFixed(1)} %` : '',
      figure.reference,
    ];
  });
  return aligned([['suite', 'figure', 'measured', 'reference', 'ratio', 'noise', 'the reference is'], ...rows]);
}

/** What moved between two subjects of one run. */
export function comparison(before: readonly Figure[], after: readonly Figure[], old: Subject): string {
  const rows = after.flatMap((figure) => {
    const other = before.find(({ suite, name }) => suite === figure.suite && name === figure.name);
    if (other === undefined) return [];
    const { quotient, moved } = movement(other, figure);
    return [
      {
        moved,
        row: [
          figure.suite,
          figure.name,
          summarize(other).ratio.toFixed(2),
          summarize(figure).ratio.toFixed(2),
          `${quotient > 1 ? '+' : ''}${((quotient - 1) * 100).toFixed(1)} %`,
          moved ? 'moved' : 'within noise',
        ],
      },
    ];
  });
  const sorted = [...rows.filter(({ moved }) => moved), ...rows.filter(({ moved }) => !moved)];
  return aligned([['suite', 'figure', `ratio at ${old.name}`, 'ratio now', 'change', ''], ...sorted.map(({ row }) => row)]);
}

function short(value: number): string {
  if (Number.isNaN(value)) return '-';
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
