/** From a JSON Pointer to the node of the YAML source that gives the value, through aliases and merge keys. */
import { isAlias, isMap, isNode, isPair, isScalar, isSeq, type Document, type Node, type Pair, type Range, type YAMLMap } from 'yaml';

/** The node, with aliases resolved to what they stand for; null where the pointer leads nowhere. */
export function nodeAt(document: Document, path: readonly string[]): Node | null {
  let node = resolved(document, document.contents);
  for (const step of path) {
    if (isMap(node)) node = resolved(document, pairOf(document, node, step)?.value);
    else if (isSeq(node)) node = resolved(document, node.items[Number(step)]);
    else return null;
  }
  return node;
}

/** The pair that gives the map this key: its own, or else the one that a merge key (`<<`) brings. */
export function pairOf(document: Document, map: YAMLMap, key: string): Pair | null {
  return ownPair(map, key) ?? mergedPair(document, map, key);
}

/** Of a key that stands twice, the last one counts. */
export function ownPair(map: YAMLMap, key: string): Pair | null {
  return map.items.findLast((pair) => isPair(pair) && isScalar(pair.key) && String(pair.key.value) === key) ?? null;
}

/** The pair of a merge key, null where there is none. The library reads `<<` as a symbol, so that it is no key like any other. */
export function mergePair(map: YAMLMap): Pair | null {
  return map.items.findLast(({ key }) => isScalar(key) && typeof key.value === 'symbol') ?? null;
}

/** The maps that `<<` brings into a map (https://yaml.org/type/merge.html), the first one counting most. */
export function mergedMaps(document: Document, map: YAMLMap): YAMLMap[] {
  const value = resolved(document, mergePair(map)?.value);
  const sources = isSeq(value) ? value.items.map((item) => resolved(document, item)) : [value];
  return sources.filter((source): source is YAMLMap => isMap(source));
}

/** Offset of a parsed node in the source; of a pair, that of its key. */
export function startOf(item: unknown): number {
  return rangeOf(isPair(item) ? item.key : item)[0];
}

/** Offset behind the last character of the value, without comments; a key may have no value at all: `{ a }`. */
export function endOf(item: unknown): number {
  return rangeOf(isPair(item) ? (item.value ?? item.key) : item)[1];
}

function rangeOf(node: unknown): Range {
  if (isNode(node) && node.range) return node.range;
  throw new TypeError('only nodes that were parsed, and not made, have a place in the source');
}

function mergedPair(document: Document, map: YAMLMap, key: string): Pair | null {
  for (const source of mergedMaps(document, map)) {
    const found = pairOf(document, source, key);
    if (found !== null) return found;
  }
  return null;
}

function resolved(document: Document, value: unknown): Node | null {
  if (isAlias(value)) return value.resolve(document) ?? null;
  return isNode(value) ? value : null;
}
