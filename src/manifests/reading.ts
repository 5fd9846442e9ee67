/** The values of a YAML document as different parsers read it. */
import { isAlias, isMap, isScalar, isSeq, type Alias, type Document, type Node, type Pair, type Scalar, type YAMLMap } from 'yaml';
import { aliasTargets, resolved, type AliasTargets } from './aliases.ts';
import { resolveScalar, TagError, type ScalarValue } from './scalars.ts';

/**
 * Parsers agree on everything except merge keys (https://yaml.org/type/merge.html).
 * - `ordered` is go-yaml v2, that is kubectl and Helm: `<<` sets its keys at its position, so it overrides an own key above it
 * - `own` is kustomize, and the YAML packages of most languages: an own key overrides a merged one at any position
 */
export type MergeRule = 'ordered' | 'own';

/** A construct that kubectl cannot read, with its offset. */
export class ReadingError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Maximum number of values after expanding aliases. go-yaml accepts this many without checking their ratio. */
const maxValues = 400_000;

export class Reading {
  readonly targets: AliasTargets;
  readonly #rule: MergeRule;
  readonly #open = new Set<Node>();
  #values = 0;
  #aliases = 0;

  constructor(document: Document, rule: MergeRule) {
    this.targets = aliasTargets(document);
    this.#rule = rule;
  }

  /**
   * Plain values, none shared between two places; keys are text, as in JSON.
   *
   * @throws ReadingError
   */
  value(item: unknown): unknown {
    if (isAlias(item)) return this.#expanded(item, () => this.value(this.#target(item)));
    const node = this.#target(item);
    if (node === null) return null;
    if (isScalar(node)) return this.scalar(node);
    return this.#guarded(node, () => {
      if (isSeq(node)) return node.items.map((child) => this.value(child));
      if (!isMap(node)) return null;
      const members = this.members(node);
      // An overridden value must be readable as well.
      for (const pair of node.items) if (!isMerge(pair) && members.get(this.key(pair)) !== pair) this.value(pair.value);
      return Object.fromEntries([...members].map(([key, pair]) => [key, this.value(pair.value)]));
    });
  }

  /** The pair that gives each key its value. */
  members(map: YAMLMap): Map<string, Pair> {
    const own = new Map<string, Pair>();
    const merged: Map<string, Pair>[] = [];
    for (const pair of map.items) {
      if (!isMerge(pair)) {
        own.set(this.key(pair), pair);
        continue;
      }
      const sources = this.mergedMaps(pair).map((source) => this.#guarded(source, () => this.members(source)));
      if (this.#rule === 'own') merged.push(...sources);
      else for (const source of sources.toReversed()) for (const [key, found] of source) own.set(key, found);
    }
    for (const source of merged) for (const [key, pair] of source) if (!own.has(key)) own.set(key, pair);
    return own;
  }

  /** The maps of a merge key, by descending precedence. */
  mergedMaps(pair: Pair): YAMLMap[] {
    const value = this.#target(pair.value);
    const sources = isSeq(value) ? value.items.map((item) => this.#target(item)) : [value];
    return sources.map((source) => {
      if (isMap(source)) return source;
      throw new ReadingError('a merge key (<<) takes a map or a list of maps', offsetOf(pair.key));
    });
  }

  key({ key }: Pair): string {
    const node = this.#target(key);
    if (!isScalar(node)) throw new ReadingError('a map or list cannot be a key', offsetOf(key));
    const value = this.scalar(node);
    if (value === null) throw new ReadingError('null cannot be a key', offsetOf(key));
    return String(value);
  }

  scalar(scalar: Scalar): ScalarValue {
    try {
      return resolveScalar(String(scalar.value), scalar.type === undefined || scalar.type === 'PLAIN', scalar.tag);
    } catch (error) {
      if (error instanceof TagError) throw new ReadingError(error.message, offsetOf(scalar));
      throw error;
    }
  }

  #target(item: unknown): Node | null {
    if (this.#aliases > 0 && ++this.#values > maxValues)
      throw new ReadingError(`aliases add up to more than ${maxValues} values`, offsetOf(item));
    return resolved(this.targets, item);
  }

  #expanded<T>(item: Alias, read: () => T): T {
    if (!this.targets.has(item)) throw new ReadingError(`no anchor &${item.source} stands above this alias`, offsetOf(item));
    this.#aliases += 1;
    try {
      return read();
    } finally {
      this.#aliases -= 1;
    }
  }

  #guarded<T>(node: Node, read: () => T): T {
    if (this.#open.has(node)) throw new ReadingError('an anchor cannot contain its own alias', offsetOf(node));
    this.#open.add(node);
    try {
      return read();
    } finally {
      this.#open.delete(node);
    }
  }
}

/** Only a plain `<<`, or one with the tag `!!merge`, is a merge key. */
export function isMerge({ key }: Pair): boolean {
  if (!isScalar(key) || key.value !== '<<') return false;
  return key.tag === undefined ? key.type === 'PLAIN' : key.tag === 'tag:yaml.org,2002:merge';
}

export function offsetOf(item: unknown): number {
  return (isScalar(item) || isAlias(item) || isMap(item) || isSeq(item) ? item.range?.[0] : undefined) ?? 0;
}
