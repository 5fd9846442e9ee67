/** The texts that matches of an anchored expression can start with, with leading groups and alternatives expanded. */
import { literalRun, type LiteralRun } from '../../rules/regex.ts';

/** Expressions with more alternatives are skipped. */
const maxStarts = 64;

/** Empty if the expression is not anchored by `^`, has flags, or has too many alternatives. */
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

/** The alternatives of a leading group, each with the rest of the expression; null unless there is a group that occurs exactly once. */
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

/** Index of the end of the group at the start of the text, -1 if it is not closed. */
function groupEnd(text: string): number {
  for (const { index, character, depth } of walk(text)) if (character === ')' && depth === 0) return index;
  return -1;
}

/** Characters with a meaning for groups: neither escaped nor in a class. `depth` is the depth outside the character's group. */
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

/** A `]` right after the opening bracket is literal. */
function classEnd(text: string, start: number): number {
  let index = start + 1;
  if (text[index] === '^') index += 1;
  if (text[index] === ']') index += 1;
  while (index < text.length && text[index] !== ']') index += text[index] === '\\' ? 2 : 1;
  return index;
}
