/** Every image that a command is asked about, named on the command line, read line by line or found in manifests, with its decision. */
import { tokens } from '../patch/pointer.ts';
import { decisionLabels } from '../admission/admit.ts';
import { podFields, readPod } from '../pod/pod.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { decideImage } from '../rules/decide.ts';
import { leftAlone, type ImageDecision } from '../rules/decision.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { displayName, lineGroups, readText } from './input.ts';
import { decideDocument, defaultNamespace, skipReason, type ManifestImage, type Surroundings } from '../manifests/decide.ts';
import { offsetAt } from '../manifests/nodes.ts';
import { parseManifests, plainValue, type ManifestDocument, type ManifestFile } from '../manifests/parse.ts';
import { stdinOnce, type Io } from './command.ts';

/** Where an image stands in a file of manifests. */
export interface Place {
  readonly manifest: string;
  /** JSON Pointer below the document. */
  readonly pointer: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  /** Kind and name of the object: `Deployment/web`. */
  readonly object: string;
}

export interface Decided {
  readonly decision: ImageDecision;
  /** Null for an image that was named without a manifest. */
  readonly place: Place | null;
}

export interface Question {
  /** Images, `-` for lines of standard input. */
  readonly images: readonly string[];
  /** Files of manifests, `-` for standard input. */
  readonly files: readonly string[];
  readonly namespaceOf: Surroundings['namespaceOf'];
  readonly labels: Readonly<Record<string, string>>;
}

/** @throws OperatorError (USAGE) unless there are either images or files */
export function checkQuestion(images: readonly string[], files: readonly string[]): void {
  if (images.length === 0 && files.length === 0)
    throw new OperatorError('USAGE', 'nothing to decide', 'name images, - to read them from standard input, or manifests with -f');
  if (images.length > 0 && files.length > 0) throw new OperatorError('USAGE', 'images and -f do not go together', 'give one or the other');
  stdinOnce([...images, ...files]);
}

/** In the order of the question, in groups: what has arrived is decided without waiting for the rest. */
export async function* decisions(policy: CompiledPolicy, question: Question, io: Io): AsyncGenerator<readonly Decided[]> {
  for (const path of question.files) {
    const file = parseManifests(await readText(path, io), displayName(path));
    yield manifestDecisions(policy, file, question);
  }
  const decide = imageDecider(policy, question);
  for (const image of question.images) {
    if (image !== '-') yield [decide(image)];
    else for await (const lines of lineGroups(io.stdin)) yield lines.filter((line) => line.trim() !== '').map(decide);
  }
}

function manifestDecisions(policy: CompiledPolicy, file: ManifestFile, surroundings: Surroundings): Decided[] {
  return file.documents.flatMap((document) =>
    decideDocument(policy, plainValue(file, document), surroundings).images.map((image) => ({
      decision: image.decision,
      place: placeOf(file, document, image),
    })),
  );
}

export function placeOf(file: ManifestFile, document: ManifestDocument, { pointer, workload }: ManifestImage): Place {
  const { line, col } = file.lines.linePos(document.base + offsetAt(document.document, tokens(pointer)));
  return { manifest: file.name, pointer, line, column: col, object: `${workload.kind}/${workload.name}` };
}

/** An image alone is decided as that of a pod with the given labels, in the given namespace. */
function imageDecider(policy: CompiledPolicy, { namespaceOf, labels }: Question): (image: string) => Decided {
  const namespace = namespaceOf(null);
  const skipped = skipReason(readPod({ metadata: { labels } }, podFields(decisionLabels(policy))), namespace);
  const context = { namespace, podLabels: labels };
  return (image) => ({
    decision: skipped === null ? decideImage(policy.table, image, context) : leftAlone(image, 'pod-excluded', skipped),
    place: null,
  });
}

/** The manifest's own namespace, the given one for manifests that have none: what applying them with `--namespace` means. */
export function namespaceOrElse(given: string | null): Surroundings['namespaceOf'] {
  return (stated) => stated ?? given ?? defaultNamespace;
}
