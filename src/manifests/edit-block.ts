/** Members of block maps and sequences, added and removed line by line (https://yaml.org/spec/1.2.2/#82-block-collection-styles). */
import { isMap, isPair, isScalar, isSeq, stringify, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import type { PatchValue } from '../patch/operations.ts';
import type { Edit, Source } from './edit.ts';
import { endOf, ownPair, startOf } from './nodes.ts';

export interface Member {
  readonly key: string;
  readonly value: PatchValue;
  /** The pair to write it below; null puts it first, where no comment of another member comes between. */
  readonly below: Pair | null;
}

/** What may follow a value on its line. */
const endOfLine = /^[ \t]*(?:#.*)?$/;
const blankOrComment = /^[ \t]*(?:#.*)?\r?$/;

export function insertInBlock({ text, newline }: Source, map: YAMLMap, { key, value, below }: Member): Edit {
  const first = startOf(map.items[0]);
  const indent = ' '.repeat(columnOf(text, first));
  const body = stringify({ [key]: value }, { lineWidth: 0, indentSeq: hasIndentedSequences(text, map) })
    .trimEnd()
    .replaceAll('\n', newline + indent);
  const end = below === null ? null : endOfLastLine(text, below);
  if (end !== null) return { start: end, end, text: newline + indent + body };
  const line = lineStart(text, first);
  if (text.slice(line, first).trim() !== '') return { start: first, end: first, text: body + newline + indent };
  const start = aboveComments(text, line);
  return { start, end: start, text: indent + body + newline };
}

export function appendToBlock({ text, newline }: Source, sequence: YAMLSeq, values: readonly PatchValue[]): Edit | null {
  const end = endOfLastLine(text, sequence);
  if (end === null) return null;
  const start = startOf(sequence);
  const indent = ' '.repeat(columnOf(text, start));
  const body = stringify(values, { lineWidth: 0 })
    .trimEnd()
    .replaceAll('\n', newline + indent);
  return { start: end, end, text: newline + indent + body };
}

export function removeFromBlock({ text, newline }: Source, map: YAMLMap, key: string): Edit | null {
  const pair = ownPair(map, key);
  const end = pair === null ? null : endOfLastLine(text, pair);
  if (pair === null || end === null) return null;
  const start = startOf(pair);
  const afterLine = Math.min(end + newline.length, text.length);
  const line = lineStart(text, start);
  if (text.slice(line, start).trim() === '') return { start: line, end: afterLine, text: '' };
  // It shares its line with the `-` of an item: the next member takes its place there.
  const indentation = text.slice(afterLine).search(/[^ ]|$/);
  return { start, end: afterLine + indentation, text: '' };
}

/** The end of the line that an item ends on; null when that is no plain line end. */
function endOfLastLine(text: string, item: unknown): number | null {
  const last = lastLeaf(item);
  // A block scalar owns the line ends that follow it, so nothing can be put behind it without a closer look.
  if (isScalar(last) && last.type?.startsWith('BLOCK') === true) return null;
  const end = endOf(last);
  const newline = text.indexOf('\n', end);
  const stop = newline === -1 ? text.length : newline - (text[newline - 1] === '\r' ? 1 : 0);
  return endOfLine.test(text.slice(end, stop)) ? stop : null;
}

function lastLeaf(item: unknown): unknown {
  if (isPair(item)) return lastLeaf(item.value ?? item.key);
  return (isMap(item) || isSeq(item)) && item.flow !== true ? lastLeaf(item.items.at(-1)) : item;
}

/** Up over the comments that stand between a key and the line of its map. */
function aboveComments(text: string, line: number): number {
  let start = line;
  while (start > 0) {
    const previous = lineStart(text, start - 1);
    if (!blankOrComment.test(text.slice(previous, start - 1))) break;
    start = previous;
  }
  return start;
}

/** Whether lists stand deeper than their key here, as Helm charts have them, or below it, as kubectl prints them. */
function hasIndentedSequences(text: string, map: YAMLMap): boolean {
  const pair = map.items.find(({ value }) => isSeq(value) && value.flow !== true);
  return pair === undefined || columnOf(text, startOf(pair.value)) > columnOf(text, startOf(pair));
}

function columnOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}
