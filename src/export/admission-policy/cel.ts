/** Pieces of CEL as text. https://github.com/google/cel-spec/blob/v0.24.0/doc/langdef.md */
import { printable } from '../../text/printable.ts';

/** A string literal, in ASCII. Unlike in JSON, `\u` may not stand for half of a character. */
export function literal(text: string): string {
  const escaped = Array.from(text.toWellFormed(), (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (character === '"' || character === '\\') return `\\${character}`;
    if (code >= 0x20 && code < 0x7f) return character;
    return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
  });
  return `"${escaped.join('')}"`;
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, '0');
}

/** Text for a comment of CEL or YAML. Beside what `printable` escapes, YAML takes no byte order mark and no noncharacters (YAML 1.2, section 5.1). */
export function commentText(text: string): string {
  return printable(text).replace(/[\ufeff\ufffe\uffff]/g, (character) => `\\u${hex(character.charCodeAt(0), 4)}`);
}

/** A list of strings on one line. */
export function strings(texts: readonly string[]): string {
  return `[${texts.map(literal).join(', ')}]`;
}

/** A list or map with one entry a line. */
export function lines(open: string, entries: readonly string[], close: string): string {
  if (entries.length === 0) return open + close;
  return `${open}\n${entries.map((entry) => indented(entry)).join(',\n')}\n${close}`;
}

export function indented(text: string, by = '  '): string {
  return text.replace(/^(?=.)/gm, by);
}

/** For RE2: the text itself. */
export function quoted(text: string): string {
  return text.replace(/[\\^$.|?*+()[\]{}]/g, String.raw`\$&`);
}
