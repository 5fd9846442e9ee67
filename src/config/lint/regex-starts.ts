/** What the matches of an anchored expression can begin with, its first groups and alternatives written out. */
import { literalRun, type LiteralRun } from '../../rules/regex.ts';

/** More alternatives are not looked at. */
const maxStarts = 64;

/** Empty where the expression is not anchored by `^`, has flags, or has too many alternatives. */
export function regexStarts(expression: string): LiteralRun[] {
  const starts: string[] = [];
  const open = alternativesOf(expression);
  for (let text = open.pop(); text !== undefined; text = open.pop()) {
    const alternatives = groupAtStart(text);
    if (alternatives === null) starts.unshift(text);
    else open.push(...alternatives);
    if (open.length + starts.length > maxStarts) return [];
  }
  return starts.every((text) => text.startsWith('^')) ? starts.map((text) => literalRun(text.replace(/^\^+/, ''))) : [];
}

/** The alternatives of a group at the start, each with what follows the group; null where there is none that must be there once. */
function groupAtStart(text: string): string[] | null {
  const anchor = text.startsWith('^') ? '^' : '';
  const body = text.slice(anchor.length);
  const opening = /^\((?:\?(?:P?<\w+>|:))?/.exec(body);
  if (opening === null || body.startsWith('(?') !== opening[0].startsWith('(?')) return null;
  const end = groupEnd(body);
  if (end === -1 || /[?*+{]/.test(body.charAt(end + 1))) return null;
  const rest = body.slice(end + 1);
  return alternativesOf(body.slice(opening[0].length, end)).map((alternative) => anchor + alternative + rest);
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
