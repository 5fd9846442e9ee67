/** A file of manifests: YAML documents (or JSON, which YAML contains) with the text they came from. */
import { LineCounter, parseAllDocuments, type Document } from 'yaml';
import { OperatorError } from '../errors/operator-error.ts';
import { messageOf } from '../errors/message.ts';

export interface ManifestFile {
  /** As messages show it. */
  readonly name: string;
  readonly text: string;
  readonly newline: '\n' | '\r\n';
  readonly documents: readonly Document.Parsed[];
  readonly lines: LineCounter;
}

/** Above what manifests use, far below what a "billion laughs" file needs. */
const maximumAliases = 1000;

/**
 * @throws OperatorError (MANIFEST_INVALID) with file, line and column of the first mistake
 */
export function parseManifests(text: string, name: string): ManifestFile {
  const lines = new LineCounter();
  // Keys that stand twice are what kubectl and Helm accept, the last one counting; refusing them is not our business.
  const documents: readonly Document.Parsed[] = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    merge: true,
    uniqueKeys: false,
  });
  const error = documents.flatMap((document) => document.errors)[0];
  if (error === undefined) return { name, text, newline: text.includes('\r\n') ? '\r\n' : '\n', documents, lines };
  const { line, col } = lines.linePos(error.pos[0]);
  throw new OperatorError(
    'MANIFEST_INVALID',
    `${name}:${Math.max(line, 1)}:${Math.max(col, 1)}: ${messageOf(error)}`,
    'it must be YAML or JSON',
    {
      cause: error,
    },
  );
}

/**
 * The document as the API server would read it, aliases and merges resolved, every place a value of its own.
 *
 * @throws OperatorError (MANIFEST_INVALID) for aliases that grow without end
 */
export function plainValue(document: Document.Parsed, file: string): unknown {
  try {
    const value: unknown = document.toJS({ maxAliasCount: maximumAliases });
    // Through JSON: an anchor and its aliases come as one shared object, and a change to one must not show in the others.
    return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
  } catch (error) {
    throw new OperatorError(
      'MANIFEST_INVALID',
      `${file} has a document whose aliases cannot be resolved: ${messageOf(error)}`,
      'write the values out',
      { cause: error },
    );
  }
}
