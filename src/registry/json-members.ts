/**
 * JSON as Go's encoding/json reads it into a struct: all members in the order of the text, including repeated names, because each of them
 * is validated and later ones override earlier ones. `JSON.parse` keeps only the last one.
 */

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonMembers;

export class JsonMembers {
  readonly entries: readonly (readonly [name: string, value: JsonValue])[];

  constructor(entries: readonly (readonly [string, JsonValue])[]) {
    this.entries = entries;
  }

  /** Values of a field in order. Names match case-insensitively, as for fields of Go structs: https://pkg.go.dev/encoding/json#Unmarshal */
  values(field: string): JsonValue[] {
    const name = new RegExp(`^${field}$`, 'iu');
    return this.entries.flatMap(([key, value]) => (name.test(key) ? [value] : []));
  }
}

const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** @throws SyntaxError, whose message quotes the text */
export function parseMembers(text: string): JsonValue {
  // Validates the syntax, so that the reader below only sees valid JSON.
  JSON.parse(text);
  return new Reader(text.match(token) ?? []).value();
}

class Reader {
  readonly #tokens: readonly string[];
  #next = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  value(): JsonValue {
    const first = this.#take();
    if (first === '{') return new JsonMembers(this.#list('}', () => this.#member()));
    if (first === '[') return this.#list(']', () => this.value());
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a token that is neither brace nor bracket is a scalar
    return JSON.parse(first) as string | number | boolean | null;
  }

  #member(): readonly [string, JsonValue] {
    const name = String(JSON.parse(this.#take()));
    this.#take();
    return [name, this.value()];
  }

  #list<T>(end: string, item: () => T): T[] {
    const items: T[] = [];
    while (this.#tokens[this.#next] !== end) {
      items.push(item());
      if (this.#tokens[this.#next] === ',') this.#next += 1;
    }
    this.#next += 1;
    return items;
  }

  #take(): string {
    return this.#tokens[this.#next++] ?? '';
  }
}
