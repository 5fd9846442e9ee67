/** Members of block maps and sequences, added and removed line by line (https://yaml.org/spec/1.2.2/#82-block-collection-styles). */
import { isSeq, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import type { Edit, Source } from './edit.ts';
import { columnOf, commentsOf, lastItemEnd, lineEnd, lineStart, nodeSpan, pairEnd, pairStart } from './layout.ts';

/** Allowed text after a value on its line. */
const endOfLine = /^[ \t]*(?:#.*)?$/;
const blankOrComment = /^[ \t]*(?:#.*)?\r?$/;

/** First in the map, above the comments of the former first member, so that they stay with it. */
export function insertFirst({ text, newline }: Source, map: YAMLMap, lines: readonly string[]): Edit | null {
  const pair = map.items[0];
  if (pair === undefined) return null;
  const first = pairStart(pair);
  const indent = ' '.repeat(columnOf(text, first));
  const body = lines.join(newline + indent);
  const line = lineStart(text, first);
  if (text.slice(line, first).trim() !== '') return { start: first, end: first, text: body + newline + indent };
  const start = aboveComments(text, line);
  return { start, end: start, text: indent + body + newline };
}

export function insertBelow(source: Source, pair: Pair, lines: readonly string[]): Edit | null {
  return insertLines(source, { behind: pairEnd(pair), column: columnOf(source.text, pairStart(pair)) }, lines);
}

export function appendItems(source: Source, sequence: YAMLSeq, lines: readonly string[]): Edit | null {
  const start = nodeSpan(sequence)?.start;
  if (start === undefined) return null;
  return insertLines(source, { behind: lastItemEnd(sequence), column: columnOf(source.text, start) }, lines);
}

/** A comment of the member is kept, on its own line. */
export function removeMember({ text, newline }: Source, pair: Pair): Edit | null {
  const start = pairStart(pair);
  const valueEnd = pairEnd(pair);
  const atLineStart = valueEnd > 0 && text[valueEnd - 1] === '\n';
  const end = atLineStart ? valueEnd : lineEnd(text, valueEnd);
  if (!endOfLine.test(text.slice(valueEnd, end))) return null;
  const afterLine = atLineStart ? end : Math.min(end + (text.startsWith('\r\n', end) ? 2 : 1), text.length);
  const indent = ' '.repeat(columnOf(text, start));
  const inside = commentsOf(pair).filter((comment) => text.slice(start, end).includes(comment));
  const kept = inside.map((comment) => comment + newline + indent).join('');
  const line = lineStart(text, start);
  if (text.slice(line, start).trim() === '')
    return { start: line, end: afterLine, text: inside.map((comment) => indent + comment + newline).join('') };
  // It shares its line with the `-` of an item: the next member takes its place.
  const next = /^ */.exec(text.slice(afterLine))?.[0].length ?? 0;
  return { start, end: afterLine + next, text: kept };
}

/** Whether lists are indented deeper than their key, as in Helm charts, or not, as kubectl prints them. */
export function hasIndentedSequences(text: string, map: YAMLMap): boolean {
  for (const pair of map.items) {
    if (!isSeq(pair.value) || pair.value.flow === true) continue;
    const start = nodeSpan(pair.value)?.start;
    if (start !== undefined) return columnOf(text, start) > columnOf(text, pairStart(pair));
  }
  return true;
}

function insertLines({ text, newline }: Source, place: { behind: number; column: number }, lines: readonly string[]): Edit | null {
  const { behind, column } = place;
  const indent = ' '.repeat(column);
  const body = lines.join(newline + indent);
  // After a block scalar, which includes its line end.
  if (behind > 0 && text[behind - 1] === '\n') return { start: behind, end: behind, text: indent + body + newline };
  const end = lineEnd(text, behind);
  return endOfLine.test(text.slice(behind, end)) ? { start: end, end, text: newline + indent + body } : null;
}

/** Moves up over the comments between a key and the line of its map. */
function aboveComments(text: string, line: number): number {
  let start = line;
  while (start > 0) {
    const previous = lineStart(text, start - 1);
    if (!blankOrComment.test(text.slice(previous, start - 1))) break;
    start = previous;
  }
  return start;
}
