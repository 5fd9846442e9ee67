/** Every key of a policy file as its JSON Schema has it, with each value that it names. */
import { policyJsonSchema, type JsonSchema } from '../../src/config/json-schema.ts';

/** As `rules[].rewrite(path).spelling = "written"`; in brackets the transform, and after a colon the type of what is free. */
export function schemaLeaves(): string[] {
  return [...new Set(leaves(policyJsonSchema(), ''))];
}

function leaves(schema: JsonSchema, path: string): string[] {
  const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  const below = [
    ...Object.entries(schema.properties ?? {}).flatMap(([key, child]) => leaves(child, path === '' ? key : `${path}.${key}`)),
    ...(typeof schema.additionalProperties === 'object' ? leaves(schema.additionalProperties, `${path}.*`) : []),
    ...(schema.items === undefined ? [] : leaves(schema.items, `${path}[]`)),
    ...inner.flatMap((each) => {
      const as = each.properties?.['as']?.['const'];
      return leaves(each, typeof as === 'string' ? `${path}(${as})` : path);
    }),
  ];
  return below.length > 0 ? below : values(schema).map((value) => path + value);
}

function values({ type, enum: chosen, const: only }: JsonSchema): string[] {
  if (Array.isArray(chosen)) return chosen.map((value) => ` = ${JSON.stringify(value)}`);
  if (only !== undefined) return [` = ${JSON.stringify(only)}`];
  if (type === 'boolean') return [' = true', ' = false'];
  return [`: ${String(type)}`];
}
