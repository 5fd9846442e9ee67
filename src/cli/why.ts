/** `transship why`: why the images of a pod are what they are. */
import { explainPod, type Explanation } from '../inspect/why/explanation.ts';
import { parseSubject } from '../inspect/why/subject.ts';
import { coloured, write, type Output } from './output.ts';
import { command } from './command.ts';
import { whyFlags } from './flags.ts';
import { inCluster, notSeen, one } from './cluster.ts';
import { openPolicy } from './policy-file.ts';
import { joined, jsonText, printable, printed, type Printable } from '../text/printable.ts';

export const whyCommand = command({
  name: 'why',
  summary: 'shows why the images of a pod were rewritten, or were not',
  usage: `transship why [flags] pod/NAME
transship why [flags] deployment/NAME      the newest pod; also statefulset, daemonset, replicaset and job

Reads a cluster and writes nothing. For each image of the pod: as it was written, as it is, and the rule; or the one reason why it was not
rewritten, with the command that changes that. For a pod that waits for an image: what the kubelet says, and whether its pull secrets fit.

It judges by the policy that the release has now. Needs the rights of the ClusterRole view, and to get namespaces and webhook configurations; reading Secrets
is optional. What it may not see, it says.`,
  flags: whyFlags,
  notes: `-o json prints one object with the keys pod, namespace, created, release, containers (name, written, image, rule, revision, code, reason, remedy, isFinding, steps),
pulls, secrets and notSeen. steps (at, from, to, reason) are those to alternatives of the rule, in order.

Exit codes: 0 nothing to do; 1 an image is not as the policy wants it, or cannot be pulled; 2 wrong usage, or the cluster cannot be read.`,
  run: async ({ values, operands }, io) => {
    const subject = parseSubject(one(operands, 'name a pod or a workload, as pod/NAME'));
    const policy = values.policy === null ? null : await openPolicy({ policy: values.policy, 'resolved-hosts': null }, io);
    const explanation = await inCluster(values, (view) =>
      explainPod(view, { namespace: values.namespace ?? view.namespace, subject, policy }),
    );
    await write(io.stdout, values.output === 'json' ? printed`${jsonText(explanation)}\n` : page(explanation, io.stdout));
    if (values.output === 'table') await write(io.stderr, notSeen(explanation.notSeen));
    const findings = [...explanation.containers.filter(({ isFinding }) => isFinding), ...explanation.pulls];
    return findings.length > 0 ? 1 : 0;
  },
});

function page({ pod, namespace, release, created, containers, pulls, secrets }: Explanation, output: Output): Printable {
  const wrong = joined([printed`\n`, coloured(output, 'red', printed`✗`), printed` `]);
  const right = joined([printed`\n`, coloured(output, 'green', printed`✓`), printed` `]);
  const head = printed`pod ${pod} in namespace ${namespace}, created ${created ?? 'at an unknown time'}${release === null ? '' : `, release ${release}`}\n`;
  const images = containers.map(({ name, written, image, rule, revision, reason, remedy, isFinding, steps }) => {
    const changed = written === image ? printed`${image}` : printed`${written}\n      -> ${image}`;
    const by = [
      ...(rule === null || reason.includes(`rule ${rule}`) ? [] : [`rule ${rule}`]),
      ...(revision === null ? [] : [`policy revision ${revision}`]),
    ];
    const why = printed`\n      ${reason}${by.length === 0 ? '' : ` (${by.join(', ')})`}\n`;
    return joined([isFinding ? wrong : right, printed`${name}: `, changed, why, stepLines(steps), remedyLine(remedy)]);
  });
  const pulled = pulls.map(({ container, image, sentence, remedy, message }) =>
    joined([wrong, printed`${container}: ${sentence}: ${image}\n      the kubelet: ${message}\n`, remedyLine(remedy)]),
  );
  const missing = secrets.map(({ sentence, remedy }) => joined([wrong, printed`${sentence}\n`, remedyLine(remedy)]));
  return joined([head, ...images, ...pulled, ...missing]);
}

/** One step is in the reason already. */
function stepLines(steps: Explanation['containers'][number]['steps']): Printable {
  if (steps.length < 2) return printable('');
  return joined(
    steps.map(({ at, from, to, reason }, index) => printed`      ${index + 1}. ${at}: ${from} (${reason ?? 'reason unknown'}) -> ${to}\n`),
  );
}

function remedyLine(remedy: string | null): Printable {
  return remedy === null ? printable('') : printed`      do: ${remedy}\n`;
}
