/**
 * Computes the edits that give a document another value, each at the text that defines it. An anchor and its aliases share one text: where
 * their values come to differ, an alias is replaced by its new value.
 */
import { isDeepStrictEqual } from 'node:util';
import { isAlias, isMap, isScalar, isSeq, type Alias, type Node, type Pair, type Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import { isObject, type JsonObject } from '../pod/json.ts';
import { Copies } from './copies.ts';
import { sorted, type Edit, type Source } from './edit.ts';
import * as block from './edit-block.ts';
import * as flow from './edit-flow.ts';
import { replaceText } from './edit-scalar.ts';
import { columnOf, nodeSpan, pairEnd, pairStart, separatorEnd, Unplaced, valueSlot } from './layout.ts';
import { blockItem, blockMember } from './quoting.ts';
import { isMerge, Reading } from './reading.ts';

/** Null if a change cannot be expressed as an edit of the text. */
export function editsTo(source: Source, wanted: unknown): Edit[] | null {
  const reconciler = new Reconciler(source);
  try {
    reconciler.node(source.document.contents, wanted);
  } catch (error) {
    // RangeError: nested deeper than the stack.
    if (error instanceof Unplaced || error instanceof RangeError) return null;
    throw error;
  }
  return reconciler.impossible ? null : sorted(reconciler.edits);
}

interface MapChange {
  /** The pair that currently gives each key its value. */
  readonly members: ReadonlyMap<string, Pair>;
  readonly wanted: JsonObject;
}

class Reconciler {
  readonly edits: Edit[] = [];
  impossible = false;
  readonly #source: Source;
  readonly #reading: Reading;
  /** The value of each anchored node after the changes. Removed nodes are not included. */
  readonly #final = new Map<Node, unknown>();
  readonly #copies: Copies;

  constructor(source: Source) {
    this.#source = source;
    this.#reading = new Reading(source.document, 'ordered');
    this.#copies = new Copies(this.#reading, this.#final);
  }

  node(node: unknown, wanted: unknown): void {
    if (isAlias(node)) return this.#alias(node, wanted);
    if (isScalar(node) || isMap(node) || isSeq(node)) {
      if (node.anchor !== undefined) this.#final.set(node, wanted);
    }
    if (isMap(node) && isObject(wanted)) this.#map(node, wanted);
    else if (isSeq(node) && Array.isArray(wanted)) this.#sequence(node, wanted);
    else if (isScalar(node)) this.#scalar(node, wanted);
    else if ((node ?? null) !== null || wanted !== null) this.impossible = true;
  }

  /** Unchanged value; anchors and aliases in it are still visited. */
  #keep(node: unknown): void {
    this.node(node, this.#reading.value(node));
  }

  #add(edit: Edit | null): void {
    if (edit === null) this.impossible = true;
    else this.edits.push(edit);
  }

  #alias(alias: Alias, wanted: unknown): void {
    const target = this.#reading.targets.get(alias);
    const span = nodeSpan(alias);
    if (target === undefined || span === null) this.impossible = true;
    else if (!this.#copies.says(target, wanted)) this.#add({ ...span, text: this.#copies.instead(target, wanted) });
  }

  #scalar(scalar: Scalar, wanted: unknown): void {
    const now = this.#reading.scalar(scalar);
    if (Object.is(now, wanted)) return;
    if (typeof now === 'string' && typeof wanted === 'string') this.#add(replaceText(this.#source, scalar, wanted));
    else {
      const span = nodeSpan(scalar);
      this.#add(span && { ...span, text: flow.valueText(this.#source, wanted) });
    }
  }

  #sequence(sequence: YAMLSeq, wanted: readonly unknown[]): void {
    const { items } = sequence;
    for (const [index, item] of items.entries()) this.node(item, wanted[index]);
    const added = wanted.slice(items.length);
    if (wanted.length < items.length) this.impossible = true;
    if (added.length === 0) return;
    if (sequence.flow === true) this.#add(flow.appendItems(this.#source, sequence, added));
    else
      this.#add(
        block.appendItems(
          this.#source,
          sequence,
          added.flatMap((item) => blockItem(item, true)),
        ),
      );
  }

  #map(map: YAMLMap, wanted: JsonObject): void {
    const members = this.#reading.members(map);
    const own = new Set<string>();
    for (const pair of map.items) {
      if (isMerge(pair)) {
        this.#mergedSources(pair, { members, wanted });
        continue;
      }
      this.#keep(pair.key);
      const key = this.#reading.key(pair);
      own.add(key);
      if (!Object.hasOwn(wanted, key)) this.#remove(map, pair);
      else if (members.get(key) === pair) this.#member(pair, wanted[key]);
      else this.#overridden(map, pair, { by: members.get(key), wanted: wanted[key] });
    }
    this.#insert(map, own, { members, wanted });
  }

  #remove(map: YAMLMap, pair: Pair): void {
    this.#add(map.flow === true ? flow.removeMember(this.#source.text, map, pair) : block.removeMember(this.#source, pair));
  }

  /**
   * The last of duplicate keys counts. Parsers disagree about a key above a merge key: an edit changes it for all of them.
   */
  #overridden(map: YAMLMap, pair: Pair, { by, wanted }: { by: Pair | undefined; wanted: unknown }): void {
    const standsTwice = by === undefined || map.items.includes(by);
    if (standsTwice || isDeepStrictEqual(this.#reading.value(by.value), wanted)) this.#keep(pair.value);
    else this.#member(pair, wanted);
  }

  #member(pair: Pair, wanted: unknown): void {
    const { value } = pair;
    const slot = wanted === null ? null : valueSlot(pair);
    if (isScalar(value) && value.anchor !== undefined && slot !== null) this.#final.set(value, wanted);
    if (slot !== null) this.#add({ start: slot, end: slot, text: ` ${flow.valueText(this.#source, wanted)}` });
    else if ((isMap(value) || isSeq(value)) && typeof wanted === 'string') this.#replaceCollection(pair, wanted);
    else this.node(value, wanted);
  }

  /** A value that no pod can have, such as a list as pull policy. */
  #replaceCollection(pair: Pair, wanted: string): void {
    const start = separatorEnd(pair);
    const end = pairEnd(pair);
    if (start === null || this.#source.text.slice(start, end).includes('#')) this.impossible = true;
    // A block scalar at its end includes the line end.
    else
      this.#add({
        start,
        end,
        text: ` ${flow.valueText(this.#source, wanted)}${this.#source.text[end - 1] === '\n' ? this.#source.newline : ''}`,
      });
  }

  /** A map written inside the merge key is edited there. An alias is kept: `#insert` adds the missing members. */
  #mergedSources(pair: Pair, { members, wanted }: MapChange): void {
    const sources = isSeq(pair.value) ? pair.value.items : [pair.value];
    for (const source of sources) {
      if (!isMap(source)) continue;
      const now = this.#reading.members(source);
      const counts = (key: string): boolean => members.get(key) === now.get(key);
      const entries = [...now].filter(([key]) => Object.hasOwn(wanted, key));
      const change = Object.fromEntries(entries.map(([key, { value }]) => [key, counts(key) ? wanted[key] : this.#reading.value(value)]));
      this.#final.set(source, change);
      this.node(source, change);
    }
  }

  #insert(map: YAMLMap, own: ReadonlySet<string>, { members, wanted }: MapChange): void {
    const merges = map.items.filter(isMerge);
    const merged = this.#merged(merges);
    const missing = Object.keys(wanted).filter((key) => !own.has(key));
    const [last] = merges.slice(-1);
    if (last === undefined) {
      for (const key of missing) this.#add(this.#insertOwn(map, key, wanted[key]));
    } else if (Object.keys(merged).some((key) => !Object.hasOwn(wanted, key))) {
      // A key cannot be removed from a merged map: the members themselves replace the merge.
      this.#expandMerges(
        map,
        merges,
        missing.map((key) => this.#copies.member(members, key, wanted[key])),
      );
    } else {
      const added = missing.filter((key) => !Object.hasOwn(merged, key) || !isDeepStrictEqual(merged[key], wanted[key]));
      const texts = added.map((key) => this.#copies.member(members, key, wanted[key]));
      if (texts.length > 0) this.#add(map.flow === true ? flow.insertBehind(last, texts) : block.insertBelow(this.#source, last, texts));
    }
  }

  #expandMerges(map: YAMLMap, merges: readonly Pair[], texts: readonly string[]): void {
    const [pair, ...others] = merges;
    if (pair === undefined || others.length > 0 || texts.length === 0) {
      this.impossible = true;
      return;
    }
    const { text, newline } = this.#source;
    const [start, end] = [pairStart(pair), pairEnd(pair)];
    if (text.slice(start, end).includes('#')) this.impossible = true;
    const separator = map.flow === true ? ', ' : newline + ' '.repeat(columnOf(text, start));
    this.#add({ start, end, text: texts.join(separator) });
  }

  #insertOwn(map: YAMLMap, key: string, value: unknown): Edit | null {
    if (map.flow === true) return flow.insertFirst(this.#source, map, key, value);
    const lines = blockMember(key, value, block.hasIndentedSequences(this.#source.text, map));
    // The pull policy of a container reads best below its image; other members have no natural neighbour.
    const image = key === 'imagePullPolicy' ? map.items.findLast((pair) => this.#reading.key(pair) === 'image') : undefined;
    const below = image === undefined ? null : block.insertBelow(this.#source, image, lines);
    return below ?? block.insertFirst(this.#source, map, lines);
  }

  /** The members that the merge keys contribute after the changes. */
  #merged(merges: readonly Pair[]): JsonObject {
    const sources = merges.flatMap((pair) => this.#reading.mergedMaps(pair).toReversed());
    return Object.fromEntries(
      sources.flatMap((source) => {
        const value = this.#final.get(source);
        if (!isObject(value)) this.impossible = true;
        return Object.entries(value ?? {});
      }),
    );
  }
}
