/** Reads values.yaml into a tree in which each value has what its comment says of it. */
import { isMap, isNode, isScalar, parseDocument, type Pair, type YAMLMap } from 'yaml';

export interface Value {
  /** As it is written in templates and on the command line: `image.tag`. */
  readonly path: string;
  readonly key: string;
  /** Heading of the documents that it stands under. */
  readonly section: string;
  readonly description: string;
  /** What the documents show instead of the default. */
  readonly shownDefault: string | undefined;
  /** JSON Schema keywords from the comment. */
  readonly schema: Readonly<Record<string, unknown>>;
  readonly default: unknown;
  /** Values below it, each with a comment of its own. A map without such comments is one value. */
  readonly children: readonly Value[];
}

/** A comment that the generator cannot read; `message` names the value and what to write. */
export class ValuesCommentError extends Error {
  readonly code = 'VALUES_COMMENT';

  constructor(path: string, problem: string, cause?: unknown) {
    super(`values.yaml: ${path}: ${problem}`, { cause });
    this.name = 'ValuesCommentError';
  }
}

interface Place {
  readonly prefix: string;
  readonly section: string;
}

/** Throws ValuesCommentError when a value has no description or its `@schema` is no JSON. */
export function readValues(text: string): Value[] {
  const { contents } = parseDocument(text);
  if (!isMap(contents)) throw new ValuesCommentError('the file', 'must be a map');
  return readMap(contents, { prefix: '', section: '' });
}

function readMap(map: YAMLMap, place: Place): Value[] {
  let { section } = place;
  return map.items.map((pair, index) => {
    const value = readPair(pair, commentOf(map, index), { ...place, section });
    section = value.section;
    return value;
  });
}

function readPair({ key, value: node }: Pair, comment: string, { prefix, section: above }: Place): Value {
  const name = keyText(key);
  const path = prefix + name;
  const { description, section = above, shownDefault, schema } = readComment(comment, path);
  const children = isMap(node) && isDocumented(node) ? readMap(node, { prefix: `${path}.`, section }) : [];
  const plain: unknown = isNode(node) ? node.toJSON() : null;
  return { path, key: name, section, description, shownDefault, schema, default: plain, children };
}

const keyText = (key: unknown): string => String(isScalar(key) ? key.value : key);

const isDocumented = (map: YAMLMap): boolean => map.items.some((_, index) => commentOf(map, index).includes('-- '));

/** The comment above the first key of a map belongs, for the parser, to the map. What a blank line sets apart, such as the head of the file, is no value's. */
function commentOf(map: YAMLMap, index: number): string {
  const key = map.items[index]?.key;
  const own = isScalar(key) ? (key.commentBefore ?? '') : '';
  const whole = index === 0 ? `${map.commentBefore ?? ''}\n${own}` : own;
  return whole.trimEnd().split('\n\n').at(-1) ?? '';
}

interface Comment {
  description: string;
  section?: string;
  shownDefault: string | undefined;
  schema: Record<string, unknown>;
}

const directive = /^(?:@(?<name>section|default|schema)(?: --)?|--) (?<rest>.*)$/;

function readComment(comment: string, path: string): Comment {
  const parts: Record<string, string> = {};
  let current = '';
  for (const line of comment
    .split('\n')
    .map((text) => text.trim())
    .filter(Boolean)) {
    const found = directive.exec(line)?.groups;
    if (found === undefined && current === '')
      throw new ValuesCommentError(path, `its comment begins with "${line}", not with "-- " or "@section -- "`);
    if (found !== undefined) current = found['name'] ?? 'description';
    parts[current] = `${parts[current] ?? ''} ${found?.['rest'] ?? line}`.trim();
  }
  const { description, section, default: shownDefault } = parts;
  if (description === undefined) throw new ValuesCommentError(path, 'has no comment that begins with "# -- "');
  return { description, ...(section && { section }), shownDefault, schema: readSchema(parts['schema'] ?? '{}', path) };
}

function readSchema(text: string, path: string): Record<string, unknown> {
  try {
    return Object.fromEntries(Object.entries(JSON.parse(text)));
  } catch (error) {
    throw new ValuesCommentError(path, `its @schema is no JSON: ${text}`, error);
  }
}

/** All values that a user sets: those without children. */
export const leaves = (values: readonly Value[]): Value[] =>
  values.flatMap((value) => (value.children.length > 0 ? leaves(value.children) : [value]));
