/** `transship rewrite`: manifests in, manifests out. */
import type { CompiledPolicy } from '../rules/compile.ts';
import { command, stdinOnce, type Io } from './command.ts';
import { namespaceOrElse, placeOf } from './decisions.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { displayName, readText, write } from './input.ts';
import type { Surroundings } from '../manifests/decide.ts';
import { joinTexts } from '../manifests/join.ts';
import { parseManifests } from '../manifests/parse.ts';
import { rewriteText, type RewrittenText } from '../manifests/rewrite-text.ts';
import { rewriteFlags } from './flags.ts';
import type { Given } from './read-flags.ts';
import { openPolicy } from './policy-file.ts';
import { answerReview } from './review-file.ts';

export const rewriteCommand = command({
  name: 'rewrite',
  summary: 'manifests in, manifests out; also a Helm post-renderer',
  usage: `transship rewrite --policy FILE [flags] [-f FILE]…   manifests, from standard input without -f
transship rewrite --policy FILE --review [-f FILE]   an AdmissionReview, answered as /mutate answers it

Prints the manifests as the webhook would make their pods: images, pull secrets, pull policy and the record of the original images.
Pod, Deployment, ReplicaSet, StatefulSet, DaemonSet, ReplicationController, Job, CronJob, PodTemplate and lists of them are
changed, in any version; everything else stays as it is to the byte, and so do comments, order, quoting and indentation of what is changed. Running it
again changes nothing.

Pull secrets are written into the pod template. A pod that has any of its own does not get those of its ServiceAccount: name these
in the template too where they are needed. The webhook does not have this effect, it runs after the ServiceAccount's are added.`,
  flags: rewriteFlags,
  notes: `Images that are no image reference, or whose result was refused, are left alone and named on standard error. A document is printed
as it is, and named there, when it means different things to kubectl and kustomize (a merge key below a key that it overrides), or
when it cannot be changed without changing something else.
Exit codes: 0 done; 1 a document was left as it is; 2 wrong use or unreadable input, and then nothing is printed.`,
  withoutOperands: 'name manifests with -f',
  run: rewrite,
});

async function rewrite({ values }: Given<typeof rewriteFlags>, io: Io): Promise<number> {
  const [first = '-', ...others] = values.file;
  stdinOnce([first, ...others]);
  if (values.review && others.length > 0) throw new OperatorError('USAGE', '--review answers one AdmissionReview', 'name one file with -f');
  if (values.review && values.namespace !== null)
    throw new OperatorError('USAGE', '--namespace does not go with --review, which states its own', 'leave it out');
  const policy = await openPolicy(values, io);
  if (values.review) {
    await write(io.stdout, answerReview(policy, await readText(first, io), displayName(first)));
    return 0;
  }
  // All of them before any is printed: half an output must not be applied.
  const files: RewrittenText[] = [];
  for (const path of [first, ...others])
    files.push(await rewriteFile({ policy, path, namespaceOf: namespaceOrElse(values.namespace) }, io));
  await write(io.stdout, joinTexts(files.map(({ text }) => text)));
  return files.some(({ kept }) => kept.length > 0) ? 1 : 0;
}

interface FileToRewrite extends Surroundings {
  readonly policy: CompiledPolicy;
  readonly path: string;
}

async function rewriteFile({ policy, path, namespaceOf }: FileToRewrite, io: Io): Promise<RewrittenText> {
  const file = parseManifests(await readText(path, io), displayName(path));
  const rewritten = rewriteText(policy, file, { namespaceOf });
  const { images, kept } = rewritten;
  for (const { offset, object, reason } of kept) {
    const { line, col } = file.lines.linePos(offset);
    io.stderr.write(`${file.name}:${line}:${col}: ${object} is left as it is: ${reason}\n`);
  }
  for (const { image, document } of images) {
    const { outcome, image: written, reason } = image.decision;
    if (outcome !== 'invalid' && outcome !== 'refused') continue;
    const { manifest, line, column, object } = placeOf(file, document, image);
    io.stderr.write(`${manifest}:${line}:${column}: ${object}: ${JSON.stringify(written)} is left alone: ${reason}\n`);
  }
  return rewritten;
}
