/** `transship explain`: what becomes of images, and why. */
import { command, type Io } from './command.ts';
import { checkQuestion, decisions, namespaceOrElse } from './decisions.ts';
import { explanationTable, jsonLine } from './explanation.ts';
import { write } from './input.ts';
import { explainFlags } from './flags.ts';
import type { Given } from './read-flags.ts';
import { openPolicy } from './policy-file.ts';

export const explainCommand = command({
  name: 'explain',
  summary: 'what becomes of images, and why',
  usage: `transship explain --policy FILE [flags] IMAGE…
transship explain --policy FILE [flags] -          images from standard input, one a line
transship explain --policy FILE [flags] -f FILE…   every image of manifests

Prints one decision for each image. With -o json that is one line with the keys image, name, tag, digest, outcome, rule, result,
pullSecrets and reason; name is the canonical name, and what is absent is null. With -f the keys manifest, pointer and line follow.
Outcomes: rewritten, already-there, no-rule, excluded, invalid, refused, unchanged.`,
  flags: explainFlags,
  notes: `Exit codes: 0 every image was decided, whatever the outcome; 2 wrong use or unreadable input.`,
  run: explain,
});

async function explain({ values, operands: images }: Given<typeof explainFlags>, io: Io): Promise<number> {
  const { output } = values;
  const labels = Object.fromEntries(values.label);
  checkQuestion(images, values.file);
  const policy = await openPolicy(values, io);
  // "What if it were in that namespace": here the flag counts more than the manifest.
  const namespaceOf = namespaceOrElse(values.namespace);
  const surroundings = values.namespace === null ? namespaceOf : (): string => namespaceOf(null);
  const table = explanationTable(
    policy.rules.map((rule) => rule.policy.name),
    io.stdout,
  );
  // With the first rows, so that nothing is printed where nothing can be read.
  let head = output === 'table' ? table.head : '';
  for await (const group of decisions(policy, { images, files: values.file, namespaceOf: surroundings, labels }, io)) {
    await write(io.stdout, head + group.map(output === 'json' ? jsonLine : table.row).join(''));
    head = '';
  }
  return 0;
}
