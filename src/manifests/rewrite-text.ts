/** Manifests in, manifests out: the text of a file with its pods rewritten, and everything else to the byte as it was. */
import { isDeepStrictEqual } from 'node:util';
import type { Document } from 'yaml';
import jsonPatch from 'fast-json-patch';
import { OperatorError } from '../errors/operator-error.ts';
import type { Operation } from '../patch/operations.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { decideDocument, type ManifestImage, type Surroundings } from './decide.ts';
import { applyEdits, editsOf, type Edit } from './edit.ts';
import { writtenAnew } from './expand.ts';
import { parseManifests, plainValue, type ManifestFile } from './parse.ts';

export interface RewrittenText {
  readonly text: string;
  readonly images: readonly { readonly image: ManifestImage; readonly document: Document.Parsed }[];
}

/** @throws OperatorError (MANIFEST_INVALID) for what is no YAML */
export function rewriteText(policy: CompiledPolicy, file: ManifestFile, surroundings: Surroundings): RewrittenText {
  const images: RewrittenText['images'][number][] = [];
  const edits: Edit[] = [];
  for (const [index, document] of file.documents.entries()) {
    const value = plainValue(document, file.name);
    const decision = decideDocument(policy, value, surroundings);
    images.push(...decision.images.map((image) => ({ image, document })));
    if (decision.operations.length > 0)
      edits.push(...documentEdits({ file, document, start: file.documents[index - 1]?.range[2] ?? 0, value }, decision.operations));
  }
  return { text: applyEdits(file.text, edits), images };
}

interface Changed {
  readonly file: ManifestFile;
  readonly document: Document.Parsed;
  /** Offset where the document before it ends: directives and comments before `---` belong to this one. */
  readonly start: number;
  /** Plain values before the change; the comparison changes them. */
  readonly value: unknown;
}

/**
 * The edits are only believed when the edited document reads as the patched value, so that no unusual YAML can make a manifest
 * say something else than was decided.
 */
function documentEdits({ file, document, start, value }: Changed, operations: readonly Operation[]): readonly Edit[] {
  // A copy, since the library puts the values themselves into the document.
  const patch: jsonPatch.Operation[] = JSON.parse(JSON.stringify(operations));
  const wanted: unknown = jsonPatch.applyPatch(value, patch, false, true).newDocument;
  const end = document.range[2];
  const before = file.text.slice(start, end);
  for (const merged of ['shared', 'own'] as const) {
    const edits = editsOf({ text: file.text, newline: file.newline, document }, operations, merged);
    const inDocument = edits?.map((edit) => ({ start: edit.start - start, end: edit.end - start, text: edit.text }));
    if (edits !== null && inDocument !== undefined && readsAs(applyEdits(before, inDocument), wanted)) return edits;
  }
  const text = writtenAnew(document, before, operations);
  if (!readsAs(text, wanted))
    throw new OperatorError(
      'MANIFEST_INVALID',
      `${file.name}: a document could not be changed as decided`,
      'please report it together with the file',
    );
  return [{ start, end, text }];
}

function readsAs(text: string, wanted: unknown): boolean {
  try {
    const [document, ...others] = parseManifests(text, '').documents;
    return document !== undefined && others.length === 0 && isDeepStrictEqual(plainValue(document, ''), wanted);
  } catch (error) {
    if (error instanceof OperatorError) return false;
    throw error;
  }
}
