/** Finds the source of a value by JSON Pointer, through aliases and merge keys. */
import { isMap, isSeq, type Document } from 'yaml';
import { resolved } from './aliases.ts';
import { offsetOf, Reading } from './reading.ts';

/** Offset of the value, or of its nearest existing ancestor. */
export function offsetAt(document: Document, path: readonly string[]): number {
  const reading = new Reading(document, 'ordered');
  let node = resolved(reading.targets, document.contents);
  for (const step of path) {
    let next: unknown = null;
    if (isMap(node)) next = reading.members(node).get(step)?.value;
    else if (isSeq(node)) next = node.items[Number(step)];
    const found = resolved(reading.targets, next);
    if (found === null) break;
    node = found;
  }
  return offsetOf(node);
}
