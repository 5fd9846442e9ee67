/**
 * Text for terminals, logs and CI systems. Untrusted text (names, images, messages of parsers) may contain characters that these interpret:
 * escape sequences, line breaks before `::error`, marks that change the reading direction. Outputs accept only `Printable`, so that the
 * compiler finds every string that was not escaped here.
 */

declare const brand: unique symbol;
export type Printable = string & { readonly [brand]: true };

/**
 * Control characters (C0, DEL, C1), line and paragraph separators, lone surrogates, bidirectional controls, and the invisible tag
 * characters. https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters https://www.unicode.org/reports/tr36/
 */
const unsafe = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu;

const short: Readonly<Record<string, string>> = { '\n': String.raw`\n`, '\r': String.raw`\r`, '\t': String.raw`\t` };

/** On one line, with unsafe characters escaped as in JavaScript and JSON. Idempotent. */
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
 * A template whose values are escaped, each on one line; line breaks of the template itself are kept. For a value of several lines use
 * `joined`.
 */
export function printed(strings: TemplateStringsArray, ...values: readonly (string | number)[]): Printable {
  const text = strings.reduce((before, part, index) => before + printable(String(values[index - 1])) + part);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parts are from the program, values are escaped
  return text as Printable;
}

/** Keeps line breaks: for text of several lines that the program writes, with embedded values that have none. */
export function printableLines(text: string): Printable {
  return joined(text.split('\n').map(printable), '\n');
}

/** @param separator a constant of the program, such as a line break */
export function joined(texts: readonly Printable[], separator = ''): Printable {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- printable parts with a separator of the program's own
  return texts.join(separator) as Printable;
}

/** Constants of the program, such as help texts and colours. Never for text that was read. */
export function ownText(text: string): Printable {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what it is for
  return text as Printable;
}

/** JSON on one line. Parsing it gives the value; unsafe characters only occur in strings, where JSON allows escapes. */
export function jsonText(value: unknown): Printable {
  return escapedJson(JSON.stringify(value));
}

/** Likewise for JSON text, keeping its line breaks. */
export function escapedJson(json: string): Printable {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing unsafe is left in it
  return json.replace(unsafe, (character) => (character === '\n' ? character : escaped(character))) as Printable;
}
