/** Rewrites the pods in the text of a file, and keeps every other byte. */
import { isDeepStrictEqual } from 'node:util';
import { visit } from 'yaml';
import jsonPatch from 'fast-json-patch';
import type { Operation } from '../patch/operations.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { decideDocument, type ManifestImage, type ManifestContext } from './decide.ts';
import { applyEdits, type Edit } from './edit.ts';
import { parseManifests, plainValue, type ManifestDocument, type ManifestFile } from './parse.ts';
import { isMerge, offsetOf, type MergeRule } from './reading.ts';
import { editsTo } from './reconcile.ts';

export interface RewrittenText {
  readonly text: string;
  readonly documents: readonly DecidedDocument[];
  readonly kept: readonly KeptDocument[];
}

export interface DecidedDocument {
  readonly document: ManifestDocument;
  /** As plain values. */
  readonly value: unknown;
  readonly images: readonly ManifestImage[];
}

/** A document that was not changed although a change was decided. */
export interface KeptDocument {
  /** Offset in the file. */
  readonly offset: number;
  readonly object: string;
  readonly reason: string;
}

/** @throws OperatorError (MANIFEST_INVALID) for invalid YAML */
export function rewriteText(policy: CompiledPolicy, file: ManifestFile, context: ManifestContext): RewrittenText {
  const documents: DecidedDocument[] = [];
  const kept: KeptDocument[] = [];
  const edits: Edit[] = [];
  for (const document of file.documents) {
    const value = plainValue(file, document);
    const decision = decideDocument(policy, value, context);
    documents.push({ document, value, images: decision.images });
    const change = changeOf({ policy, file, document, context }, decision.operations);
    if ('reason' in change) {
      const first = decision.images[0]?.workload;
      kept.push({ ...change, object: first === undefined ? 'the document' : `${first.kind}/${first.name}` });
    } else edits.push(...change.edits);
  }
  return { text: applyEdits(file.text, edits), documents, kept };
}

interface Job {
  readonly policy: CompiledPolicy;
  readonly file: ManifestFile;
  readonly document: ManifestDocument;
  readonly context: ManifestContext;
}

type DocumentChange = { readonly edits: readonly Edit[] } | { readonly offset: number; readonly reason: string };

/**
 * The edits are only accepted if the edited document reads as the patched value, both for kubectl and for kustomize, so that unusual YAML
 * cannot make a manifest differ from the decision.
 */
function changeOf(job: Job, operations: readonly Operation[]): DocumentChange {
  const { file, document } = job;
  const merge = firstMerge(document);
  const rules: readonly MergeRule[] = merge === null ? ['ordered'] : ['ordered', 'own'];
  if (merge !== null && !isDeepStrictEqual(operationsUnder(job, 'own'), operations))
    return {
      offset: merge,
      reason:
        'kubectl lets a merge key (<<) override a key above it, kustomize does not, so its images are not the same to both; write the merge key first',
    };
  const ambiguous = ambiguousCharacter(document);
  if (ambiguous !== null)
    return {
      offset: ambiguous,
      reason: 'outside quotes stands a character that kubectl takes for something else (U+0085, U+2028, U+2029 or U+FEFF); remove it',
    };
  if (operations.length === 0) return { edits: [] };
  const wanted = rules.map((rule) => ({ rule, value: patched(plainValue(file, document, rule), operations) }));
  const edits = editsTo({ ...document, newline: file.newline }, wanted[0]?.value);
  const { start, end } = document.span;
  const moved = edits?.map((edit) => shifted(edit, -start));
  const after = moved === undefined ? null : applyEdits(document.text.slice(start, end), moved);
  if (edits === null || after === null || !wanted.every(({ rule, value }) => readsAs(after, rule, value)))
    return {
      offset: document.base + offsetOf(document.document.contents),
      reason: 'it cannot be changed without changing something else; write it in a plainer style of YAML',
    };
  return { edits: edits.map((edit) => shifted(edit, document.base)) };
}

function shifted({ start, end, text }: Edit, by: number): Edit {
  return { start: start + by, end: end + by, text };
}

function operationsUnder({ policy, file, document, context }: Job, rule: MergeRule): readonly Operation[] {
  return decideDocument(policy, plainValue(file, document, rule), context).operations;
}

function patched(value: unknown, operations: readonly Operation[]): unknown {
  // A copy, since the library puts the values themselves into the document.
  const patch: jsonPatch.Operation[] = JSON.parse(JSON.stringify(operations));
  return jsonPatch.applyPatch(value, patch, false, true).newDocument;
}

function readsAs(text: string, rule: MergeRule, wanted: unknown): boolean {
  try {
    const file = parseManifests(text, '');
    const [document, ...others] = file.documents;
    return document !== undefined && others.length === 0 && isDeepStrictEqual(plainValue(file, document, rule), wanted);
  } catch (error) {
    if (error instanceof OperatorError) return false;
    throw error;
  }
}

/** Offset of the document's first merge key in the file, null if there is none. */
function firstMerge({ document, base }: ManifestDocument): number | null {
  let offset: number | null = null;
  visit(document, {
    Pair: (_, pair) => {
      if (!isMerge(pair)) return undefined;
      offset = base + offsetOf(pair.key);
      return visit.BREAK;
    },
  });
  return offset;
}

/** Offset of an unquoted character that YAML 1.1 and 1.2 parsers interpret differently. */
function ambiguousCharacter({ document, text, base, span }: ManifestDocument): number | null {
  // A byte-order mark may start a document; elsewhere kubectl treats it as part of a key.
  const separators = /[\u0085\u2028\u2029]|(?<!^---[^\n]*\n)\uFEFF/m;
  if (text.slice(span.start, span.end).search(separators) === -1) return null;
  let rest = text.slice(0, span.end);
  visit(document, {
    Scalar: (_, { type, range }) => {
      if (type?.startsWith('QUOTE') === true && range)
        rest = rest.slice(0, range[0]) + ' '.repeat(range[1] - range[0]) + rest.slice(range[1]);
    },
  });
  const found = rest.slice(span.start).search(separators);
  return found === -1 ? null : base + span.start + found;
}
