/** `transship rewrite`: rewrites the images in manifests. */
import type { CompiledPolicy } from '../rules/compile.ts';
import { command, stdinOnce, type Io } from './command.ts';
import { namespaceOrElse, placeOf } from './decisions.ts';
import { manifestFiles, ManifestReport } from './manifest-input.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { displayName, readText } from './input.ts';
import { write, writeData } from './output.ts';
import type { ManifestImage, ManifestContext } from '../manifests/decide.ts';
import { joinTexts } from '../manifests/join.ts';
import type { ManifestFile } from '../manifests/parse.ts';
import { rewriteText, type RewrittenText } from '../manifests/rewrite-text.ts';
import { rewriteFlags } from './flags.ts';
import type { Given } from './read-flags.ts';
import { openPolicy } from './policy-file.ts';
import { answerReview } from './review-file.ts';

export const rewriteCommand = command({
  name: 'rewrite',
  summary: 'rewrites images in manifests; also a Helm post-renderer',
  usage: `transship rewrite --policy FILE [flags] [-f FILE]…   manifests, from standard input without -f
transship rewrite --policy FILE --review [-f FILE]   an AdmissionReview, answered as /mutate answers it

Prints the manifests as the webhook would make their pods: images, pull secrets, pull policy and the record of the original images.
Pod, Deployment, ReplicaSet, StatefulSet, DaemonSet, ReplicationController, Job, CronJob, PodTemplate and lists of them are
changed, in any version, and so is a pod template in an object of another kind, such as an Argo Rollout. Everything else stays as it is
to the byte, and so do comments, order, quoting and indentation of what is changed. Running it again changes nothing.

Pull secrets are written into the pod template. A pod that has any of its own does not get those of its ServiceAccount: name these
in the template too where they are needed. The webhook does not have this effect, it runs after the ServiceAccount's are added.`,
  flags: rewriteFlags,
  notes: `Images that are no image reference, or whose result was refused, are left alone and named on standard error, and so is what looks
like an image and is none of a pod: in arguments, environment variables, ConfigMaps, fields of custom resources. A document is printed
as it is, and named there, when it means different things to kubectl and kustomize (a merge key below a key that it overrides), or
when it cannot be changed without changing something else.
Exit codes: 0 success; 1 a document was left as it is, or with --strict an image was invalid, refused or not examined; 2 wrong usage or unreadable input, and
then nothing is printed.`,
  run: rewrite,
});

async function rewrite({ values, operands }: Given<typeof rewriteFlags>, io: Io): Promise<number> {
  if (values.file.length === 0 && operands[0] !== undefined)
    throw new OperatorError('USAGE', `unexpected argument ${JSON.stringify(operands[0])}`, 'name manifests with -f');
  const [first = '-', ...others] = [...values.file, ...operands];
  stdinOnce([first, ...others]);
  if (values.review && others.length > 0) throw new OperatorError('USAGE', '--review answers one AdmissionReview', 'name one file with -f');
  if (values.review && values.namespace !== null)
    throw new OperatorError('USAGE', '--namespace cannot be used with --review, which has its own', 'leave it out');
  const policy = await openPolicy(values, io);
  if (values.review) {
    await write(io.stdout, answerReview(policy, await readText(first, io), displayName(first)));
    return 0;
  }
  return rewriteFiles({ policy, paths: [first, ...others], namespaceOf: namespaceOrElse(values.namespace), strict: values.strict }, io);
}

interface FilesToRewrite extends ManifestContext {
  readonly policy: CompiledPolicy;
  readonly paths: readonly string[];
  readonly strict: boolean;
}

/** Rewrites all files before printing any, and prints nothing when one cannot be read: partial output must not be applied. */
async function rewriteFiles(job: FilesToRewrite, io: Io): Promise<number> {
  const report = new ManifestReport('rewrite', io);
  const texts: string[] = [];
  let kept = 0;
  for await (const file of manifestFiles(job.paths, report, io)) {
    try {
      const rewritten = rewriteText(job.policy, file, job);
      reportKept(file, rewritten, { job, report });
      kept += rewritten.kept.length;
      texts.push(rewritten.text);
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      report.fault(error);
    }
  }
  if (report.unreadable === 0) await writeData(io.stdout, joinTexts(texts));
  return Math.max(report.end(job.strict), kept > 0 ? 1 : 0);
}

/** Reports what was not rewritten, with its position. */
function reportKept(
  file: ManifestFile,
  { documents, kept }: RewrittenText,
  { job, report }: { job: FilesToRewrite; report: ManifestReport },
): void {
  for (const { offset, object, reason } of kept) {
    const { line, col } = file.lines.linePos(offset);
    report.write(`${file.name}:${line}:${col}: ${object} is left as it is: ${reason}`);
  }
  for (const { document, value, images } of documents) {
    for (const image of images) {
      report.decided(image.decision.outcome);
      const why = leftAloneBecause(image);
      if (why === null) continue;
      const { manifest, line, column, kind, objectName } = placeOf(file, document, image, job);
      report.write(`${manifest}:${line}:${column}: ${kind}/${objectName}: ${JSON.stringify(image.decision.image)} is left alone: ${why}`);
    }
    report.unexamined(file, document, value, images);
  }
}

function leftAloneBecause({ decision: { outcome, code, reason }, workload }: ManifestImage): string | null {
  if (outcome === 'invalid' || outcome === 'refused' || code === 'never-pulled') return reason;
  return outcome === 'rewritten' && !workload.isTemplate
    ? `${workload.kind} has no pod template; the webhook rewrites the pods that are created from it`
    : null;
}
