/**
 * Text in quotes over several lines that stand no deeper than their key, as `kubectl get -o yaml` and formatters leave them. go-yaml reads
 * them, YAML 1.2 and its parser do not (https://yaml.org/spec/1.2.2/#rule-s-flow-folded).
 */
import { isScalar, visit, type Document } from 'yaml';

/**
 * The same text, to the character as long, with such lines joined by blanks: every offset is what it was, and of the values only the white
 * space in this one is another. Null when there is nothing of the kind.
 */
export function joinQuotedLines(text: string, documents: readonly Document[]): string | null {
  let joined = text;
  for (const start of openQuotes(documents)) {
    const end = closingQuote(text, start);
    if (end !== null) joined = joined.slice(0, start) + joined.slice(start, end).replaceAll(/[\r\n]/g, ' ') + joined.slice(end);
  }
  return joined === text ? null : joined;
}

/** Offsets of quotes that the parser found no end of. */
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
