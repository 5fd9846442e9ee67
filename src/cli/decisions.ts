/** The images that a command was given (as arguments, line by line or in manifests), each with its decision. */
import { tokens } from '../patch/pointer.ts';
import { decisionLabels } from '../admission/admit.ts';
import { podFields, readPod } from '../pod/pod.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { decideImage } from '../rules/decide.ts';
import { imageDecision, type ImageDecision } from '../rules/decision.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { lineGroups } from './input.ts';
import { manifestFiles, type ManifestReport } from './manifest-input.ts';
import { decideDocument, defaultNamespace, skipReason, type ManifestImage, type ManifestContext } from '../manifests/decide.ts';
import { offsetAt } from '../manifests/nodes.ts';
import { plainValue, type ManifestDocument, type ManifestFile } from '../manifests/parse.ts';
import { stdinOnce, type Io } from './command.ts';

/** Position of an image in a file of manifests. */
export interface Place {
  readonly manifest: string;
  /** JSON Pointer within the document. */
  readonly pointer: string;
  /** Both start at 1. */
  readonly line: number;
  readonly column: number;
  /** Of the object that contains the pod; the name is empty if it has none yet. */
  readonly kind: string;
  readonly objectName: string;
  /** Namespace of the decision. */
  readonly namespace: string;
}

export interface Decided {
  readonly decision: ImageDecision;
  /** Null for an image outside a manifest. */
  readonly place: Place | null;
}

export interface ImageQuery extends ManifestContext {
  /** Images, `-` for lines of standard input. */
  readonly images: readonly string[];
  /** Files and folders of manifests, `-` for standard input. */
  readonly files: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * Operands after `-f` are files too, so that the shell may expand `-f *.yaml`.
 *
 * @param others what else the command can decide
 * @throws OperatorError (USAGE) when no image or file is given
 */
export function imageQueryOf(
  words: readonly string[],
  files: readonly string[],
  others = 'or manifests with -f',
): Pick<ImageQuery, 'images' | 'files'> {
  if (words.length === 0 && files.length === 0)
    throw new OperatorError('USAGE', 'nothing to decide', `name images, - to read them from standard input, ${others}`);
  stdinOnce([...words, ...files]);
  return files.length === 0 ? { images: words, files } : { images: [], files: [...files, ...words] };
}

/** In the order of the query, in groups: what has arrived is decided without waiting for the rest. */
export async function* decisions(
  policy: CompiledPolicy,
  query: ImageQuery,
  report: ManifestReport,
  io: Io,
): AsyncGenerator<readonly Decided[]> {
  for await (const file of manifestFiles(query.files, report, io)) yield manifestDecisions(policy, file, { query, report });
  const decide = imageDecider(policy, query);
  for (const image of query.images) {
    if (image !== '-') yield [decide(image)];
    else for await (const lines of lineGroups(io.stdin)) yield lines.filter((line) => line.trim() !== '').map(decide);
  }
}

function manifestDecisions(
  policy: CompiledPolicy,
  file: ManifestFile,
  { query, report }: { query: ImageQuery; report: ManifestReport },
): Decided[] {
  try {
    return file.documents.flatMap((document) => {
      const value = plainValue(file, document);
      const { images } = decideDocument(policy, value, query);
      report.unexamined(file, document, value, images);
      return images.map((image) => ({ decision: image.decision, place: placeOf(file, document, image, query) }));
    });
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    report.fault(error);
    return [];
  }
}

export function placeOf(
  file: ManifestFile,
  document: ManifestDocument,
  { pointer, workload }: ManifestImage,
  { namespaceOf }: ManifestContext,
): Place {
  const { line, col } = file.lines.linePos(document.base + offsetAt(document.document, tokens(pointer)));
  const { kind, name, namespace } = workload;
  return { manifest: file.name, pointer, line, column: col, kind, objectName: name, namespace: namespaceOf(namespace) };
}

/** An image outside a manifest is decided for a pod with the given labels in the given namespace. */
export function imageDecider(policy: CompiledPolicy, { namespaceOf, labels }: ImageQuery): (image: string) => Decided {
  const namespace = namespaceOf(null);
  const skipped = skipReason(policy, readPod({ metadata: { labels } }, podFields(decisionLabels(policy))), namespace);
  const context = { namespace, podLabels: labels };
  return (image) => ({
    decision: skipped === null ? decideImage(policy.table, image, context) : imageDecision(image, 'pod-excluded', skipped),
    place: null,
  });
}

/** The manifest's own namespace, or the given one if it has none: like `kubectl apply --namespace`. */
export function namespaceOrElse(given: string | null): ManifestContext['namespaceOf'] {
  return (stated) => stated ?? given ?? defaultNamespace;
}
