/** `transship images`: the images to copy, and their targets, so that rewritten pods find them. */
import { canonicalText, referenceOf } from '../image/reference.ts';
import { command, type Io } from './command.ts';
import { copiesOf, type Copies, type Copy, type Pair } from './copies.ts';
import { craneScript, regctlScript } from './copy-scripts.ts';
import { decisions, namespaceOrElse, imageQueryOf, type Decided, type ImageQuery } from './decisions.ts';
import { joined, jsonText, printableLines, printed, type Printable } from '../text/printable.ts';
import { write } from './output.ts';
import { count, ManifestReport } from './manifest-input.ts';
import { imagesFlags } from './flags.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { openPolicy } from './policy-file.ts';
import { skopeoSync } from './skopeo.ts';
import { table } from './table.ts';

export const imagesCommand = command({
  name: 'images',
  summary: 'source and target of every rewritten image, to fill a registry',
  usage: `transship images --policy FILE [flags] -f FILE…
transship images --policy FILE [flags] IMAGE…
transship images --policy FILE [flags] -          images from standard input, one a line

Prints each image that is rewritten once: the source in its canonical form and the target, with two blanks or more between them. A rule
with alternatives has a line for each of them: a node may pull from any. An image that is pulled by digest is copied from its digest, and to its tag where it has one.

  transship images --policy policy.yaml -f app.yaml -o regctl | sh
  kubectl get pods -A -o json | transship images --policy policy.yaml -f -

Of pods that are rewritten already, the images are those that their record says they were written with.

-o regctl and -o crane print a shell script that copies each image with its signatures and SBOMs, and compares the digest where the image
has one. -o json prints lines with the keys source, target and digest. -o skopeo prints the sources as a file for
\`skopeo sync --src yaml\`, which chooses the targets itself: with --scoped they are those of \`as: fullName\`, without it those of
\`as: flatten\`, and copies no signatures.

Images with the same target are reported on standard error and skipped. So are images that are left alone because of a
problem or because their pod is, and text that looks like an image but belongs to no pod.`,
  flags: imagesFlags,
  notes: `Exit codes: 0 success; 1 two images have the same target, or with --strict an image was invalid, refused or not examined; 2 wrong usage or unreadable input.`,
  run: async ({ values, operands }, io) => {
    const images = imageQueryOf(operands, values.file);
    const policy = await openPolicy(values, io);
    const report = new ManifestReport('images', io);
    const query = { ...images, namespaceOf: namespaceOrElse(values.namespace), labels: {}, originals: 'under-target' } as const;
    const copies = copiesOf(await pairs(policy, query, { report, io }));
    await write(io.stdout, formats[values.output](copies.copies));
    reportCollisions(copies, report);
    return Math.max(report.end(values.strict), copies.collisions.length > 0 ? 1 : 0);
  },
});

const formats: Readonly<Record<'text' | 'json' | 'regctl' | 'crane' | 'skopeo', (copies: readonly Copy[]) => Printable>> = {
  text: (copies) => joined(copies.length === 0 ? [] : [table(copies.map(({ source, target }) => [source, target])), printed`\n`]),
  json: (copies) => joined(copies.map(({ source, target, digest }) => printed`${jsonText({ source, target, digest })}\n`)),
  regctl: (copies) => printableLines(regctlScript(copies)),
  crane: (copies) => printableLines(craneScript(copies)),
  skopeo: (copies) => printableLines(skopeoSync(copies.map(({ reference }) => reference))),
};

/** In the order of the query; several spellings of one image are one pair. */
async function pairs(policy: CompiledPolicy, query: ImageQuery, { report, io }: { report: ManifestReport; io: Io }): Promise<Pair[]> {
  const found = new Map<string, Pair>();
  const others: Decided[] = [];
  const lacking = new Set<string>();
  for await (const group of decisions(policy, query, report, io)) {
    for (const decided of group) {
      const { image, outcome } = decided.decision;
      report.decided(outcome);
      const source = referenceOf(image);
      for (const text of lackingAlternatives(decided)) lacking.add(text);
      const targets = targetsOf(decided);
      if (source === null || targets.length === 0) others.push(decided);
      else for (const target of targets) found.set(`${canonicalText(source)} ${target}`, { source, target });
    }
  }
  for (const text of lacking) report.write(text);
  reportOthers(others, found.size, report);
  return [...found.values()];
}

/** The image as written is where it is copied from. */
function targetsOf({ decision: { image, result, alternatives } }: Decided): string[] {
  return [result, ...alternatives.map((each) => each.image)].flatMap((target) => (target === null || target === image ? [] : target));
}

function lackingAlternatives({ decision: { image, rule, alternatives } }: Decided): string[] {
  return alternatives.flatMap(({ target, problem }) =>
    problem === null ? [] : `${image} is not copied for alternative ${target} of rule ${rule}: ${problem}`,
  );
}

/** Why images are not copied, each reason once with the images that it is true of. */
function reportOthers(others: readonly Decided[], copied: number, report: ManifestReport): void {
  const notCopied = others.filter(({ decision: { outcome } }) => outcome === 'invalid' || outcome === 'refused' || outcome === 'excluded');
  for (const [reason, decided] of Map.groupBy(notCopied, ({ decision }) => `${decision.outcome}: ${decision.reason}`)) {
    const images = [...new Set(decided.map(({ decision }) => JSON.stringify(decision.image)))];
    const shown = images.length > 5 ? `${images.slice(0, 5).join(', ')} and ${images.length - 5} more` : images.join(', ');
    const places = decided.flatMap(({ place }) => (place === null ? [] : [`${place.manifest}:${place.line}`]));
    report.write(`${places[0] === undefined ? '' : `${places[0]}: `}${count(images.length, 'image')} not copied, ${reason}: ${shown}`);
  }
  if (copied > 0) return;
  if (others.length === 0 && report.foundOrRead(0)) report.write('no images found');
  if (others.length > 0) report.write(`nothing to copy: the policy rewrites none of ${count(others.length, 'image')}`);
}

function reportCollisions({ collisions, sharedTags }: Copies, report: ManifestReport): void {
  for (const { target, sources } of collisions)
    report.write(
      `error: ${sources.join(' and ')} have the same target, ${target}, so none of them is copied; use as: fullName or a prefix for each source`,
    );
  for (const { target, sources } of sharedTags)
    report.write(`warning: ${sources.join(' and ')} want the same tag, ${target}; one of them gets it, the others are copied by digest`);
}
