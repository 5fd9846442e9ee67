/** Positions in a YAML file. */
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type Document } from 'yaml';
import type { PolicyPath } from '../policy/problem.ts';
import { addDuplicateKeys, uncheckedKeys } from './unique-keys.ts';

/** Line and column, both start at 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface SourceFile {
  readonly name: string;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
}

/** The errors of the parser are in the document. */
export function parseSource(text: string, name: string): SourceFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true, ...uncheckedKeys });
  addDuplicateKeys(document);
  return { name, document, lines };
}

/**
 * The position of a value; if the path does not exist (a missing key), that of its nearest ancestor.
 *
 * @param key return the position of the last key instead of its value
 */
export function positionOf(file: SourceFile, path: PolicyPath, key = false): Position {
  let node: unknown = file.document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, step] of path.entries()) {
    const next = child(node, step);
    if (next === null) break;
    const pointAtKey = key && index === path.length - 1;
    offset = startOf(pointAtKey ? next.key : next.value) ?? startOf(next.key) ?? offset;
    node = next.value;
  }
  const { line, col } = file.lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function child(node: unknown, step: string | number): { key: unknown; value: unknown } | null {
  if (isSeq(node) && typeof step === 'number' && step < node.items.length) return { key: null, value: node.items[step] };
  if (!isMap(node)) return null;
  const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
  return pair === undefined ? null : { key: pair.key, value: pair.value };
}

function startOf(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}
