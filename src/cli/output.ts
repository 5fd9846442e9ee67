/** Writing what a command prints. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { joined, ownText, type Printable } from '../text/printable.ts';

/** A stream that takes no text of others as it is: see src/text/printable.ts. */
export type Output = Omit<Writable, 'write' | 'end'> & { readonly write: (text: Printable) => boolean };

/** Writes at the reader's pace, so that a slow one does not make the whole output pile up in memory. */
export async function write(output: Output, text: Printable): Promise<void> {
  if (text !== '' && !output.write(text)) await once(output, 'drain');
}

const newline = ownText('\n');

/** Messages, each on a line of its own. */
export function writeLines(output: Output, lines: readonly Printable[]): void {
  output.write(joined(lines.map((line) => joined([line, newline]))));
}

/** Data that another program reads, to the byte: manifests. */
export async function writeData(output: Output, data: string): Promise<void> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whoever pipes manifests wants them as they are
  await write(output, data as Printable);
}

/** In colour where the output is a terminal and NO_COLOR is not set. */
export function coloured(output: Output, colour: 'green' | 'red', text: Printable): Printable {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same stream, of which only its kind is asked
  return ownText(styleText(colour, text, { stream: output as unknown as Writable }));
}
