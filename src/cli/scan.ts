/** `transship scan`: the images of a cluster, and what a policy would make of them. */
import { writeFile } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import type { V1Pod } from '@kubernetes/client-node';
import { reportPage } from '../inspect/report/page.ts';
import type { ScanReport } from '../inspect/scan/report.ts';
import { scanCluster, scanPods } from '../inspect/scan/scan.ts';
import type { ClusterView } from '../inspect/view.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { unreadableReason } from '../errors/system-error.ts';
import { jsonText, printed } from '../text/printable.ts';
import { inCluster, notSeen } from './cluster.ts';
import { command, type Io } from './command.ts';
import { namespaceOrElse } from './decisions.ts';
import { scanFlags } from './flags.ts';
import { displayName } from './input.ts';
import { ManifestReport, manifestWorkloads } from './manifest-input.ts';
import { write } from './output.ts';
import { openPolicy } from './policy-file.ts';
import type { Given } from './read-flags.ts';
import { scanPage } from './scan-page.ts';
import { isObject, member } from '../pod/json.ts';
import type { CompiledPolicy } from '../rules/compile.ts';

export const scanCommand = command({
  name: 'scan',
  summary: 'the images of a cluster, and what a policy would change',
  usage: `transship scan [flags] -A
transship scan [flags] [-n NAMESPACE]
transship scan [flags] -f FILE…   the pods of manifests, without a cluster

Reads the running pods of a cluster and writes nothing; transship need not be installed.

Without a policy: images by registry, those that Docker Hub counts as anonymous, repositories that are frozen or moved, pods of operators that
compare images, images in arguments and environment variables and in custom resources, pods that the controller moved to an alternative of their
rule (to which, since when, and why), and the opt-in label of each namespace.
With --policy also: what would change in which namespace by which rule, pods that keep their image until they restart, two images with one
target, pull secrets that are missing or have no entry for the image, and what the controller's feature verify found missing in registries.

--html writes the same as one page that needs no network, to look at and to pass on. It needs the right to list pods; to list namespaces, Secrets
and custom resources is optional. What it may not see, it says.`,
  flags: scanFlags,
  notes: `-o json prints one object with the keys pods, images (image, registry, pods, namespaces, hasDigest, isAnonymousHub, moved), namespaces (name, label, pods),
imageManagers, fallbacks (namespace, from, to, reason, pods, since, latest), unexamined, customResources (apiVersion, kind, namespace, name, field,
image), plan (images, collisions, missingSecrets, missingImages, unfitSecrets; null without a policy) and notSeen. Pods that have ended are left out.
Of custom resources, which are found by API discovery, at most 300 kinds, 2,000 objects of each and 1,000 images are read; what was cut off is in
notSeen. ClusterRole view often lacks the right to list them: those groups are in notSeen, each once. With -f, images of custom resources are
named on standard error, with file and line.

Exit codes: 0 done; 1 with --policy, two images have the same target, an image is refused or missing in its registry, or a pull secret is missing
or fits no image; 2 wrong usage, the cluster cannot be read, or there is no such namespace.`,
  withoutOperands: 'name a namespace with -n, or all with -A',
  run: async ({ values }, io) => {
    if (values['all-namespaces'] && values.namespace !== null)
      throw new OperatorError('USAGE', '-A and -n exclude each other', 'leave one of them out');
    if (values.html === '-') throw new OperatorError('USAGE', '--html - would mix the page with the table', 'name a file');
    // Pages of pods are garbage as soon as they are counted: V8 would let some hundred MiB of them wait.
    for (const flag of ['--optimize-for-size', '--max-semi-space-size=1']) setFlagsFromString(flag);
    const { policy: file } = values;
    const policy = file === null ? null : await openPolicy({ policy: file, 'resolved-hosts': values['resolved-hosts'] }, io);
    const { report, exitCode } = values.file.length > 0 ? await ofManifests(values, policy, io) : await ofCluster(values, policy);
    // First, so that a path that cannot be written is the only thing that is told.
    if (values.html !== null) await writePage(values.html, report);
    await write(io.stdout, values.output === 'json' ? printed`${jsonText(report)}\n` : scanPage(report));
    if (values.output === 'table') await write(io.stderr, notSeen(report.notSeen));
    return Math.max(exitCode, hasProblem(report) ? 1 : 0);
  },
});

/** @throws OperatorError (OUTPUT_FAILED) */
async function writePage(path: string, report: ScanReport): Promise<void> {
  try {
    await writeFile(path, reportPage(report, new Date()));
  } catch (error) {
    const problem = `${displayName(path)} cannot be written: ${unreadableReason(error)}`;
    throw new OperatorError('OUTPUT_FAILED', problem, 'name a file in a folder that is there and may be written', { cause: error });
  }
}

type ScanValues = Given<typeof scanFlags>['values'];

interface Scanned {
  readonly report: ScanReport;
  readonly exitCode: number;
}

async function ofCluster(values: ScanValues, policy: CompiledPolicy | null): Promise<Scanned> {
  const namespaceIn = (view: ClusterView): string | null => (values['all-namespaces'] ? null : (values.namespace ?? view.namespace));
  const hasCustomResources = !values['no-custom-resources'];
  return {
    report: await inCluster(values, (view) => scanCluster(view, { namespace: namespaceIn(view), hasCustomResources }, policy)),
    exitCode: 0,
  };
}

/** What is not a pod or the template of one is not counted, and is said. */
async function ofManifests(values: ScanValues, policy: CompiledPolicy | null, io: Io): Promise<Scanned> {
  if (values['all-namespaces']) throw new OperatorError('USAGE', '-A and -f exclude each other', 'leave one of them out');
  const namespaceOf = namespaceOrElse(values.namespace);
  const input = new ManifestReport('scan', io);
  const pods: V1Pod[] = [];
  for await (const { pod, name, namespace } of manifestWorkloads(values.file, input, io))
    pods.push(podOf(pod, name, namespaceOf(namespace)));
  return { report: scanPods(pods, policy), exitCode: input.end(null) };
}

/** A template has no name and no namespace. */
function podOf(template: unknown, name: string, namespace: string): V1Pod {
  const metadata: unknown = member(template, 'metadata');
  const pod = { metadata: { name, ...(isObject(metadata) ? metadata : {}), namespace }, spec: member(template, 'spec') };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the fields that are read are checked where they are read
  return pod as V1Pod;
}

function hasProblem({ plan }: ScanReport): boolean {
  if (plan === null) return false;
  return (
    plan.images.some(({ outcome }) => outcome === 'refused') ||
    plan.collisions.length > 0 ||
    plan.missingSecrets.length > 0 ||
    plan.missingImages.length > 0 ||
    plan.unfitSecrets.length > 0
  );
}
