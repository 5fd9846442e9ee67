/** Edits of a text that keep every other byte. */
import type { Document } from 'yaml';

/** Replaces the source from `start` to `end`, offsets in UTF-16 units. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A document, and the text that its offsets refer to. */
export interface Source {
  readonly text: string;
  readonly newline: '\n' | '\r\n';
  readonly document: Document.Parsed;
}

/** In the order of the text; null when two of them overlap. */
export function sorted(edits: readonly Edit[]): Edit[] | null {
  const inOrder = edits.toSorted((a, b) => a.start - b.start);
  return inOrder.some((edit, index) => edit.start < (inOrder[index - 1]?.end ?? 0)) ? null : inOrder;
}

/** @param edits in the order of the text, without overlap */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let rest = 0;
  const parts: string[] = [];
  for (const { start, end, text: replacement } of edits) {
    parts.push(text.slice(rest, start), replacement);
    rest = end;
  }
  return parts.join('') + text.slice(rest);
}
