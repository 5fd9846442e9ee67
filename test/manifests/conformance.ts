/** One manifest text through `rewrite`, judged by kubectl's own reader. */
import { isDeepStrictEqual } from 'node:util';
import fjp from 'fast-json-patch';
import { parseAllDocuments } from 'yaml';
import { OperatorError } from '../../src/errors/operator-error.ts';
import { decideDocument, type ManifestContext } from '../../src/manifests/decide.ts';
import { parseManifests } from '../../src/manifests/parse.ts';
import { rewriteText } from '../../src/manifests/rewrite-text.ts';
import type { CompiledPolicy } from '../../src/rules/compile.ts';
import type { Decoder } from './decoder.ts';

export type Verdict = 'unreadable' | 'refused' | 'untouched' | 'kept' | 'changed';

export interface Judged {
  readonly text: string;
  readonly output: string | null;
  readonly verdict: Verdict;
  /** What is wrong, null when nothing is. */
  readonly problem: string | null;
  /** Why it was refused, or a document of it kept. */
  readonly said: string;
}

const context: ManifestContext = { namespaceOf: (stated) => stated ?? 'default' };
const comments = (text: string): string[] => (text.match(/# c\d+\./g) ?? []).toSorted();

interface Run {
  readonly text: string;
  readonly output: string | null;
  readonly kept: readonly string[];
  readonly said: string;
}

function run(policy: CompiledPolicy, text: string): Run {
  try {
    const { text: output, kept } = rewriteText(policy, parseManifests(text, 'test'), context);
    return { text, output, kept: kept.map(({ reason }) => reason), said: kept.map(({ reason }) => reason).join('; ') };
  } catch (error) {
    if (!(error instanceof OperatorError)) throw new Error(`a stack instead of a sentence, for ${JSON.stringify(text)}`, { cause: error });
    return { text, output: null, kept: [], said: error.message };
  }
}

/** Input and output, read by the decoder, differ in the decided places and nowhere else, and every comment survives. */
export async function judge(policy: CompiledPolicy, decoder: Decoder, texts: readonly string[]): Promise<Judged[]> {
  const runs = texts.map((text) => run(policy, text));
  const answers = await decoder.decode(runs.flatMap(({ text, output }) => [text, output ?? text]));
  return runs.map((each, index) => {
    const { text, output, kept, said } = each;
    const judged = (verdict: Verdict, problem: string | null = null): Judged => ({ text, output, said, verdict, problem });
    const [before, after] = answers.slice(2 * index, 2 * index + 2);
    if (before === undefined || after === undefined) throw new Error('an answer is missing');
    if (output === null) return judged('documents' in before ? 'refused' : 'unreadable');
    if ('error' in before) return judged('unreadable');
    if ('error' in after) return judged('changed', `kubectl refuses the output: ${after.error}`);
    if (!isDeepStrictEqual(comments(output), comments(text))) return judged('changed', 'a comment is lost');
    const problem =
      difference(policy, { before: before.documents, after: after.documents, kept: kept.length }) ??
      (output === text || kept.length > 0 ? null : disagreement(policy, output, after.documents));
    return judged(kept.length > 0 ? 'kept' : output === text ? 'untouched' : 'changed', problem);
  });
}

interface Documents {
  readonly before: readonly unknown[];
  readonly after: readonly unknown[];
  /** So many documents may be what they were. */
  readonly kept: number;
}

function difference(policy: CompiledPolicy, { before, after, kept }: Documents): string | null {
  if (before.length !== after.length) return `${before.length} documents became ${after.length}`;
  const asTheyWere = before.filter((document, index) => {
    const { operations } = decideDocument(policy, document, context);
    const wanted = fjp.applyPatch(structuredClone(document), JSON.parse(JSON.stringify(operations)), false, true).newDocument;
    return !isDeepStrictEqual(after[index], wanted);
  });
  if (asTheyWere.length > kept) return 'a document is not what was decided';
  const changed = asTheyWere.find((document) => !isDeepStrictEqual(document, after[before.indexOf(document)]));
  return changed === undefined ? null : 'a document that was to be left alone has changed';
}

/** Programs that merge keys as kustomize does have to find the images that kubectl finds. */
function disagreement(policy: CompiledPolicy, output: string, documents: readonly unknown[]): string | null {
  // Which readers take for text where it does not begin a file.
  if (output.includes('\uFEFF', 1)) return null;
  const parsed = parseAllDocuments(output, { version: '1.1', merge: true, uniqueKeys: false, logLevel: 'silent' });
  // It refuses some of what kubectl takes.
  if (parsed.some(({ errors }) => errors.length > 0)) return null;
  const others = parsed.map((document): unknown => document.toJS()).filter((value) => value !== null && value !== undefined);
  const images = (values: readonly unknown[]): string[][] =>
    values.map((value) => decideDocument(policy, value, context).images.map(({ pointer, decision }) => `${pointer} ${decision.image}`));
  return isDeepStrictEqual(images(others), images(documents)) ? null : 'the yaml package reads other images than kubectl';
}
