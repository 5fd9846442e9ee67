/** `transship diff`: the images that two policies decide differently, for the review of a change. */
import type { V1ObjectMeta } from '@kubernetes/client-node';
import { OperatorError } from '../errors/operator-error.ts';
import { isOfRelease, listPods } from '../inspect/pods.ts';
import { fallbackAnnotation, parseFallback } from '../pod/fallback-record.ts';
import { siteKey } from '../pod/images.ts';
import { decideDocument, type ManifestImage } from '../manifests/decide.ts';
import { plainValue } from '../manifests/parse.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import type { ImageDecision } from '../rules/decision.ts';
import { alternativeImages, differenceOf, type Difference } from '../rules/difference.ts';
import { joined, jsonText, printed, type Printable } from '../text/printable.ts';
import { inCluster } from './cluster.ts';
import { command, type Io } from './command.ts';
import { imageDecider, imageQueryOf, namespaceOrElse } from './decisions.ts';
import { diffFlags } from './flags.ts';
import { lineGroups } from './input.ts';
import { count, manifestFiles, ManifestReport } from './manifest-input.ts';
import { write } from './output.ts';
import { openPolicy } from './policy-file.ts';
import type { Given } from './read-flags.ts';

export const diffCommand = command({
  name: 'diff',
  summary: 'the images that two policies decide differently',
  usage: `transship diff --policy OLD --policy NEW [flags] IMAGE…
transship diff --policy OLD --policy NEW [flags] -f FILE…   every image of manifests
transship diff --policy OLD --policy NEW [flags] -A         the pods of a cluster

Decides each image by both policies, and prints those that come out differently: another name, outcome, pull policy, other pull secrets
or other alternatives. An image that both
decide alike is not printed, also when another rule decides it.`,
  flags: diffFlags,
  notes: `-o json prints a line for each difference with the keys image, old and new, and in those outcome, rule, result, pullSecrets, pullPolicy, reason and alternatives
(the images that nodes may pull instead).

Exit codes: 0 no difference; 1 there are differences; 2 wrong usage, or something cannot be read.`,
  run: async (given, io) => {
    const { values } = given;
    const [old, now, more] = values.policy;
    if (old === undefined || now === undefined || more !== undefined)
      throw new OperatorError(
        'USAGE',
        values.policy.length === 1 ? 'one policy is named' : `${values.policy.length} policies are named`,
        'name two: --policy OLD --policy NEW',
      );
    const open = (policy: string): Promise<CompiledPolicy> => openPolicy({ policy, 'resolved-hosts': values['resolved-hosts'] }, io);
    const policies = [await open(old), await open(now)] as const;
    const found = values['all-namespaces'] ? await ofCluster(given, policies) : await ofInput(given, policies, io);
    const unique = [...new Map(found.differences.map((each) => [keyOf(each), each])).values()];
    await write(io.stdout, joined(unique.map(values.output === 'json' ? line : page)));
    if (values.output === 'table' && (found.images > 0 || found.exitCode === 0))
      await write(io.stderr, printed`${count(unique.length, 'difference')} in ${count(found.images, 'image')}${movedText(found.moved)}\n`);
    return Math.max(found.exitCode, unique.length > 0 ? 1 : 0);
  },
});

type Policies = readonly [old: CompiledPolicy, now: CompiledPolicy];

async function ofInput({ values, operands }: Given<typeof diffFlags>, policies: Policies, io: Io): Promise<Comparison> {
  const inputs = imageQueryOf(operands, values.file, 'manifests with -f, or the pods of a cluster with -A');
  const query = { ...inputs, namespaceOf: namespaceOrElse(values.namespace), labels: {} };
  const report = new ManifestReport('diff', io);
  const all = new Comparison();
  for await (const file of manifestFiles(query.files, report, io)) {
    try {
      for (const document of file.documents) {
        const value = plainValue(file, document);
        const [old, now] = policies.map((policy) => decideDocument(policy, value, query).images);
        report.unexamined(file, document, value, old ?? []);
        all.add(decisionsOf(old), decisionsOf(now));
      }
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      report.fault(error);
    }
  }
  const [old, now] = [imageDecider(policies[0], query), imageDecider(policies[1], query)];
  const compare = (image: string): void => all.add([old(image).decision], [now(image).decision]);
  for (const image of query.images) {
    if (image !== '-') compare(image);
    else for await (const lines of lineGroups(io.stdin)) for (const text of lines) if (text.trim() !== '') compare(text);
  }
  all.exitCode = report.end(null);
  return all;
}

/** Pods that were rewritten already are compared by the names that they were written with. */
async function ofCluster({ values }: Given<typeof diffFlags>, policies: Policies): Promise<Comparison> {
  const all = new Comparison();
  await inCluster(values, async (view) => {
    for await (const pods of listPods(view, null))
      for (const { metadata, spec } of pods.filter((each) => !isOfRelease(each))) {
        const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec };
        const context = { namespaceOf: () => metadata?.namespace ?? '', originals: 'recorded' } as const;
        const [old, now] = policies.map((policy) => decideDocument(policy, pod, context).images);
        all.add(decisionsOf(old), decisionsOf(now));
        all.moved += movedImages(metadata, old ?? []);
      }
  });
  return all;
}

/** They are compared by the names that they were written with, like all images of pods. */
const movedText = (moved: number): string =>
  moved === 0 ? '' : `; ${moved} of these at an alternative of the rule now, which transship scan shows`;

function movedImages(metadata: V1ObjectMeta | undefined, images: readonly ManifestImage[]): number {
  const record = parseFallback(metadata?.annotations?.[fallbackAnnotation] ?? null);
  return images.filter(({ decision: { site } }) => record.get(siteKey(site))?.to === site.image).length;
}

const decisionsOf = (images: readonly ManifestImage[] = []): ImageDecision[] => images.map(({ decision }) => decision);

/** Both policies decide the same images in the same order. */
class Comparison {
  images = 0;
  /** Images of pods that the controller moved to an alternative of their rule. */
  moved = 0;
  readonly differences: Difference[] = [];
  /** 2 where a manifest could not be read. */
  exitCode = 0;

  add(before: readonly ImageDecision[], after: readonly ImageDecision[]): void {
    this.images += before.length;
    for (const [index, old] of before.entries()) {
      const now = after[index];
      const difference = now === undefined ? null : differenceOf(old, now);
      if (difference !== null) this.differences.push(difference);
    }
  }
}

function keyOf({ image, old, new: now }: Difference): string {
  return JSON.stringify([image, told(old), told(now)]);
}

function told(decision: ImageDecision): object {
  const { outcome, rule, result, pullSecrets, pullPolicy, reason } = decision;
  return { outcome, rule, result, pullSecrets, pullPolicy, reason, alternatives: alternativeImages(decision) };
}

function line({ image, old, new: now }: Difference): Printable {
  return printed`${jsonText({ image, old: told(old), new: told(now) })}\n`;
}

function page({ image, old, new: now }: Difference): Printable {
  return joined([printed`${image}\n`, side('-', old), side('+', now)]);
}

function side(sign: '-' | '+', decision: ImageDecision): Printable {
  const { outcome, result, rule, pullSecrets, reason } = decision;
  const alternatives = alternativeImages(decision)
    .map((image) => `, or else ${image}`)
    .join('');
  const secrets = pullSecrets.length === 0 ? '' : ` with ${pullSecrets.join(', ')}`;
  return joined([
    printed`  ${sign} `,
    result === null ? printed`${outcome}: ${reason}` : printed`${result} (rule ${rule ?? '-'})`,
    printed`${alternatives}${secrets}\n`,
  ]);
}
