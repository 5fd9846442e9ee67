/** Members of flow maps and sequences, which is all of JSON (https://yaml.org/spec/1.2.2/#74-flow-collection-styles). */
import { isMap, isScalar, type Document, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import type { Edit, Source } from './edit.ts';
import { itemsOf, lastItemEnd, lineStart, openEnd, pairEnd, pairStart } from './layout.ts';
import { flowText, stringText } from './quoting.ts';

/** A value on one line: JSON in a JSON document, otherwise with as few quotes as possible. */
export function valueText({ document }: Source, value: unknown): string {
  return isJson(document) ? JSON.stringify(value) : flowText(value);
}

export function insertFirst(source: Source, map: YAMLMap, key: string, value: unknown): Edit | null {
  const open = openEnd(map);
  if (open === null) return null;
  const json = isJson(source.document);
  const name = json ? JSON.stringify(key) : stringText(key);
  const first = map.items[0];
  if (first === undefined) {
    const blank = source.text[open] === '#' ? ' ' : '';
    return { start: open, end: open, text: `${name}: ${valueText(source, value)}${blank}` };
  }
  const start = pairStart(first);
  const gap = separator(source.text.slice(open, start));
  // JSON without blanks stays without them.
  const blank = gap === '' && json ? '' : ' ';
  return { start, end: start, text: `${name}:${blank}${spread(source, value, gap)},${gap || blank}` };
}

/** @param members with their values as text */
export function insertBehind(pair: Pair, members: readonly string[]): Edit {
  const end = pairEnd(pair);
  return { start: end, end, text: members.map((member) => `, ${member}`).join('') };
}

export function appendItems(source: Source, sequence: YAMLSeq, values: readonly unknown[]): Edit | null {
  const open = openEnd(sequence);
  if (open === null) return null;
  const texts = values.map((value) => valueText(source, value));
  const first = firstItemStart(sequence);
  if (first === null)
    return { start: open, end: open, text: texts.join(isJson(source.document) ? ',' : ', ') + (source.text[open] === '#' ? ' ' : '') };
  const end = lastItemEnd(sequence);
  const gap = separator(source.text.slice(open, first));
  return { start: end, end, text: texts.map((text) => `,${gap || ' '}${text}`).join('') };
}

/** Removes only the member and one comma: comments around it are kept. */
export function removeMember(text: string, map: YAMLMap, pair: Pair): Edit {
  const items = map.items;
  const index = items.indexOf(pair);
  const start = pairStart(pair);
  const end = pairEnd(pair);
  const next = items[index + 1];
  if (next !== undefined) {
    const comma = text.indexOf(',', end);
    const gap = text.slice(comma + 1, pairStart(next));
    return { start, end: gap.trim() === '' ? pairStart(next) : comma + 1, text: '' };
  }
  const before = items[index - 1];
  const behind = before === undefined ? start : pairEnd(before);
  if (!text.slice(behind, start).includes('#')) return { start: behind, end, text: '' };
  // The comma of the previous member stays if a comment prevents its removal; then the member's own comma is removed.
  return { start, end: end + (/^\s*,/.exec(text.slice(end))?.[0].length ?? 0), text: '' };
}

/** The separator between two members, given the text between the bracket and the first one: comments belong to that one. */
function separator(gap: string): string {
  const newline = /\r?\n[^\n]*$/.exec(gap);
  return newline === null ? gap : newline[0];
}

function firstItemStart(sequence: YAMLSeq): number | null {
  for (const { start, key, value } of itemsOf(sequence)) {
    const own = start.find(({ type }) => type === 'anchor' || type === 'tag' || type === 'explicit-key-ind');
    const token = own ?? key ?? value;
    if (token !== undefined && token !== null) return token.offset;
  }
  return null;
}

/** JSON with one member per line stays so: the gap before the first member shows the indentation. */
function spread(source: Source, value: unknown, gap: string): string {
  const newline = gap.lastIndexOf('\n');
  if (newline === -1 || !isJson(source.document)) return valueText(source, value);
  const indent = gap.slice(newline + 1);
  return JSON.stringify(value, null, indentUnit(source)).replaceAll('\n', (gap[newline - 1] === '\r' ? '\r\n' : '\n') + indent);
}

/** One step is the indentation of the outermost members. */
function indentUnit({ text, document }: Source): string {
  const first = isMap(document.contents) ? document.contents.items[0] : undefined;
  const outermost = first === undefined ? 0 : pairStart(first);
  return text.slice(lineStart(text, outermost), outermost).replaceAll(/\S/g, '');
}

function isJson({ contents }: Document.Parsed): boolean {
  const key = isMap(contents) && contents.flow === true ? contents.items[0]?.key : null;
  return isScalar(key) && key.type === 'QUOTE_DOUBLE';
}
