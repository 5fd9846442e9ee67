/** `transship explain`: what happens to images, and why. */
import { command, type Io } from './command.ts';
import { decisions, namespaceOrElse, imageQueryOf, type Decided } from './decisions.ts';
import { explanationTable, jsonLine } from './explanation.ts';
import { outcomes } from '../policy/outcome.ts';
import { joined, printable } from '../text/printable.ts';
import { write } from './output.ts';
import { count, ManifestReport } from './manifest-input.ts';
import { explainFlags } from './flags.ts';
import type { Given } from './read-flags.ts';
import { openPolicy } from './policy-file.ts';

export const explainCommand = command({
  name: 'explain',
  summary: 'shows what happens to images, and why',
  usage: `transship explain --policy FILE [flags] IMAGE…
transship explain --policy FILE [flags] -          images from standard input, one a line
transship explain --policy FILE [flags] -f FILE…   every image of manifests

Prints one decision for each image. With -o json that is one line with the keys image, name, tag, digest, outcome, rule, result,
pullSecrets, reason and alternatives; name is the canonical name, and what is absent is null. The alternatives of a rule are a list of
objects with the keys target, image and problem: without an image, problem says why. With -f the keys manifest, pointer,
line, kind, objectName and namespace follow: kind and name of the object that holds the pod, and the namespace it was decided for.
Outcomes: rewritten, already-there, no-rule, excluded, invalid, refused, unchanged.`,
  flags: explainFlags,
  notes: `Of manifests, pods and pod templates in objects of every kind are decided; whatever else looks like an image is named on standard error,
with a summary below it. More than 20 images are grouped by outcome and rule.

Exit codes: 0 every image was decided, whatever the outcome; 1 with --strict, an image was invalid, refused or not examined; 2 wrong usage or unreadable input.`,
  run: explain,
});

/** Tables of manifests with more rows than this are grouped. */
const longList = 20;

async function explain({ values, operands }: Given<typeof explainFlags>, io: Io): Promise<number> {
  const { output } = values;
  const labels = Object.fromEntries(values.label);
  const only = values.only ?? [];
  const query = imageQueryOf(operands, values.file);
  const policy = await openPolicy(values, io);
  // "What if it were in that namespace": here the flag overrides the manifest.
  const stated = namespaceOrElse(values.namespace);
  const namespaceOf = values.namespace === null ? stated : (): string => stated(null);
  const report = new ManifestReport('explain', io);
  const all: Decided[] = [];
  const table = explanationTable(
    policy.rules.map((rule) => rule.policy.name),
    io.stdout,
  );
  // Printed with the first rows, so that nothing is printed when nothing can be read.
  let head = output === 'table' ? table.head : printable('');
  for await (const group of decisions(policy, { ...query, namespaceOf, labels }, report, io)) {
    for (const { decision } of group) report.decided(decision.outcome);
    const shown = group.filter(({ decision }) => only.length === 0 || only.includes(decision.outcome));
    if (query.files.length > 0) all.push(...group);
    if (query.files.length > 0 && output === 'table') continue;
    if (shown.length === 0) continue;
    await write(io.stdout, joined([head, ...shown.map(output === 'json' ? jsonLine : table.row)]));
    head = printable('');
  }
  if (query.files.length > 0) {
    const shown = all.filter(({ decision }) => only.length === 0 || only.includes(decision.outcome));
    if (output === 'table' && shown.length > 0)
      await write(io.stdout, joined([head, ...(shown.length > longList ? [table.grouped(shown)] : shown.map(table.row))]));
    if (report.foundOrRead(all.length)) report.write(summary(all, report.files));
  }
  return report.end(values.strict);
}

function summary(all: readonly Decided[], files: number): string {
  const groups = Map.groupBy(all, ({ decision }) => decision.outcome);
  const counts = outcomes.flatMap((outcome) => {
    const found = groups.get(outcome);
    return found === undefined ? [] : [`${found.length} ${outcome}`];
  });
  return `${count(all.length, 'image')} in ${count(files, 'file')}${counts.length === 0 ? '' : `: ${counts.join(', ')}`}`;
}
