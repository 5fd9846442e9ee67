/** Static analysis of RE2 expressions. */

const plain = /[A-Za-z0-9/_@:~-]/;
const escapable = /[.\-/_:@]/;

export interface LiteralRun {
  readonly literal: string;
  /** The expression that follows. */
  readonly rest: string;
}

/** The literal text at the start of an expression, without its `^`. */
export function literalRun(expression: string): LiteralRun {
  let literal = '';
  let index = 0;
  while (index < expression.length) {
    const escaped = expression[index] === '\\' && escapable.test(expression.charAt(index + 1));
    if (!escaped && !plain.test(expression.charAt(index))) break;
    const width = escaped ? 2 : 1;
    // A quantifier makes the preceding character optional or repeated, so it is not certain.
    if (/[?*+{]/.test(expression.charAt(index + width))) break;
    literal += expression.charAt(index + width - 1);
    index += width;
  }
  return { literal, rest: expression.slice(index) };
}

/**
 * The text that every match of an expression anchored by `^` starts with; empty if it is not anchored, or has alternatives or flags. Lets a
 * table index the expression under the one host that it can match.
 */
export function literalPrefix(expression: string): string {
  if (!expression.startsWith('^') || expression.includes('|') || expression.includes('(?')) return '';
  return literalRun(expression.slice(1)).literal;
}

/** The only host that an expression can match, null where it may match several. */
export function literalHost(prefix: string): string | null {
  const slash = prefix.indexOf('/');
  return slash === -1 ? null : prefix.slice(0, slash).toLowerCase();
}

/**
 * A dot between two name characters that is neither escaped nor quantified: nearly always meant literally, as in `docker.io`, but then it
 * also matches `dockerXio`.
 */
export function unescapedDot(expression: string): string | null {
  const outsideClasses = expression.replace(/\\./g, '\\_').replace(/\[[^\]]*\]/g, '[]');
  const found = /[a-z0-9]+\.[a-z]{2,}(?![*+?{])/.exec(outsideClasses);
  return found === null ? null : found[0];
}

/** Whether the expression can only match at the start of the canonical name: all of its alternatives are anchored. */
export function isAnchored(expression: string): boolean {
  const bare = expression
    .replace(/\\./g, (escape) => (escape === '\\A' ? '^' : '_'))
    .replace(/\[[^\]]*\]/g, '_')
    .replace(/^\(\?[a-zA-Z]+\)/, '');
  return allAnchored(bare);
}

function allAnchored(text: string): boolean {
  const { alternatives } = topLevel(text);
  return alternatives.every((alternative) => {
    if (alternative.startsWith('^')) return true;
    const opening = /^\((?:\?(?:P?<\w+>|:))?/.exec(alternative);
    if (opening === null) return false;
    const { end } = topLevel(alternative.slice(1));
    // An optional group anchors nothing.
    return !/[?*{]/.test(alternative.charAt(end + 2)) && allAnchored(alternative.slice(opening[0].length, end + 1));
  });
}

/** The top-level alternatives, up to the end of the text or of the enclosing group. */
function topLevel(text: string): { alternatives: string[]; end: number } {
  const alternatives: string[] = [];
  let depth = 0;
  let start = 0;
  let end = 0;
  for (; end < text.length; end += 1) {
    const character = text[end];
    if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    if (depth < 0) break;
    if (character !== '|' || depth > 0) continue;
    alternatives.push(text.slice(start, end));
    start = end + 1;
  }
  alternatives.push(text.slice(start, end));
  return { alternatives, end };
}
