/**
 * Flow collections over several lines that stand no deeper than their key, such as `args: [` with its `]` in the column of `args`. go-yaml
 * does not look at the indentation in brackets, YAML 1.2 and its parser do (https://yaml.org/spec/1.2.2/#63-line-prefixes).
 */
import { isCollection, visit, type Document } from 'yaml';

/**
 * The same text, to the character as long, with the lines of the first such collection of each document joined by blanks and without its
 * comments: every offset is what it was, and of the values only the white space in its scalars is another. Null when there is nothing of
 * the kind.
 */
export function joinFlowLines(text: string, documents: readonly Document[]): string | null {
  const parts: string[] = [];
  let end = 0;
  for (const document of documents) {
    const start = openCollection(document);
    const lines = start === null || start < end ? null : flowCollection(text, start);
    if (start === null || lines === null) continue;
    parts.push(text.slice(end, start), lines);
    end = start + lines.length;
  }
  const joined = parts.join('') + text.slice(end);
  return joined === text ? null : joined;
}

/** Offset of the first bracket that the parser found no end of. */
function openCollection(document: Document): number | null {
  if (document.errors.length === 0) return null;
  let first: number | null = null;
  visit(document, (_, node) => {
    const token = isCollection(node) ? node.srcToken : undefined;
    if (token?.type !== 'flow-collection' || token.end.some(({ type }) => type.startsWith('flow-'))) return undefined;
    first = token.start.offset;
    return visit.BREAK;
  });
  return first;
}

/** Blanks, a comment behind one, text in quotes where a scalar begins, a bracket, what separates, or the characters of a plain scalar. */
const tokens = /(\s+(?:#[^\n\r]*)?)|((?<=[[{,:\s])(?:"(?:[^"\\]|\\[^])*"|'(?:[^']|'')*'))|([[{])|([\]}])|[,:]|[^\s,:[\]{}]+/gy;

/**
 * From its bracket to the one that closes it, on one line. Null when none does, or when a plain scalar has several lines: joined by more
 * than one blank, it would be another text.
 */
function flowCollection(text: string, start: number): string | null {
  tokens.lastIndex = start;
  const parts: string[] = [];
  let depth = 0;
  let afterPlain = false;
  let onNextLine = false;
  for (let found = tokens.exec(text); found !== null; found = tokens.exec(text)) {
    const [token, blanks, quoted, opening, closing] = found;
    // Where the document ends for kubectl, whatever is open.
    if (/[\n\r]---/.test(text.slice(found.index, found.index + token.length + 3))) return null;
    if (blanks !== undefined) {
      onNextLine ||= /[\n\r]/.test(blanks);
      parts.push(' '.repeat(blanks.length));
      continue;
    }
    const isPlain = quoted === undefined && !/^[,:[\]{}]$/.test(token);
    if (isPlain && afterPlain && onNextLine) return null;
    [afterPlain, onNextLine] = [isPlain, false];
    if (opening !== undefined) depth += 1;
    if (closing !== undefined) depth -= 1;
    parts.push(token.replaceAll(/[\n\r]/g, ' '));
    if (depth === 0) return parts.join('');
  }
  return null;
}
