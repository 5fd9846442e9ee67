/** JSON values one after another, as `jq '.items[]'` prints them and `kubectl apply` takes them (https://datatracker.ietf.org/doc/html/rfc7464 without its separators). */

export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Null unless the text is several JSON objects or arrays, separated only by blanks or `---`, that YAML would not accept. */
export function jsonValues(text: string): Span[] | null {
  const spans: Span[] = [];
  let isStream = false;
  for (let at = skipBlanks(text, 0); at < text.length;) {
    const end = valueEnd(text, at);
    if (end === null || !isJson(text.slice(at, end))) return null;
    spans.push({ start: at, end });
    const next = skipBlanks(text, end);
    const separated = /^---[ \t]*(?:\r?\n|$)/.exec(text.slice(next, next + 100));
    if (separated === null && next < text.length) isStream = true;
    at = separated === null ? next : skipBlanks(text, next + separated[0].length);
  }
  return isStream ? spans : null;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\r\n\uFEFF'.includes(text.charAt(at))) at += 1;
  return at;
}

/** Index after the bracket that closes the first one; null if there is none. */
function valueEnd(text: string, start: number): number | null {
  if (text[start] !== '{' && text[start] !== '[') return null;
  const tokens = /"(?:[^"\\]|\\.)*"|[{[]|[}\]]/gs;
  tokens.lastIndex = start;
  let depth = 0;
  for (let found = tokens.exec(text); found !== null; found = tokens.exec(text)) {
    if (found[0] === '{' || found[0] === '[') depth += 1;
    else if (found[0] === '}' || found[0] === ']') depth -= 1;
    if (depth === 0) return tokens.lastIndex;
  }
  return null;
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
