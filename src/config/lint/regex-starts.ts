/** What the matches of an anchored expression can begin with, its first groups and alternatives written out. */

export interface RegexStart {
  /** Literal text from the start of the name. */
  readonly literal: string;
  /** The expression that follows. */
  readonly rest: string;
}

/** More alternatives are not looked at. */
const maxStarts = 64;

/** Empty where the expression is not anchored by `^`, has flags, or has too many alternatives. */
export function regexStarts(expression: string): RegexStart[] {
  const anchored = alternativesOf(expression).flatMap(expand);
  const starts = anchored.length <= maxStarts && anchored.every((text) => text.startsWith('^')) ? anchored : [];
  return starts.map((text) => literalOf(text.replace(/^\^+/, '')));
}

/** The alternatives of a group at the start, each with what follows the group. */
function expand(text: string): string[] {
  const anchor = text.startsWith('^') ? '^' : '';
  const body = text.slice(anchor.length);
  const opening = /^\((?:\?(?:P?<\w+>|:))?/.exec(body);
  if (opening === null || body.startsWith('(?') !== opening[0].startsWith('(?')) return [text];
  const end = groupEnd(body);
  if (end === -1 || /[?*+{]/.test(body.charAt(end + 1))) return [text];
  const rest = body.slice(end + 1);
  const inner = alternativesOf(body.slice(opening[0].length, end));
  return inner.length > maxStarts ? [text] : inner.flatMap((alternative) => expand(anchor + alternative + rest));
}

function literalOf(text: string): RegexStart {
  let literal = '';
  let index = 0;
  while (index < text.length) {
    const escaped = text[index] === '\\' && /[.\-/_:@]/.test(text.charAt(index + 1));
    if (!escaped && !/[A-Za-z0-9/_@:~-]/.test(text.charAt(index))) break;
    const width = escaped ? 2 : 1;
    // A quantifier makes the character before it optional or repeated.
    if (/[?*+{]/.test(text.charAt(index + width))) break;
    literal += text.charAt(index + width - 1);
    index += width;
  }
  return { literal, rest: text.slice(index) };
}

function alternativesOf(text: string): string[] {
  const alternatives: string[] = [];
  let start = 0;
  for (const { index, character, depth } of walk(text)) {
    if (character !== '|' || depth !== 0) continue;
    alternatives.push(text.slice(start, index));
    start = index + 1;
  }
  alternatives.push(text.slice(start));
  return alternatives;
}

/** Where the group that the text begins with is closed, -1 where it is not. */
function groupEnd(text: string): number {
  for (const { index, character, depth } of walk(text)) if (character === ')' && depth === 0) return index;
  return -1;
}

/** The characters that mean something to groups: neither escaped nor in a class. `depth` is that outside of the character's group. */
function* walk(text: string): Generator<{ index: number; character: string; depth: number }> {
  let depth = 0;
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (character === '\\') index += 1;
    else if (character === '[') index = classEnd(text, index);
    else {
      if (character === ')') depth -= 1;
      yield { index, character, depth };
      if (character === '(') depth += 1;
    }
  }
}

/** A `]` right after the opening stands for itself. */
function classEnd(text: string, start: number): number {
  let index = start + 1;
  if (text[index] === '^') index += 1;
  if (text[index] === ']') index += 1;
  while (index < text.length && text[index] !== ']') index += text[index] === '\\' ? 2 : 1;
  return index;
}
