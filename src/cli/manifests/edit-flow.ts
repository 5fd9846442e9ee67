/** Members of flow maps and sequences, which is all of JSON (https://yaml.org/spec/1.2.2/#74-flow-collection-styles). */
import { isMap, isNode, isScalar, stringify, type Document, type YAMLMap, type YAMLSeq } from 'yaml';
import type { PatchValue } from '../../patch/operations.ts';
import type { Edit, Source } from './edit.ts';
import { ownPair } from './nodes.ts';

/** A value on one line: as JSON in a document that is JSON, as YAML with as few quotes as it needs in others. */
export function flowText({ document }: Source, value: PatchValue): string {
  return isJson(document) ? JSON.stringify(value) : stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trimEnd();
}

export function insertInFlow(source: Source, map: YAMLMap, { key, value }: { readonly key: string; readonly value: PatchValue }): Edit | null {
  const range = map.range;
  if (range === null || range === undefined) return null;
  const name = isJson(source.document) ? JSON.stringify(key) : flowText(source, key);
  const first = map.items[0]?.key;
  if (first === undefined) return { start: range[0], end: range[1], text: `{${name}: ${flowText(source, value)}}` };
  const start = startOf(first);
  if (start === null) return null;
  const gap = source.text.slice(range[0] + 1, start);
  // A comment in the gap would take the rest of its line with it.
  if (gap.trim() !== '') return null;
  // JSON without any blanks is left without them.
  const blank = gap === '' && isJson(source.document) ? '' : ' ';
  return { start, end: start, text: `${name}:${blank}${spread(source, value, gap)},${gap || blank}` };
}

export function appendToFlow(source: Source, sequence: YAMLSeq, values: readonly PatchValue[]): Edit | null {
  const range = sequence.range;
  if (range === null || range === undefined) return null;
  if (sequence.items.length === 0) return { start: range[0], end: range[1], text: flowText(source, values) };
  const start = endOf(sequence.items.at(-1));
  const first = startOf(sequence.items[0]);
  if (start === null || first === null) return null;
  const gap = source.text.slice(range[0] + 1, first);
  if (gap.trim() !== '') return null;
  return { start, end: start, text: values.map((value) => `,${gap || ' '}${flowText(source, value)}`).join('') };
}

export function removeFromFlow(map: YAMLMap, key: string): Edit | null {
  const pair = ownPair(map, key);
  const index = pair === null ? -1 : map.items.indexOf(pair);
  const start = startOf(pair?.key);
  const next = startOf(map.items[index + 1]?.key);
  if (start === null) return null;
  if (next !== null) return { start, end: next, text: '' };
  const before = endOf(map.items[index - 1]?.value);
  const end = endOf(pair?.value);
  return before === null || end === null ? null : { start: before, end, text: '' };
}

/** JSON that stands on lines of its own keeps doing so: the gap before the first member says how deep. */
function spread(source: Source, value: PatchValue, gap: string): string {
  const newline = gap.lastIndexOf('\n');
  if (newline === -1 || !isJson(source.document)) return flowText(source, value);
  const indent = gap.slice(newline + 1);
  return JSON.stringify(value, null, indentUnit(source)).replaceAll('\n', (gap[newline - 1] === '\r' ? '\r\n' : '\n') + indent);
}

/** The indentation of the outermost members is one step. */
function indentUnit({ text, document }: Source): string {
  const outermost = startOf(isMap(document.contents) ? document.contents.items[0]?.key : null) ?? 0;
  return text.slice(text.lastIndexOf('\n', outermost - 1) + 1, outermost).replaceAll(/\S/g, '');
}

function isJson({ contents }: Document.Parsed): boolean {
  const key = isMap(contents) && contents.flow === true ? contents.items[0]?.key : null;
  return isScalar(key) && key.type === 'QUOTE_DOUBLE';
}

function startOf(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}

function endOf(node: unknown): number | null {
  return isNode(node) ? (node.range?.[1] ?? null) : null;
}
