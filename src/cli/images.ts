/** `transship images`: what to copy, and where to, so that rewritten pods find their images. */
import { canonicalText } from '../image/reference.ts';
import { command, type Io } from './command.ts';
import { checkQuestion, decisions, namespaceOrElse, type Question } from './decisions.ts';
import { write } from './input.ts';
import { imagesFlags } from './flags.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { openPolicy } from './policy-file.ts';
import { skopeoSync, type Pair } from './skopeo.ts';
import { table } from './table.ts';

export const imagesCommand = command({
  name: 'images',
  summary: 'source and target of every rewritten image, to fill a registry',
  usage: `transship images --policy FILE [flags] -f FILE…
transship images --policy FILE [flags] IMAGE…
transship images --policy FILE [flags] -          images from standard input, one a line

Prints each image that is rewritten once: the source in its canonical form and the target, with two blanks or more between them.

  transship images --policy policy.yaml -f app.yaml | while read -r source target; do
    crane copy "$source" "$target"
  done

-o json prints lines with the keys source and target. -o skopeo prints the sources as a file for \`skopeo sync --src yaml\`, which
chooses the targets itself: with --scoped they are those of \`as: fullName\`, without it those of \`as: flatten\`. Use the pairs
for every other kind of rule.`,
  flags: imagesFlags,
  notes: `Exit codes: 0 done; 2 wrong use or unreadable input.`,
  run: async ({ values, operands }, io) => {
    checkQuestion(operands, values.file);
    const policy = await openPolicy(values, io);
    const question = { images: operands, files: values.file, namespaceOf: namespaceOrElse(values.namespace), labels: {} };
    await write(io.stdout, formats[values.output](await pairs(policy, question, io)));
    return 0;
  },
});

const formats: Readonly<Record<'text' | 'json' | 'skopeo', (found: readonly Pair[]) => string>> = {
  text: (found) => (found.length === 0 ? '' : `${table(found.map(({ source, target }) => [canonicalText(source), target]))}\n`),
  json: (found) => found.map(({ source, target }) => `${JSON.stringify({ source: canonicalText(source), target })}\n`).join(''),
  skopeo: skopeoSync,
};

/** In the order of the question; several spellings of one image are one pair. */
async function pairs(policy: CompiledPolicy, question: Question, io: Io): Promise<Pair[]> {
  const found = new Map<string, Pair>();
  for await (const group of decisions(policy, question, io)) {
    for (const { decision } of group) {
      const { reference: source, result: target } = decision;
      if (source !== null && target !== null) found.set(`${canonicalText(source)} ${target}`, { source, target });
    }
  }
  return [...found.values()];
}
