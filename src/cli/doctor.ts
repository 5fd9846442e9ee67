/** `transship doctor`: whether an installation works. */
import { runChecks, type CheckResult } from '../inspect/doctor/check.ts';
import { checks } from '../inspect/doctor/checks.ts';
import { gatherFacts } from '../inspect/doctor/facts.ts';
import { inCluster, notSeen } from './cluster.ts';
import { command } from './command.ts';
import { doctorFlags } from './flags.ts';
import { coloured, write, type Output } from './output.ts';
import { joined, jsonText, printed, type Printable } from '../text/printable.ts';

const nothingChecked =
  'no installation was checked: webhook configurations and bindings of admission policies may not be listed; use an account that may, as docs/reference/doctor.md says';

export const doctorCommand = command({
  name: 'doctor',
  summary: 'checks an installation: webhook, certificate, policy, labels, pull secrets',
  usage: `transship doctor [flags]

Reads a cluster and writes nothing; to see that the webhook is reached, it creates a pod in dry run, which --no-probe leaves out. One line
for each check: ✓ it holds, ✗ it does not, with the remedy below, ! it did not hold at some time, or – there is nothing to check, or your
rights do not let it see. docs/reference/doctor.md explains each check. It needs the rights of the ClusterRole view and to list webhook
configurations; Secrets, Leases, the metrics of the API server and of the webhook, and to create pods (for the dry run) are optional.`,
  flags: doctorFlags,
  notes: `-o json prints one object with the keys checks (id, title, state, problems: sentence and remedy) and notSeen.

Exit codes: 0 no problem was found; 1 there is one; 2 wrong usage, the cluster cannot be read, or your rights do not let an installation be seen.`,
  withoutOperands: '`transship why pod/NAME` explains one pod',
  run: async ({ values }, io) => {
    const { results, unseen, isSeen } = await inCluster(values, async (view) => {
      const facts = await gatherFacts(view, !values['no-probe']);
      return { results: runChecks(checks, facts), unseen: view.unseen, isSeen: facts.releases !== null };
    });
    if (values.output === 'json') await write(io.stdout, printed`${jsonText({ checks: results, notSeen: unseen })}\n`);
    else {
      await write(io.stdout, joined(results.map((result) => lines(result, io.stdout))));
      await write(io.stderr, notSeen(unseen));
    }
    // Without a release in sight, that no problem was found means nothing.
    if (!isSeen) {
      await write(io.stderr, printed`transship doctor: ${nothingChecked}\n`);
      return 2;
    }
    return results.some(({ state }) => state === 'problem') ? 1 : 0;
  },
});

function lines({ id, title, state, problems }: CheckResult, output: Output): Printable {
  if (state === 'ok') return joined([coloured(output, 'green', printed`✓`), printed` ${title}\n`]);
  if (state === 'not-seen') return printed`– ${title}: not seen\n`;
  if (state === 'none') return printed`– ${title}: nothing to check\n`;
  const wrong = state === 'past' ? printed`!` : coloured(output, 'red', printed`✗`);
  return joined(problems.map(({ sentence, remedy }) => joined([wrong, printed` ${sentence} [${id}]\n    do: ${remedy}\n`])));
}
