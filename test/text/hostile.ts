/** Texts that somebody may put into a name, an image or a label, and what must not reach a terminal. */

/** Each with what it does where it is obeyed. */
export const hostileTexts: Readonly<Record<string, string>> = {
  'a line of its own, which a CI obeys': 'a\n::error file=x::gotcha',
  'the same with a carriage return': 'a\r\n##[error]gotcha',
  'a carriage return, which writes over the line': 'a\rgotcha',
  'colours and the title of the window': '\u001b[31mred\u001b]0;title\u0007',
  'the same with C1': '\u009b31mred\u009d0;title\u009c',
  'the right-to-left override': 'moc\u202Egpj.exe',
  isolates: 'a\u2066b\u2067c\u2068d\u2069',
  'marks of the reading direction': 'a\u200eb\u200fc\u061cd',
  'line and paragraph separators': 'a\u2028b\u2029c',
  'NUL and backspaces': 'a\0b\b\b\bc',
  'delete and next line': 'a\u007fb\u0085c',
  'half of a character': 'a\ud800b',
  'invisible tags': 'a\u{e0001}\u{e0041}b',
};

/** Not by a regular expression, as the program has it: by code point. */
export function isUnsafe(codePoint: number): boolean {
  const between = (first: number, last: number): boolean => codePoint >= first && codePoint <= last;
  return (
    between(0, 0x1f) ||
    between(0x7f, 0x9f) ||
    codePoint === 0x61c ||
    between(0x200e, 0x200f) ||
    between(0x2028, 0x202e) ||
    between(0x2066, 0x2069) ||
    between(0xd800, 0xdfff) ||
    between(0xe0000, 0xe007f)
  );
}

/** Code points of a text that must not be there, line breaks left out where the text may have them. */
export function unsafeIn(text: string, { lines = true }: { readonly lines?: boolean } = {}): string[] {
  return Array.from(text).filter((character) => isUnsafe(character.codePointAt(0) ?? 0) && !(lines && character === '\n'));
}
