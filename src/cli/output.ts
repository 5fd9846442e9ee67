/** Writes the output of a command. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { joined, ownText, type Printable } from '../text/printable.ts';

/** A stream that accepts only text made safe for terminals: see src/text/printable.ts. */
export type Output = Omit<Writable, 'write' | 'end'> & { readonly write: (text: Printable) => boolean };

/** Respects backpressure, so that a slow reader does not make the whole output pile up in memory. */
export async function write(output: Output, text: Printable): Promise<void> {
  if (text !== '' && !output.write(text)) await once(output, 'drain');
}

const newline = ownText('\n');

/** Messages, one per line. */
export function writeLines(output: Output, lines: readonly Printable[]): void {
  output.write(joined(lines.map((line) => joined([line, newline]))));
}

/** Data for another program, unchanged: manifests and configuration. */
export async function writeData(output: Output, data: string): Promise<void> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what another program reads must not be escaped
  await write(output, data as Printable);
}

/** Colour is used if the output is a terminal and NO_COLOR is not set. */
export function coloured(output: Output, colour: 'green' | 'red', text: Printable): Printable {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same stream, to check whether it is a terminal
  return ownText(styleText(colour, text, { stream: output as unknown as Writable }));
}
