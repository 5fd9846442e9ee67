/** Decides the images of one pod and builds the patch. Used by the webhook and the command line. */
import { rewriterText } from '../pod/annotations.ts';
import { movedImages } from '../pod/fallback-record.ts';
import { recordRewrites, type NewEntries } from '../pod/records.ts';
import { imagePointer, pullPolicyPointer, siteKey, type ImageSite } from '../pod/images.ts';
import type { PodContent } from '../pod/pod.ts';
import type { OldPod } from './review.ts';
import { appendSecrets, missingSecrets } from '../pod/pull-secrets.ts';
import { add, remove, replace, type Operation } from '../patch/operations.ts';
import { decideImage } from '../rules/decide.ts';
import { imageDecision, noSecrets, type ImageDecision, type PodContext } from '../rules/decision.ts';
import { recallDecision } from '../rules/remembered.ts';
import type { Table } from '../rules/table.ts';

export interface SiteDecision extends ImageDecision {
  readonly site: ImageSite;
  /** Pull secrets of the image's registry that the pod lacks and that cannot be added any more; empty on CREATE, where they are added. */
  readonly missingSecrets: readonly string[];
}

export interface PodRewrite {
  /** In the order of the pod: containers, initContainers, ephemeralContainers, volumes. */
  readonly images: readonly SiteDecision[];
  /** Secrets that the patch appends. */
  readonly pullSecrets: readonly string[];
  /** Keys of records about an image that the update replaced; the patch removes them. */
  readonly staleRecords: ReadonlySet<string>;
  /** The minimal patch; pointers are relative to the pod. */
  readonly operations: readonly Operation[];
}

/**
 * The parts of a pod that a request may change.
 * - `create`: everything
 * - `update`: images of containers and initContainers whose text is new. A patch that touched more would have the user's own
 *   request rejected (kubernetes/kubernetes, pkg/apis/core/validation/validation.go, ValidatePodUpdate)
 * - `debug`: images of new ephemeral containers; other changes are reset or refused
 *   (kubernetes/kubernetes, pkg/registry/core/pod/strategy.go, podEphemeralContainersStrategy)
 */
export type Change = { readonly kind: 'create' } | { readonly kind: 'update' | 'debug'; readonly old: OldPod };

/** Images of one pod; more would only evict decisions for others. */
const maxRemembered = 256;

export interface Deciding {
  readonly table: Table;
  /** Of the policy, for the record on the pod; null where it is not to be recorded. */
  readonly revision: string | null;
}

export function rewritePod({ table, revision }: Deciding, pod: PodContent, context: PodContext, change: Change): PodRewrite {
  const isOpen = openSites(change);
  // Only an update of an existing pod may be the controller's: the record of a pod that is copied is of another one.
  const isMoved = movedImages(change.kind === 'update' ? pod.annotations.fallback : null);
  const decide = pod.images.length > maxRemembered ? decideImage : recallDecision;
  const images = pod.images.map((site): SiteDecision => {
    if (!isOpen(site)) return { ...unchanged(site), site, missingSecrets: noSecrets };
    if (isMoved(site.name, site.image)) return { ...moved(site), site, missingSecrets: noSecrets };
    const decision = decide(table, site.image, context, site.pullPolicy);
    return change.kind === 'create'
      ? { ...decision, site, missingSecrets: noSecrets }
      : withoutSecrets(table, decision, { site, pod, context });
  });
  const rewritten = images.filter((image) => image.outcome === 'rewritten');
  const create = change.kind === 'create';
  const pullSecrets = create
    ? missingSecrets(
        pod.pullSecrets,
        // Most images share one list.
        [...new Set(images.map((image) => image.pullSecrets))].flat(),
      )
    : [];
  const staleRecords = change.kind === 'update' ? staleKeys(table, images, pod, context) : noKeys;
  const operations = [
    ...rewritten.map((image) => replace(imagePointer(image.site), image.result ?? image.image)),
    ...(create ? rewritten.flatMap(pullPolicyOperations) : []),
    ...appendSecrets(pod.pullSecrets, pullSecrets),
    ...(change.kind === 'debug' ? [] : recordRewrites(pod.annotations, entriesOf(images, revision), staleRecords)),
  ];
  return { images, pullSecrets, staleRecords, operations };
}

const noKeys: ReadonlySet<string> = new Set();

/**
 * An update with an image that is not rewritten leaves a record of the image before. A second call finds an image that the first one rewrote,
 * and its record is kept: the recorded image is rewritten to it.
 */
function staleKeys(table: Table, images: readonly SiteDecision[], pod: PodContent, context: PodContext): ReadonlySet<string> {
  const { originalImages, rewrittenBy } = pod.annotations;
  if (originalImages.entries.size === 0 && rewrittenBy.entries.size === 0) return noKeys;
  const isStale = ({ site, outcome, alternatives }: SiteDecision): boolean => {
    if (outcome === 'rewritten' || outcome === 'unchanged') return false;
    const original = originalImages.entries.get(siteKey(site));
    if (alternatives.length > 0) return original !== site.image;
    return original === undefined || recallDecision(table, original, context, site.pullPolicy).result !== site.image;
  };
  const stale = new Set(images.filter(isStale).map(({ site }) => siteKey(site)));
  // Until validation, which comes later, two containers may have one name.
  if (stale.size > 0) for (const image of images) if (!isStale(image)) stale.delete(siteKey(image.site));
  return stale;
}

/** An image that stays as written, and has alternatives, is recorded as well: the controller may move it to them. */
function entriesOf(images: readonly SiteDecision[], revision: string | null): NewEntries {
  const recorded = images.filter(({ outcome, alternatives }) => outcome === 'rewritten' || alternatives.length > 0);
  const rewritten = revision === null ? [] : recorded.filter(({ outcome }) => outcome === 'rewritten');
  return {
    originalImages: new Map(recorded.map(({ site, image }) => [siteKey(site), image])),
    rewrittenBy: new Map(rewritten.map(({ site, rule }) => [siteKey(site), rewriterText({ rule, revision: revision ?? '' })])),
  };
}

interface Existing {
  readonly site: ImageSite;
  readonly pod: PodContent;
  readonly context: PodContext;
}

/**
 * The decision for an existing pod, whose pull secrets cannot be changed (kubernetes/kubernetes, pkg/apis/core/validation/validation.go,
 * ValidatePodUpdate). The secrets follow from where the image is pulled from, so that a second call gets the same ones.
 */
function withoutSecrets(table: Table, decision: ImageDecision, { site, pod, context }: Existing): SiteDecision {
  const final = decision.result === null ? decision : recallDecision(table, decision.result, context);
  const missing = missingSecrets(pod.pullSecrets, final.pullSecrets);
  if (missing.length === 0 || decision.outcome !== 'rewritten' || !decision.needsSecrets)
    return { ...decision, site, missingSecrets: missing };
  const reason = `rule ${decision.rule} leaves it alone: the pod lacks pull secret ${missing.join(', ')} and cannot get it any more`;
  return { ...imageDecision(site.image, 'missing-pull-secret', reason, { rule: decision.rule }), site, missingSecrets: noSecrets };
}

function openSites(change: Change): (site: ImageSite) => boolean {
  if (change.kind === 'create') return () => true;
  const before = new Map(change.old.images.map((site) => [`${site.list} ${site.name}`, site.image]));
  if (change.kind === 'debug') return (site) => site.list === 'ephemeralContainers' && !before.has(`${site.list} ${site.name}`);
  return (site) => (site.list === 'containers' || site.list === 'initContainers') && before.get(`${site.list} ${site.name}`) !== site.image;
}

function unchanged(site: ImageSite): ImageDecision {
  return imageDecision(site.image, 'unchanged', 'the update does not change it');
}

/** The alternative may be the image as written, which a rule would rewrite again. */
function moved(site: ImageSite): ImageDecision {
  return imageDecision(site.image, 'moved-by-fallback', 'the controller moved it there, since the node could not pull the image before');
}

/**
 * `derive` removes the field: the API server defaulted it for the old name before admission, and defaults it again for the new one if it is
 * absent after the patch (kubernetes/kubernetes, pkg/apis/core/v1/defaults.go).
 */
function pullPolicyOperations({ site, pullPolicy }: SiteDecision): Operation[] {
  if (pullPolicy === 'keep' || pullPolicy === site.pullPolicy) return [];
  const pointer = pullPolicyPointer(site);
  if (pullPolicy === 'derive') return site.pullPolicy === null ? [] : [remove(pointer)];
  return [site.pullPolicy === null ? add(pointer, pullPolicy) : replace(pointer, pullPolicy)];
}
