/** From a JSON Pointer to the place in the source that gives the value, through aliases and merge keys. */
import { isMap, isSeq, type Document } from 'yaml';
import { resolved } from './aliases.ts';
import { offsetOf, Reading } from './reading.ts';

/** Offset of the value; of the last one on the way to it that is there. */
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
