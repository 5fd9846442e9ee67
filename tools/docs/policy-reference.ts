/** The page that documents every key of the policy file, made from its JSON Schema. */
import type { JsonSchema } from '../../src/config/json-schema.ts';
import { shippedImageManagers } from '../../src/policy/image-managers.ts';
import { reasons } from '../../src/policy/reason.ts';
import type { LabelSelector } from '../../src/policy/types.ts';

/** A key as one of the alternatives of its map has it. */
interface Occurrence {
  /** Such as `as: path`, the constant that tells the alternative apart; null where there is none. */
  readonly condition: string | null;
  readonly isRequired: boolean;
}

/** Where the walk through the schema is. */
interface Place extends Occurrence {
  /** `rules[].rewrite.as` */
  readonly path: string;
  /** How many alternatives the map has that the key is in. */
  readonly alternatives: number;
}

interface Row extends Pick<Place, 'path' | 'alternatives'> {
  readonly types: Set<string>;
  readonly descriptions: Set<string>;
  readonly occurrences: Occurrence[];
  readonly default: string | null;
}

const whole = { condition: null, alternatives: 1 } as const;

const introduction = `# Policy file

<!-- Written by tools/docs/policy-reference.ts from src/config/schema.ts, src/policy and their descriptions: change those. -->

One YAML file says what becomes of which image. \`[]\` stands for an entry of a list and \`NAME\` for a name of your choice.
A key that is not listed here is an error. Editors check the file against [policy.schema.json](policy.schema.json) with this first line:

\`\`\`yaml
# yaml-language-server: $schema=docs/reference/policy.schema.json
\`\`\`

[Writing a policy](../guides/policy.md) has the common cases and mistakes. [examples](../../examples) has policies for common cases, \`transship lint\` checks a file and \`transship explain\` shows what it does ([command line](cli.md)).
`;

export function policyReference(schema: JsonSchema): string {
  const sections = Object.entries(schema.properties ?? {}).map(([key, property]) => {
    const rows = new Map<string, Row>();
    collect(property, { ...whole, path: key, isRequired: isRequired(schema, key) }, rows);
    const lines = [...rows.values()].map(line);
    return `## \`${key}\`\n\n| Key | Value | Default | What it does |\n|---|---|---|---|\n${lines.join('\n')}\n`;
  });
  return [introduction, ...sections, imageManagers(), reasonCodes()].join('\n');
}

/** The operators that are known without being named. */
function imageManagers(): string {
  const rows = shippedImageManagers.map(({ name, podSelector, source }) => `| \`${name}\` | ${selectorText(podSelector)} | ${source} |`);
  return `## Known image managers

Their pods are left alone: each of these operators compares the image of a pod with the one that it asked for, and restarts, moves or reports
the pod when it differs. Give such an operator its images by its own settings. To rewrite its pods all the same, write
\`imageManagers: [{ name: olm, exclude: false }]\`.

| Name | Pods with the labels | Read in |
|---|---|---|
${rows.join('\n')}
`;
}

function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const equal = Object.entries(matchLabels).map(([key, value]) => `\`${key}: ${value}\``);
  const other = matchExpressions.map(({ key, operator, values = [] }) =>
    operator === 'Exists' ? `\`${key}\`` : `\`${[key, operator, ...values].join(' ')}\``,
  );
  return [...equal, ...other].join(', ');
}

function reasonCodes(): string {
  const rows = Object.entries(reasons).map(([reason, { outcome, description }]) => `| \`${outcome}\` | \`${reason}\` | ${description} |`);
  return `## Reasons

Each decision has one of these codes beside its sentence. The code is stable, the sentence is not.

| Outcome | Code | Meaning |
|---|---|---|
${rows.join('\n')}
`;
}

function collect(schema: JsonSchema, place: Place, rows: Map<string, Row>): void {
  addRow(schema, place, rows);
  const maps = alternatives(schema).filter(({ properties }) => properties !== undefined);
  for (const map of maps) {
    const condition = discriminator(map);
    for (const [key, property] of Object.entries(map.properties ?? {})) {
      // The key that tells the alternatives apart is no condition of itself.
      const own = property['const'] === undefined ? condition : null;
      collect(
        property,
        { path: `${place.path}.${key}`, condition: own, isRequired: isRequired(map, key), alternatives: maps.length },
        rows,
      );
    }
  }
  for (const { additionalProperties, items } of alternatives(schema)) {
    const inner = { ...whole, isRequired: false };
    if (typeof additionalProperties === 'object' && isWorthRows(additionalProperties))
      collect(additionalProperties, { ...inner, path: `${place.path}.NAME` }, rows);
    if (items !== undefined && isWorthRows(items)) collect(items, { ...inner, path: `${place.path}[]` }, rows);
  }
}

function addRow(schema: JsonSchema, { path, alternatives: count, condition, isRequired: required }: Place, rows: Map<string, Row>): void {
  const row = rows.get(path) ?? {
    path,
    alternatives: count,
    types: new Set(),
    descriptions: new Set(),
    occurrences: [],
    default: defaultOf(schema),
  };
  for (const type of alternatives(schema).map(typeOf)) row.types.add(type);
  const description = textOf(schema);
  if (description !== '') row.descriptions.add(description);
  row.occurrences.push({ condition, isRequired: required });
  rows.set(path, row);
}

/** What stands in `anyOf` and `oneOf`, without the null that makes an empty section valid; a plain schema is its own only one. */
function alternatives(schema: JsonSchema): readonly JsonSchema[] {
  const inner = schema.anyOf ?? schema.oneOf;
  return inner === undefined ? [schema] : inner.filter((alternative) => alternative['type'] !== 'null').flatMap(alternatives);
}

/** `as: path` of a schema with one property that is constant text. */
function discriminator({ properties }: JsonSchema): string | null {
  const found = Object.entries(properties ?? {}).find(([, property]) => typeof property['const'] === 'string');
  return found === undefined ? null : `\`${found[0]}: ${String(found[1]['const'])}\``;
}

/** A plain text or number that nothing is said about is told by the type of what holds it. */
function isWorthRows(schema: JsonSchema): boolean {
  return textOf(schema) !== '' || schema.properties !== undefined || schema.anyOf !== undefined;
}

function isRequired(schema: JsonSchema, key: string): boolean {
  return Array.isArray(schema['required']) && schema['required'].includes(key);
}

function defaultOf(schema: JsonSchema): string | null {
  return schema['default'] === undefined ? null : `\`${JSON.stringify(schema['default'])}\``;
}

function textOf(schema: JsonSchema): string {
  const description = typeof schema['description'] === 'string' ? schema['description'] : '';
  return typeof schema['const'] === 'string' && description !== '' ? `\`${schema['const']}\`: ${description}` : description;
}

function typeOf(schema: JsonSchema): string {
  const { const: constant, enum: values, type, minimum, maximum } = schema;
  if (constant !== undefined) return code(constant);
  if (Array.isArray(values)) return values.map(code).join(' or ');
  if (schema.items !== undefined) return 'list';
  if (type === 'object') return 'map';
  const name = Array.isArray(type) ? type.join(' or ') : String(type);
  return typeof minimum === 'number' && typeof maximum === 'number' ? `${name} from ${minimum} to ${maximum}` : name;
}

function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function line(row: Row): string {
  const { path, types, descriptions, occurrences, alternatives: count } = row;
  const conditions = occurrences.length < count ? occurrences.flatMap(({ condition }) => condition ?? []) : [];
  const scope = conditions.length === 0 ? [] : [`With ${conditions.join(', ')}.`];
  const cells = [`\`${path}\``, [...types].join(' or '), row.default ?? necessity(row), [...descriptions, ...scope].join('<br>')];
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
}

/** A key of one alternative among several is required only where something says which alternative it is. */
function necessity({ occurrences, alternatives: count }: Row): string {
  if (!occurrences.some(({ isRequired: required }) => required)) return '';
  const isEverywhere = occurrences.length === count;
  if (!isEverywhere && occurrences.some(({ condition }) => condition === null)) return '';
  const optional = occurrences.flatMap(({ isRequired: required, condition }) => (required ? [] : (condition ?? [])));
  return optional.length === 0 ? 'required' : `required, except with ${optional.join(', ')}`;
}
