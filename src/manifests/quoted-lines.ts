/**
 * Quoted text over several lines that are not indented deeper than their key, as `kubectl get -o yaml` and formatters write them. go-yaml
 * reads them; YAML 1.2 and its parser do not (https://yaml.org/spec/1.2.2/#rule-s-flow-folded).
 */
import { isScalar, visit, type Document } from 'yaml';

/**
 * The same text, of equal length, with such lines joined by blanks: offsets stay valid, and only white space in this value differs. Null if
 * there is no such text.
 */
export function joinQuotedLines(text: string, documents: readonly Document[]): string | null {
  const parts: string[] = [];
  let done = 0;
  for (const start of openQuotes(documents)) {
    const end = start < done ? null : closingQuote(text, start);
    if (end === null) continue;
    parts.push(text.slice(done, start), text.slice(start, end).replaceAll(/[\r\n]/g, ' '));
    done = end;
  }
  const joined = parts.join('') + text.slice(done);
  return joined === text ? null : joined;
}

/** Offsets of quotes for which the parser found no end. */
function openQuotes(documents: readonly Document[]): number[] {
  const found: number[] = [];
  for (const document of documents) {
    const errors = new Set(document.errors.map(({ pos }) => pos[0]));
    visit(document, {
      Scalar: (_, scalar) => {
        const token = isScalar(scalar) ? scalar.srcToken : undefined;
        const isQuoted = token?.type === 'single-quoted-scalar' || token?.type === 'double-quoted-scalar';
        if (isQuoted && errors.has(token.offset + token.source.length)) found.push(token.offset);
      },
    });
  }
  return found;
}

function closingQuote(text: string, start: number): number | null {
  const quoted = text[start] === "'" ? /'(?:[^']|'')*'/y : /"(?:[^"\\]|\\[^])*"/y;
  quoted.lastIndex = start;
  return quoted.test(text) ? quoted.lastIndex : null;
}
