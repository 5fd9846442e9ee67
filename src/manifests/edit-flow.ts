/** Members of flow maps and sequences, which is all of JSON (https://yaml.org/spec/1.2.2/#74-flow-collection-styles). */
import { isMap, isScalar, type Document, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import type { Edit, Source } from './edit.ts';
import { itemsOf, lastItemEnd, lineStart, openEnd, pairEnd, pairStart } from './layout.ts';
import { flowText, stringText } from './quoting.ts';

/** A value on one line: as JSON in a document that is JSON, with as few quotes as it needs in others. */
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
  // JSON without any blanks is left without them.
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

/** Nothing but the member and one comma goes: comments around it stay. */
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
  // The comma of the member before it stays where a comment keeps it from going; so the member's own has to go.
  return { start, end: end + (/^\s*,/.exec(text.slice(end))?.[0].length ?? 0), text: '' };
}

/** What goes between two members, when this stands between the bracket and the first one: comments are that one's own. */
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

/** JSON that stands on lines of its own keeps doing so: the gap before the first member says how deep. */
function spread(source: Source, value: unknown, gap: string): string {
  const newline = gap.lastIndexOf('\n');
  if (newline === -1 || !isJson(source.document)) return valueText(source, value);
  const indent = gap.slice(newline + 1);
  return JSON.stringify(value, null, indentUnit(source)).replaceAll('\n', (gap[newline - 1] === '\r' ? '\r\n' : '\n') + indent);
}

/** The indentation of the outermost members is one step. */
function indentUnit({ text, document }: Source): string {
  const first = isMap(document.contents) ? document.contents.items[0] : undefined;
  const outermost = first === undefined ? 0 : pairStart(first);
  return text.slice(lineStart(text, outermost), outermost).replaceAll(/\S/g, '');
}

function isJson({ contents }: Document.Parsed): boolean {
  const key = isMap(contents) && contents.flow === true ? contents.items[0]?.key : null;
  return isScalar(key) && key.type === 'QUOTE_DOUBLE';
}
