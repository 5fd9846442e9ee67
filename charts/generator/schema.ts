/** values.schema.json: what Helm checks before it renders, so that a misspelt value is an error and not a silence. */
import { ValuesCommentError, type Value } from './values.ts';

type Schema = Record<string, unknown>;

/**
 * Draft 7 is what Helm understands. https://helm.sh/docs/topics/charts/#schema-files
 *
 * @param definitions schemas that an `@schema` may refer to, as `#/definitions/NAME`
 */
export function valuesSchema(values: readonly Value[], definitions: Readonly<Record<string, Schema>> = {}): Schema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the transship chart',
    ...closedObject(values, {
      // https://helm.sh/docs/chart_best_practices/dependencies/#conditions-and-tags
      enabled: { type: 'boolean', description: 'For a parent chart whose dependency has `condition: transship.enabled`; not read.' },
    }),
    definitions,
  };
}

function closedObject(values: readonly Value[], more: Record<string, Schema> = {}): Schema {
  const properties = Object.fromEntries(values.map((value) => [value.key, schemaOf(value)]));
  return { type: 'object', additionalProperties: false, properties: { ...properties, ...more } };
}

function schemaOf(value: Value): Schema {
  const { description } = value;
  if (value.children.length > 0) return { description, ...closedObject(value.children), ...value.schema };
  const schema: Schema = { description, type: typeOf(value.default), default: value.default, ...value.schema };
  if (schema['type'] === 'object' && !('additionalProperties' in schema)) {
    throw new ValuesCommentError(value.path, 'say in its @schema which additionalProperties it may have');
  }
  if (schema['type'] === 'array' && !('items' in schema)) throw new ValuesCommentError(value.path, 'say in its @schema what its items are');
  return schema;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' ? 'integer' : typeof value;
}
