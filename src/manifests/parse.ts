/** A file of manifests: YAML documents (or JSON, a subset of YAML) with their source text. */
import { LineCounter, parseAllDocuments, type Document } from 'yaml';
import { messageOf } from '../errors/message.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { isTemplate } from '../text/go-template.ts';
import { joinFlowLines } from './flow-lines.ts';
import { isJson, jsonValues, type Span } from './json-values.ts';
import { joinQuotedLines } from './quoted-lines.ts';
import { Reading, ReadingError, type MergeRule } from './reading.ts';

export interface ManifestDocument {
  readonly document: Document.Parsed;
  /** The text that its offsets refer to: the file, or one of several JSON values. */
  readonly text: string;
  /** Offset of that text in the file. */
  readonly base: number;
  /** Starts at the end of the previous document, since comments and directives above `---` belong to this one. */
  readonly span: Span;
}

export interface ManifestFile {
  /** Name of the file in messages. */
  readonly name: string;
  readonly text: string;
  readonly newline: '\n' | '\r\n';
  readonly documents: readonly ManifestDocument[];
  readonly lines: LineCounter;
}

/**
 * Control characters except tab, line feed, carriage return and next line (https://yaml.org/spec/1.1/#c-printable), also in comments. JSON may have
 * those of them that it allows in strings.
 */
const refusedCharacter = /(?![\t\n\r\u0085])\p{Cc}|[\uFFFE\uFFFF]/u;

const codePoint = (character: string): string => `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;

/**
 * @throws OperatorError (MANIFEST_INVALID) with file, line and column of the first error
 */
export function parseManifests(text: string, name: string): ManifestFile {
  const values = jsonValues(text);
  const bom = text.startsWith('\uFEFF') ? 1 : 0;
  const spans = values ?? [{ start: bom, end: text.length }];
  const documents = spans.flatMap(({ start, end }) => parseText(text.slice(start, end), start));
  const file = { name, text, newline: text.includes('\r\n') ? ('\r\n' as const) : ('\n' as const), documents, lines: lineCounter(text) };
  const control = refusedCharacter.exec(text);
  if (control !== null && values === null && !isJson(text)) {
    const message = `the character ${codePoint(control[0])} is not allowed in YAML`;
    throw invalid(file, {
      offset: control.index,
      message,
      remedy: 'kubectl refuses it too: remove it, or write it as an escape in double quotes',
    });
  }
  for (const each of documents) {
    const error = each.document.errors[0];
    if (error !== undefined)
      throw invalid(file, { offset: each.base + error.pos[0], message: messageOf(error), remedy: 'it must be YAML or JSON', cause: error });
  }
  return file;
}

/**
 * The document as the API server would read it: aliases and merges resolved, and no value shared between two places.
 *
 * @throws OperatorError (MANIFEST_INVALID) for documents that kubectl cannot read
 */
export function plainValue(file: ManifestFile, { document, base }: ManifestDocument, rule: MergeRule = 'ordered'): unknown {
  try {
    return new Reading(document, rule).value(document.contents);
  } catch (error) {
    if (error instanceof ReadingError)
      throw invalid(file, { offset: base + error.offset, message: error.message, remedy: 'kubectl refuses it too', cause: error });
    if (error instanceof RangeError)
      throw invalid(file, { offset: base + document.range[0], message: tooDeep, remedy: 'write it less deeply', cause: error });
    throw error;
  }
}

export const tooDeep = 'it is nested too deeply for a manifest';

function parseText(text: string, base: number): ManifestDocument[] {
  // A carriage return alone ends a line in YAML 1.1; the parser only knows those of 1.2.
  const lines = text.replaceAll(/\r(?!\n)/g, '\n');
  const documents = parseLeniently(lines);
  return documents.map((document, index) => ({
    document,
    text,
    base,
    span: { start: documents[index - 1]?.range[2] ?? 0, end: document.range[2] },
  }));
}

/** Each repair may reveal the next place that needs one. */
const maxRepairs = 100;

function parseLeniently(text: string): readonly Document.Parsed[] {
  const documents = parseYaml(text);
  let [repaired, found]: [string | null, readonly Document.Parsed[]] = [text, documents];
  for (let times = 0; hasErrors(found) && times < maxRepairs; times += 1) {
    repaired = joinQuotedLines(repaired, found) ?? joinFlowLines(repaired, found);
    // The first error is the one to report.
    if (repaired === null) return documents;
    found = parseYaml(repaired);
  }
  return hasErrors(found) ? documents : found;
}

function hasErrors(documents: readonly Document.Parsed[]): boolean {
  return documents.some(({ errors }) => errors.length > 0);
}

function parseYaml(text: string): readonly Document.Parsed[] {
  // kubectl and Helm accept duplicate keys, and use the last one; so do we.
  return parseAllDocuments(text, {
    schema: 'failsafe',
    resolveKnownTags: false,
    keepSourceTokens: true,
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'silent',
  });
}

interface Mistake {
  readonly offset: number;
  readonly message: string;
  readonly remedy: string;
  readonly cause?: unknown;
}

function invalid(
  { name, text, lines }: Pick<ManifestFile, 'name' | 'text' | 'lines'>,
  { offset, message, remedy, cause }: Mistake,
): OperatorError {
  const { line, col } = lines.linePos(offset);
  const place = `${name}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  const [problem, advice] = isTemplate(text)
    ? ['this is a template', 'render it first (helm template … | transship rewrite)']
    : /call stack/i.test(message)
      ? [tooDeep, 'write it less deeply']
      : [message, remedy];
  return new OperatorError('MANIFEST_INVALID', `${place}: ${problem}`, advice, { cause });
}

function lineCounter(text: string): LineCounter {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines.addNewLine(at + 1);
  return lines;
}
