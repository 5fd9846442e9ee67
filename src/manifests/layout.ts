/** Positions of the parts of a document in its text, from the parser's tokens. Offsets are in UTF-16 units. */
import { isNode, type CST, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';

/** A node that the parser synthesized, or text that must not move. */
export class Unplaced extends Error {}

type Item = NonNullable<Pair['srcToken']>;
type Token = CST.Token;

/** Between the items of a collection; the rest of an item's start is its first own token. */
const separators: ReadonlySet<string> = new Set(['space', 'newline', 'comment', 'comma', 'seq-item-ind', 'flow-error-end']);
const blanks: ReadonlySet<string> = new Set(['space', 'newline', 'comment']);

/** Start of a pair's key, including `?`, anchor and tag. */
export function pairStart(pair: Pair): number {
  const item = itemOf(pair);
  const first = item.start.find((token) => !separators.has(token.type)) ?? item.key ?? item.sep?.[0];
  if (first === undefined || first === null) throw new Unplaced('a pair without a place in the source');
  return tokenStart(first);
}

/** End of the pair, without trailing blanks and comments. After a block scalar that is the start of a line. */
export function pairEnd(pair: Pair): number {
  return itemEnd(itemOf(pair)) ?? pairStart(pair);
}

/** End of the last item of a non-empty collection. */
export function lastItemEnd(collection: YAMLMap | YAMLSeq): number {
  const items = itemsOf(collection);
  for (const item of items.toReversed()) {
    const end = itemEnd(item);
    if (end !== null) return end;
  }
  throw new Unplaced('a collection without items');
}

/** Position for an absent value: after the `:` and its anchors and tags; null if there is a value or no `:`. */
export function valueSlot(pair: Pair): number | null {
  return (itemOf(pair).value ?? null) === null ? separatorEnd(pair) : null;
}

/** After the `:` of a pair and its anchors and tags; null if there is none. */
export function separatorEnd(pair: Pair): number | null {
  const last = itemOf(pair).sep?.findLast((token) => !blanks.has(token.type));
  return last === undefined ? null : last.offset + last.source.length;
}

/** A scalar or alias without its anchor and tag, a collection with its brackets; null for an absent value. */
export function nodeSpan(node: unknown): { readonly start: number; readonly end: number } | null {
  const token = isNode(node) ? node.srcToken : undefined;
  return token === undefined ? null : { start: tokenStart(token), end: tokenEnd(token) };
}

/** Position after the opening bracket of a flow collection. */
export function openEnd(collection: YAMLMap | YAMLSeq): number | null {
  const token = collection.srcToken;
  return token?.type === 'flow-collection' ? token.start.offset + token.start.source.length : null;
}

/** Comments inside a pair, and after its value on the same line, in the order of the text. */
export function commentsOf(pair: Pair): string[] {
  const found: string[] = [];
  gather(itemOf(pair), found);
  return found;
}

export function columnOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}

export function lineStart(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

/** End of the line, before its line end. */
export function lineEnd(text: string, offset: number): number {
  const newline = text.indexOf('\n', offset);
  if (newline === -1) return text.length;
  return newline > offset && text[newline - 1] === '\r' ? newline - 1 : newline;
}

export function itemsOf(collection: YAMLMap | YAMLSeq): readonly Item[] {
  const token = collection.srcToken;
  return token !== undefined && 'items' in token ? (token.items as readonly Item[]) : [];
}

function itemOf(pair: Pair): Item {
  if (pair.srcToken === undefined) throw new Unplaced('a pair without a place in the source');
  return pair.srcToken;
}

function itemEnd({ start, key, sep, value }: Item): number | null {
  if (value !== undefined && value !== null) return tokenEnd(value);
  const last = sep?.findLast((token) => !blanks.has(token.type));
  if (last !== undefined) return last.offset + last.source.length;
  if (key !== undefined && key !== null) return tokenEnd(key);
  const first = start.findLast((token) => !blanks.has(token.type) && token.type !== 'comma');
  return first === undefined ? null : first.offset + first.source.length;
}

function tokenStart(token: Token): number {
  return token.type === 'flow-collection' ? token.start.offset : token.offset;
}

function tokenEnd(token: Token): number {
  switch (token.type) {
    case 'block-scalar':
      return token.offset + token.props.reduce((sum, prop) => sum + ('source' in prop ? prop.source.length : 0), token.source.length);
    case 'flow-collection':
      return (token.end[0]?.offset ?? token.offset) + 1;
    case 'block-map':
    case 'block-seq':
      for (const item of (token.items as readonly Item[]).toReversed()) {
        const end = itemEnd(item);
        if (end !== null) return end;
      }
      return token.offset;
    default:
      return token.offset + ('source' in token ? token.source.length : 0);
  }
}

function gather(part: unknown, found: string[]): void {
  if (Array.isArray(part)) {
    for (const each of part) gather(each, found);
    return;
  }
  if (typeof part !== 'object' || part === null) return;
  if ('type' in part && part.type === 'comment' && 'source' in part) found.push(String(part.source));
  else for (const key of ['start', 'key', 'sep', 'value', 'props', 'items', 'end']) gather(Object(part)[key], found);
}
