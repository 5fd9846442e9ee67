/** Text that replaces an alias with another value: the alias with the difference, or a copy on one line. */
import { isDeepStrictEqual } from 'node:util';
import { isAlias, isMap, isScalar, isSeq, type Node, type Pair } from 'yaml';
import { isObject } from '../pod/json.ts';
import { Unplaced } from './layout.ts';
import { flowText, stringText } from './quoting.ts';
import type { Reading } from './reading.ts';

export class Copies {
  readonly #reading: Reading;
  readonly #final: ReadonlyMap<Node, unknown>;

  /** @param final the value of each anchored node after the changes, as far as the text has been visited; removed nodes are not included */
  constructor(reading: Reading, final: ReadonlyMap<Node, unknown>) {
    this.#reading = reading;
    this.#final = final;
  }

  says(target: Node, wanted: unknown): boolean {
    return this.#final.has(target) && isDeepStrictEqual(this.#final.get(target), wanted);
  }

  /** Replacement of an alias whose target has changed: the target with the difference, or a copy. */
  instead(target: Node, wanted: unknown): string {
    const final = this.#final.get(target);
    if (!isMap(target) || !isObject(final) || !isObject(wanted) || Object.keys(final).some((key) => !Object.hasOwn(wanted, key)))
      return this.#copy(target, wanted);
    const members = this.#reading.members(target);
    const differing = Object.keys(wanted).filter((key) => !Object.hasOwn(final, key) || !isDeepStrictEqual(final[key], wanted[key]));
    return `{<<: *${target.anchor}, ${differing.map((key) => this.member(members, key, wanted[key])).join(', ')}}`;
  }

  /** On one line. A scalar that is not text is copied as written: `0400` must not be reformatted. */
  #copy(node: unknown, wanted: unknown): string {
    if (isAlias(node)) {
      const target = this.#reading.targets.get(node);
      return target !== undefined && this.says(target, wanted) ? `*${node.source}` : this.#copy(target, wanted);
    }
    if (isMap(node) && isObject(wanted)) {
      const members = this.#reading.members(node);
      return `{${Object.keys(wanted)
        .map((key) => this.member(members, key, wanted[key]))
        .join(', ')}}`;
    }
    if (isSeq(node) && Array.isArray(wanted)) return `[${wanted.map((item, index) => this.#copy(node.items[index], item)).join(', ')}]`;
    // In a flow collection go-yaml reads `?b` as a map with the key b, YAML 1.2 as text.
    if (isScalar(node) && node.type === 'PLAIN' && /^[?:]/.test(String(node.source)))
      throw new Unplaced('text that two readers take for two things');
    if (
      isScalar(node) &&
      typeof wanted !== 'string' &&
      node.type === 'PLAIN' &&
      node.source !== '' &&
      Object.is(this.#reading.scalar(node), wanted)
    )
      return String(node.source);
    return flowText(wanted);
  }

  member(members: ReadonlyMap<string, Pair>, key: string, wanted: unknown): string {
    return `${stringText(key)}: ${this.#copy(members.get(key)?.value, wanted)}`;
  }
}
