/** The tables of values in the documents, one for each section. */
import type { Value } from './values.ts';

/** Markdown; `heading` is what a section's heading begins with, as `##`. */
export function valuesTables(values: readonly Value[], heading: string): string {
  const rows = values.flatMap(withDescendants);
  const sections = [...new Set(rows.map(({ section }) => section))];
  const table = (section: string) => [
    `${heading} ${section}`,
    '',
    '| Value | Default | What it does |',
    '|---|---|---|',
    ...rows.filter((value) => value.section === section).map(row),
    '',
  ];
  return sections.flatMap(table).join('\n');
}

const withDescendants = (value: Value): Value[] => [value, ...value.children.flatMap(withDescendants)];

const row = (value: Value): string => `| \`${value.path}\` | ${cell(shownDefault(value))} | ${cell(value.description)} |`;

function shownDefault(value: Value): string {
  if (value.children.length > 0) return '';
  return value.shownDefault ?? `\`${JSON.stringify(value.default)}\``;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');
