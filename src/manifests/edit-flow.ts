/** Members of flow maps and sequences, which is all of JSON (https://yaml.org/spec/1.2.2/#74-flow-collection-styles). */
import { isMap, isScalar, stringify, type Document, type YAMLMap, type YAMLSeq } from 'yaml';
import type { PatchValue } from '../patch/operations.ts';
import type { Edit, Source } from './edit.ts';
import { endOf, ownPair, startOf } from './nodes.ts';

/** A value on one line: as JSON in a document that is JSON, as YAML with as few quotes as it needs in others. */
export function flowText({ document }: Source, value: PatchValue): string {
  return isJson(document)
    ? JSON.stringify(value)
    : stringify(value, { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false }).trimEnd();
}

export function insertInFlow(
  source: Source,
  map: YAMLMap,
  { key, value }: { readonly key: string; readonly value: PatchValue },
): Edit | null {
  const name = isJson(source.document) ? JSON.stringify(key) : flowText(source, key);
  const first = map.items[0];
  if (first === undefined) return { start: startOf(map), end: endOf(map), text: `{${name}: ${flowText(source, value)}}` };
  const start = startOf(first);
  const gap = source.text.slice(startOf(map) + 1, start);
  // A comment in the gap would take the rest of its line with it.
  if (gap.trim() !== '') return null;
  // JSON without any blanks is left without them.
  const blank = gap === '' && isJson(source.document) ? '' : ' ';
  return { start, end: start, text: `${name}:${blank}${spread(source, value, gap)},${gap || blank}` };
}

export function appendToFlow(source: Source, sequence: YAMLSeq, values: readonly PatchValue[]): Edit | null {
  if (sequence.items.length === 0) return { start: startOf(sequence), end: endOf(sequence), text: flowText(source, values) };
  const end = endOf(sequence.items.at(-1));
  const gap = source.text.slice(startOf(sequence) + 1, startOf(sequence.items[0]));
  if (gap.trim() !== '') return null;
  return { start: end, end, text: values.map((value) => `,${gap || ' '}${flowText(source, value)}`).join('') };
}

export function removeFromFlow(map: YAMLMap, key: string): Edit | null {
  const pair = ownPair(map, key);
  if (pair === null) return null;
  const index = map.items.indexOf(pair);
  const next = map.items[index + 1];
  if (next !== undefined) return { start: startOf(pair), end: startOf(next), text: '' };
  const before = map.items[index - 1];
  return { start: before === undefined ? startOf(pair) : endOf(before), end: endOf(pair), text: '' };
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
  const outermost = isMap(document.contents) ? startOf(document.contents.items[0]) : 0;
  return text.slice(text.lastIndexOf('\n', outermost - 1) + 1, outermost).replaceAll(/\S/g, '');
}

function isJson({ contents }: Document.Parsed): boolean {
  const key = isMap(contents) && contents.flow === true ? contents.items[0]?.key : null;
  return isScalar(key) && key.type === 'QUOTE_DOUBLE';
}
