/**
 * A JSON Patch as changes to the text it was made for, so that every byte that need not change stays: comments, order, quoting,
 * indentation, JSON as JSON. What cannot be said as such a change is answered with null, and the document is written anew.
 */
import { isMap, isScalar, isSeq, stringify, type Document, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import type { Operation, PatchValue } from '../patch/operations.ts';
import { tokens } from '../patch/pointer.ts';
import { appendToBlock, insertInBlock, removeFromBlock } from './edit-block.ts';
import { appendToFlow, flowText, insertInFlow, removeFromFlow } from './edit-flow.ts';
import { endOf, nodeAt, ownPair, pairOf, startOf } from './nodes.ts';

/** Replace the source from `start` to `end`, offsets in UTF-16 units. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface Source {
  /** Of the whole file. */
  readonly text: string;
  /** The line end of the file. */
  readonly newline: string;
  readonly document: Document.Parsed;
}

/**
 * How a key that a merge (`<<`) brings is changed: where it stands, for all maps that share it, or by a key of the map's own,
 * which counts more than a merged one.
 */
export type MergedKeys = 'shared' | 'own';

/** Null when any of the operations, or all of them together, cannot be said as changes of the text. */
export function editsOf(source: Source, operations: readonly Operation[], merged: MergedKeys): Edit[] | null {
  const edits: Edit[] = [];
  for (const change of changesOf(operations)) {
    const edit = editOf(source, change, merged);
    if (edit === null) return null;
    // An anchor and its aliases are one place in the text: changing it once is enough.
    if (!edits.some((other) => other.start === edit.start && other.end === edit.end && other.text === edit.text)) edits.push(edit);
  }
  const sorted = edits.toSorted((a, b) => a.start - b.start);
  return sorted.some((edit, index) => edit.start < (sorted[index - 1]?.end ?? 0)) ? null : sorted;
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

type Change = Operation | { readonly op: 'append'; readonly path: string; readonly values: readonly PatchValue[] };

/** What is appended to one list goes in as one change: its items stand at one place in the text. */
function changesOf(operations: readonly Operation[]): Change[] {
  const changes: Change[] = [];
  for (const operation of operations) {
    if (operation.op === 'remove' || !operation.path.endsWith('/-')) {
      changes.push(operation);
      continue;
    }
    const last = changes.at(-1);
    const values = last?.op === 'append' && last.path === operation.path ? last.values : [];
    if (values.length > 0) changes.pop();
    changes.push({ op: 'append', path: operation.path, values: [...values, operation.value] });
  }
  return changes;
}

function editOf(source: Source, operation: Change, merged: MergedKeys): Edit | null {
  const path = tokens(operation.path);
  const key = path.pop() ?? '';
  const parent = nodeAt(source.document, path);
  if (operation.op === 'append') return isSeq(parent) ? append(source, parent, operation.values) : null;
  if (!isMap(parent)) return null;
  if (operation.op === 'remove') return parent.flow === true ? removeFromFlow(parent, key) : removeFromBlock(source, parent, key);
  const pair = merged === 'own' ? ownPair(parent, key) : pairOf(source.document, parent, key);
  if (pair === null) return insert(source, parent, { key, value: operation.value });
  const present = nodeAt(source.document, [...path, key]);
  return isScalar(present) ? replaceScalar(source, present, operation.value) : null;
}

function append(source: Source, sequence: YAMLSeq, values: readonly PatchValue[]): Edit | null {
  return sequence.flow === true ? appendToFlow(source, sequence, values) : appendToBlock(source, sequence, values);
}

function insert(source: Source, map: YAMLMap, member: { key: string; value: PatchValue }): Edit | null {
  if (map.flow === true) return insertInFlow(source, map, member);
  // The pull policy of a container reads best below its image; nothing else has a neighbour it belongs to.
  const image = member.key === 'imagePullPolicy' ? ownPair(map, 'image') : null;
  return insertInBlock(source, map, { ...member, below: image });
}

function replaceScalar(source: Source, scalar: Scalar, value: PatchValue): Edit | null {
  const start = startOf(scalar);
  const end = endOf(scalar);
  if (typeof value !== 'string' || scalar.value === null) {
    // `annotations:` with nothing behind it; what is null takes a value on the same line.
    return scalar.value === null ? { start, end, text: (start === end ? ' ' : '') + flowText(source, value) } : null;
  }
  if (scalar.type === 'QUOTE_DOUBLE') return { start, end, text: JSON.stringify(value) };
  if (scalar.type === 'QUOTE_SINGLE') return { start, end, text: `'${value.replaceAll("'", "''")}'` };
  return scalar.type === 'PLAIN' ? { start, end, text: stringify(value, { lineWidth: 0 }).trimEnd() } : null;
}
