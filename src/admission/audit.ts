/**
 * Audit annotations: one for each image, keyed by the name of its container if it was rewritten (`volume.` and the volume's name for a
 * volume), with the prefix `rule.` for the rule and the revision of the policy, with `problem.` if it could not be decided, and with
 * `missing-secret.` if the pod lacks the pull secrets of its registry.
 *
 * A webhook may be called twice for one request, and an annotation with another value the second time is rejected (kubernetes/apiserver,
 * pkg/admission/attributes.go). So the value is built from what both calls see: the written image, which the second call finds in the pod's
 * record, and the current one.
 */
import { rewriterText } from '../pod/annotations.ts';
import { siteKey } from '../pod/images.ts';
import type { PodContent } from '../pod/pod.ts';
import type { PodRewrite, SiteDecision } from './rewrite-pod.ts';

/** The name part of a qualified name: https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/#syntax-and-character-set */
const qualifiedName = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const maxValueLength = 512;
const maxCount = 64;

/** @param revision of the policy; null if it is not known */
export function auditAnnotations(
  pod: PodContent,
  { images, staleRecords }: Pick<PodRewrite, 'images' | 'staleRecords'>,
  revision: string | null,
): Record<string, string> {
  const { originalImages, rewrittenBy } = pod.annotations;
  const repeated = repeatedKeys(images);
  const entries: (readonly [key: string, value: string])[] = [];
  for (const image of images) {
    // A pod may have thousands of images.
    if (entries.length >= maxCount) break;
    const key = siteKey(image.site);
    if (repeated.has(key)) continue;
    // The record does not cover debug containers, so an entry with such a name belongs to something else.
    const isRecorded = image.site.list !== 'ephemeralContainers' && !staleRecords.has(key);
    const original = isRecorded ? originalImages.entries.get(key) : undefined;
    const rule = isRecorded ? rewrittenBy.entries.get(key) : undefined;
    for (const entry of [entryOf(image, key, original), ruleEntry(image, key, rule, revision), missingEntry(image, key)])
      if (entry !== null && qualifiedName.test(entry[0])) entries.push([entry[0], entry[1].slice(0, maxValueLength)]);
  }
  return Object.fromEntries(entries.slice(0, maxCount));
}

/** Pull secrets that a webhook in shadow mode would append, one per key: a second call may find others. */
export function wouldAppend(pullSecrets: readonly string[]): Record<string, string> {
  const keys = pullSecrets.map((name) => `pull-secret.${name}`).filter((key) => qualifiedName.test(key));
  return Object.fromEntries(keys.map((key) => [key, 'would be added']));
}

/** Validation, which comes later, rejects a pod with such names; until then the keys would be ambiguous. */
function repeatedKeys(images: readonly SiteDecision[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { site } of images) {
    const key = siteKey(site);
    if (seen.has(key)) repeated.add(key);
    seen.add(key);
  }
  return repeated;
}

/** Pull secrets that the pod lacks and that cannot be added any more, so that pulling the image may fail. */
function missingEntry({ missingSecrets }: SiteDecision, key: string): readonly [key: string, value: string] | null {
  return missingSecrets.length === 0 ? null : [`missing-secret.${key}`, missingSecrets.join(',')];
}

/** A key of its own, since the second call does not know the rule where the record had no space for it. */
function ruleEntry(
  { outcome, rule }: SiteDecision,
  key: string,
  recorded: string | undefined,
  revision: string | null,
): readonly [key: string, value: string] | null {
  if (outcome === 'rewritten' && revision !== null) return [`rule.${key}`, rewriterText({ rule, revision })];
  return outcome === 'already-there' && recorded !== undefined ? [`rule.${key}`, recorded] : null;
}

/** Problems have separate keys: in the second call, a result may itself be a problem. */
function entryOf(
  { outcome, image, result, reason }: SiteDecision,
  key: string,
  original: string | undefined,
): readonly [key: string, value: string] | null {
  if (outcome === 'rewritten') return [key, `${image} -> ${result}`];
  if (outcome === 'already-there' && original !== undefined && original !== image) return [key, `${original} -> ${image}`];
  return outcome === 'invalid' || outcome === 'refused' ? [`problem.${key}`, `${image} left alone: ${reason}`] : null;
}
