/** The JSON Schema of the policy file, for editors and for the keys that error messages suggest. */
import * as z from 'zod';
import { policySchema } from './schema.ts';

export interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly [keyword: string]: unknown;
}

/** Draft 7, which editors and Helm support. */
export function policyJsonSchema(): JsonSchema {
  // Through text, since the library's type also allows values that it never emits.
  return JSON.parse(JSON.stringify(z.toJSONSchema(policySchema, { io: 'input', target: 'draft-7' })));
}

/** The keys that an object at this path may have; alternatives are merged. */
export function knownKeys(path: readonly PropertyKey[]): string[] {
  let schemas: JsonSchema[] = alternatives(policyJsonSchema());
  for (const step of path) schemas = schemas.flatMap((schema) => below(schema, step)).flatMap(alternatives);
  return [...new Set(schemas.flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

/** Where a key is known, starting from a map at this path: below one of its keys, or beside it; null if nowhere near. */
export function placesOf(key: string, path: readonly (string | number)[]): string | null {
  const inner = knownKeys(path).find((child) => knownKeys([...path, child]).includes(key));
  if (inner !== undefined) return `below ${inner}`;
  for (let end = path.length - 1; end >= 0; end -= 1) {
    const outer = path.slice(0, end);
    if (typeof path[end] === 'string' && knownKeys(outer).includes(key)) return `beside ${path[end]}`;
  }
  return null;
}

function alternatives(schema: JsonSchema): JsonSchema[] {
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return inner.length === 0 ? [schema] : [schema, ...inner.flatMap(alternatives)];
}

function below(schema: JsonSchema, step: PropertyKey): JsonSchema[] {
  if (typeof step === 'number') return schema.items === undefined ? [] : [schema.items];
  const property = schema.properties?.[String(step)];
  if (property !== undefined) return [property];
  return typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : [];
}
