/**
 * Keys that occur twice in one map of YAML. The parser's own check compares each key with all before it, which takes minutes for a map of many
 * thousand hosts.
 */
import { isNode, isScalar, visit, YAMLParseError, type Document } from 'yaml';

/** For the parser: the keys are checked by `addDuplicateKeys`. */
export const uncheckedKeys = { uniqueKeys: false } as const;

/** Adds the errors that the parser would have, in the order of the text. */
export function addDuplicateKeys({ contents, errors }: Document.Parsed): void {
  // It may be nested more deeply than can be visited.
  if (errors.some(({ code }) => code === 'RESOURCE_EXHAUSTION')) return;
  const found: YAMLParseError[] = [];
  visit(contents, {
    Map(_key, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        const value: unknown = isScalar(key) ? key.value : key;
        const start = isNode(key) ? (key.range?.[0] ?? 0) : 0;
        if (seen.has(value)) found.push(new YAMLParseError([start, start + 1], 'DUPLICATE_KEY', 'Map keys must be unique'));
        seen.add(value);
      }
    },
  });
  if (found.length === 0) return;
  errors.push(...found);
  errors.sort((one, other) => one.pos[0] - other.pos[0]);
}
