/**
 * Text for terminals, logs and CI systems. What others wrote (names, images, messages of parsers) may hold characters that these obey:
 * escape sequences, line breaks in front of `::error`, marks that turn the reading direction. Outputs take only `Printable`, so that no
 * string reaches them without passing here; the compiler finds what was forgotten.
 */

declare const brand: unique symbol;
export type Printable = string & { readonly [brand]: true };

/**
 * Control characters (C0, DEL, C1), line and paragraph separators, lone surrogates, bidirectional controls, and the invisible tag
 * characters. https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters https://www.unicode.org/reports/tr36/
 */
const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu;

const short: Readonly<Record<string, string>> = { '\n': String.raw`\n`, '\r': String.raw`\r`, '\t': String.raw`\t` };

/** On one line, with unsafe characters as JavaScript and JSON escape them. Twice is the same as once. */
export function printable(text: string): Printable {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing unsafe is left in it
  return text.replace(unsafe, (character) => short[character] ?? escaped(character)) as Printable;
}

function escaped(character: string): string {
  let text = '';
  for (let index = 0; index < character.length; index += 1)
    text += String.raw`\u` + character.charCodeAt(index).toString(16).padStart(4, '0');
  return text;
}

/**
 * A template whose values are escaped, each on one line; line breaks of the template itself stay. For several lines of one value use
 * `joined`.
 */
export function printed(strings: TemplateStringsArray, ...values: readonly (string | number)[]): Printable {
  const text = strings.reduce((before, part, index) => before + printable(String(values[index - 1])) + part);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parts are from the program, values are escaped
  return text as Printable;
}

/** Line breaks stay: for text of several lines that is written by the program, with values of others in it that have none. */
export function printableLines(text: string): Printable {
  return joined(text.split('\n').map(printable), '\n');
}

/** @param separator of the program's own, such as a line break */
export function joined(texts: readonly Printable[], separator = ''): Printable {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- printable parts with a separator of the program's own
  return texts.join(separator) as Printable;
}

/** Text of the program itself, as help texts and colours. Never for anything that was read. */
export function ownText(text: string): Printable {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what it is for
  return text as Printable;
}

/** JSON on one line. Parsed, it is the value; unsafe characters are escaped, which JSON allows in strings and has nowhere else. */
export function jsonText(value: unknown): Printable {
  return escapedJson(JSON.stringify(value));
}

/** The same for a text of JSON, with its line breaks. */
export function escapedJson(json: string): Printable {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing unsafe is left in it
  return json.replace(unsafe, (character) => (character === '\n' ? character : escaped(character))) as Printable;
}
