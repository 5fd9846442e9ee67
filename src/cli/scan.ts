/** `transship scan`: the images of a cluster, and what a policy would make of them. */
import { setFlagsFromString } from 'node:v8';
import { scanCluster } from '../inspect/scan/scan.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { jsonText, printed } from '../text/printable.ts';
import { inCluster, namespaceFor, notSeen } from './cluster.ts';
import { command } from './command.ts';
import { scanFlags } from './flags.ts';
import { write } from './output.ts';
import { openPolicy } from './policy-file.ts';
import { scanPage } from './scan-page.ts';

export const scanCommand = command({
  name: 'scan',
  summary: 'the images of a cluster, and what a policy would change',
  usage: `transship scan [flags] -A
transship scan [flags] [-n NAMESPACE]

Reads the running pods of a cluster and writes nothing; transship need not be installed. Without a policy: images by registry, those that Docker Hub counts as
anonymous, repositories that are frozen or moved, pods of operators that compare images, images in arguments and environment variables, and the opt-in label of each
namespace. With --policy also: what would change in which namespace by which rule, pods that keep their image until they restart, two images with one target, and
pull secrets that are missing. It needs to list pods and namespaces; reading Secrets is optional. What it may not see, it says.`,
  flags: scanFlags,
  notes: `-o json prints one object with the keys pods, images (image, registry, pods, namespaces, hasDigest, isAnonymousHub, moved), namespaces (name, label, pods),
imageManagers, unexamined, plan (images, collisions, missingSecrets; null without a policy) and notSeen. Pods that have ended are left out.

Exit codes: 0 done; 1 with --policy, two images have the same target, an image is refused, or a pull secret is missing; 2 wrong usage, or the cluster cannot be read.`,
  withoutOperands: 'name a namespace with -n, or all with -A',
  run: async ({ values }, io) => {
    if (values['all-namespaces'] && values.namespace !== null)
      throw new OperatorError('USAGE', '-A and -n exclude each other', 'leave one of them out');
    // Pages of pods are garbage as soon as they are counted: V8 would let some hundred MiB of them wait.
    for (const flag of ['--optimize-for-size', '--max-semi-space-size=1']) setFlagsFromString(flag);
    const { policy: file } = values;
    const policy = file === null ? null : await openPolicy({ policy: file, 'resolved-hosts': values['resolved-hosts'] }, io);
    const namespace = values['all-namespaces'] ? null : await namespaceFor(values);
    const report = await inCluster(values, (view) => scanCluster(view, namespace, policy));
    await write(io.stdout, values.output === 'json' ? printed`${jsonText(report)}\n` : scanPage(report));
    if (values.output === 'table') await write(io.stderr, notSeen(report.notSeen));
    const { plan } = report;
    if (plan === null) return 0;
    const isRefused = plan.images.some(({ outcome }) => outcome === 'refused');
    return isRefused || plan.collisions.length > 0 || plan.missingSecrets.length > 0 ? 1 : 0;
  },
});
