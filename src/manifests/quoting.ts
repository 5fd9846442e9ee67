/** Writes values as text that YAML 1.1, YAML 1.2 and JSON parsers read as the same value. */
import { resolveScalar } from './scalars.ts';

/** Starts with a letter, and contains nothing with a meaning in a flow collection, a comment or a key. */
const plainText = /^[A-Za-z](?:[\w./@:-]*[\w/-])?$/;

/** An image below a host that starts with a digit. The slash makes it text for every parser. */
const plainAddress = /^\d[\w.:-]*\/(?:[\w./@:-]*[\w/-])?$/;

/** Characters that JSON.stringify does not escape and YAML treats as a line end or rejects (https://yaml.org/spec/1.1/#id868518). */
const unprintable = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** A string: plain if no parser can misread it, otherwise quoted. */
export function stringText(text: string): string {
  const plain = plainAddress.test(text) || (plainText.test(text) && typeof resolveScalar(text, true, undefined) === 'string');
  if (plain) return text;
  // JSON in JSON quotes would be all escapes.
  return text.includes('"') && /^[\x20-\x7e]*$/.test(text) ? `'${text.replaceAll("'", "''")}'` : doubleQuoted(text);
}

export function doubleQuoted(text: string): string {
  return JSON.stringify(text).replaceAll(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** On one line, with as few quotes as possible. */
export function flowText(value: unknown): string {
  if (typeof value === 'string') return stringText(value);
  if (Array.isArray(value)) return `[${value.map(flowText).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `{${Object.entries(value)
    .map(([key, member]) => `${stringText(key)}: ${flowText(member)}`)
    .join(', ')}}`;
}

/** The lines of a block map's member, the first without indentation. */
export function blockMember(key: string, value: unknown, indentSequences: boolean): string[] {
  const name = `${stringText(key)}:`;
  if (isEmpty(value) || typeof value !== 'object' || value === null) return [`${name} ${flowText(value)}`];
  if (!Array.isArray(value)) return [name, ...blockLines(value, indentSequences).map((line) => `  ${line}`)];
  return [name, ...value.flatMap((item) => blockItem(item, indentSequences)).map((line) => (indentSequences ? `  ${line}` : line))];
}

/** The lines of a block sequence's item, the first with its `-`. */
export function blockItem(value: unknown, indentSequences: boolean): string[] {
  if (isEmpty(value) || typeof value !== 'object' || value === null || Array.isArray(value)) return [`- ${flowText(value)}`];
  return blockLines(value, indentSequences).map((line, index) => `${index === 0 ? '-' : ' '} ${line}`);
}

function blockLines(value: object, indentSequences: boolean): string[] {
  return Object.entries(value).flatMap(([key, member]) => blockMember(key, member, indentSequences));
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
