/**
 * A document written anew. It is what is left where one text stands for several places (an anchor that something else uses too)
 * and only some of them change: aliases and merge keys are replaced by what they stand for, and each place gets its own value.
 */
import { isAlias, isNode, isScalar, visit, type Document, type Node } from 'yaml';
import type { Operation } from '../patch/operations.ts';
import { tokens } from '../patch/pointer.ts';
import { mergedMaps, mergePair, ownPair } from './nodes.ts';

/** A list that stands in the column of its key, as kubectl prints them. */
const unindentedSequence = /^( *)(?:- +)?[^\s#-][^\n]*:\r?\n\1- /m;

/**
 * The text of the changed document. Comments and order are kept, indentation and line breaks are the library's, as near to the
 * original as it can be told.
 *
 * @param before the text of the original
 */
export function writtenAnew(original: Document.Parsed, before: string, operations: readonly Operation[]): string {
  const document = original.clone();
  expand(document);
  for (const operation of operations) apply(document, operation);
  const text = document.toString({
    lineWidth: 0,
    flowCollectionPadding: /[{[] /.test(before),
    indentSeq: !unindentedSequence.test(before),
  });
  return before.includes('\r\n') ? text.replaceAll('\n', '\r\n') : text;
}

function expand(document: Document): void {
  visit(document, {
    Alias: (_, alias) => copyOf(alias.resolve(document)),
  });
  visit(document, {
    Map: (_, map) => {
      const merge = mergePair(map);
      if (merge === null) return;
      const sources = mergedMaps(document, map);
      map.items.splice(map.items.indexOf(merge), 1);
      for (const pair of sources.flatMap((source) => source.items)) {
        if (isScalar(pair.key) && ownPair(map, String(pair.key.value)) === null) map.items.push(pair.clone());
      }
    },
  });
  visit(document, {
    Node: (_, node) => {
      if (!isAlias(node)) delete node.anchor;
    },
  });
}

/** A copy without anchors: two of the same name would make the later aliases mean the later one. */
function copyOf(node: unknown): Node | undefined {
  const copy: unknown = isNode(node) ? node.clone() : undefined;
  return isNode(copy) ? copy : undefined;
}

function apply(document: Document, operation: Operation): void {
  const path = tokens(operation.path);
  if (operation.op === 'remove') {
    document.deleteIn(path);
    return;
  }
  const { value } = operation;
  if (path.at(-1) === '-') document.addIn(path.slice(0, -1), document.createNode(value));
  else document.setIn(path, typeof value === 'string' ? value : document.createNode(value));
}
