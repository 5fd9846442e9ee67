/** Members of block maps and sequences, added and removed line by line (https://yaml.org/spec/1.2.2/#82-block-collection-styles). */
import { isAlias, isMap, isNode, isPair, isScalar, isSeq, stringify, type Node, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import type { PatchValue } from '../../patch/operations.ts';
import type { Edit, Source } from './edit.ts';
import { ownPair } from './nodes.ts';

export interface Member {
  readonly key: string;
  readonly value: PatchValue;
  /** The pair to write it below; null puts it first, where no comment of another member comes between. */
  readonly below: Pair | null;
}

/** What may follow a value on its line. */
const endOfLine = /^[ \t]*(?:#.*)?$/;
const blankOrComment = /^[ \t]*(?:#.*)?\r?$/;

export function insertInBlock({ text }: Source, map: YAMLMap, { key, value, below }: Member): Edit | null {
  const first = startOf(map.items[0]?.key);
  if (first === null) return null;
  const indent = ' '.repeat(first - lineStart(text, first));
  const newline = newlineOf(text);
  const body = stringify({ [key]: value }, { lineWidth: 0, indentSeq: hasIndentedSequences(text, map) }).trimEnd().replaceAll('\n', newline + indent);
  const end = below === null ? null : endOfValue(text, below.value);
  if (end !== null) return { start: end, end, text: newline + indent + body };
  const line = lineStart(text, first);
  if (text.slice(line, first).trim() !== '') return { start: first, end: first, text: body + newline + indent };
  const start = aboveComments(text, line);
  return { start, end: start, text: indent + body + newline };
}

export function appendToBlock({ text }: Source, sequence: YAMLSeq, values: readonly PatchValue[]): Edit | null {
  const start = startOf(sequence);
  const end = endOfValue(text, sequence);
  if (start === null || end === null) return null;
  const indent = ' '.repeat(start - lineStart(text, start));
  const newline = newlineOf(text);
  const body = stringify(values, { lineWidth: 0 }).trimEnd().replaceAll('\n', newline + indent);
  return { start: end, end, text: newline + indent + body };
}

export function removeFromBlock({ text }: Source, map: YAMLMap, key: string): Edit | null {
  const pair = ownPair(map, key);
  const start = startOf(pair?.key);
  const end = endOfValue(text, pair?.value);
  if (start === null || end === null || map.items.length === 1) return null;
  const afterLine = Math.min(end + newlineOf(text).length, text.length);
  const line = lineStart(text, start);
  if (text.slice(line, start).trim() === '') return { start: line, end: afterLine, text: '' };
  // It shares its line with the `-` of an item: the next member takes its place there.
  const indentation = /^ */.exec(text.slice(afterLine))?.[0].length ?? 0;
  return { start, end: afterLine + indentation, text: '' };
}

/** The end of the line that a value ends on; null when that is no plain line end. */
function endOfValue(text: string, value: unknown): number | null {
  const last = lastLeaf(value);
  const end = last?.range?.[1];
  if (last === null || end === undefined) return null;
  // A block scalar owns the line ends that follow it, so nothing can be put behind it without a closer look.
  if (isScalar(last) && last.type?.startsWith('BLOCK') === true) return null;
  const newline = text.indexOf('\n', end);
  const stop = newline === -1 ? text.length : newline - (text[newline - 1] === '\r' ? 1 : 0);
  return endOfLine.test(text.slice(end, stop)) ? stop : null;
}

function lastLeaf(value: unknown): Node | null {
  if ((isMap(value) || isSeq(value)) && value.flow !== true) {
    const last: unknown = value.items.at(-1);
    return lastLeaf(isPair(last) ? (last.value ?? last.key) : last);
  }
  return isNode(value) || isAlias(value) ? value : null;
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
  const key = startOf(pair?.key);
  const sequence = startOf(pair?.value);
  return key === null || sequence === null || sequence - lineStart(text, sequence) > key - lineStart(text, key);
}

function startOf(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}

function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

function newlineOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}
