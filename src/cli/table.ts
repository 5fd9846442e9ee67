/** Text in columns. */
import { joined, printable, type Printable } from '../text/printable.ts';

/** Every column is as wide as its widest cell, separated by two blanks; the last one is not padded, and no line ends in blanks. */
export function table(rows: readonly (readonly string[])[], indent: '' | '  ' = ''): Printable {
  const cells = rows.map((row) => row.map(printable));
  const columns = Math.max(0, ...cells.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)));
  const padded = (cell: Printable, index: number, row: readonly Printable[]): Printable =>
    index === row.length - 1 ? cell : printable(cell.padEnd((widths[index] ?? 0) + 2));
  return joined(
    cells.map((row) => printable(joined([printable(indent), ...row.map(padded)]).trimEnd())),
    '\n',
  );
}
