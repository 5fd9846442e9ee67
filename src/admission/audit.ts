/**
 * What the API server's audit log keeps: one annotation for each image that was rewritten or could not be decided.
 *
 * A webhook may be called twice for one request, and an annotation whose value differs the second time is refused
 * (kubernetes/apiserver, pkg/admission/attributes.go). So the value is made from what both calls see: the written image, which
 * the second call finds in the pod's own record, and the present one.
 */
import { readOriginals } from '../pod/annotations.ts';
import { siteKey } from '../pod/images.ts';
import type { Pod } from '../pod/pod.ts';
import type { SiteDecision } from './rewrite-pod.ts';

/** The name part of a qualified name: https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/#syntax-and-character-set */
const qualifiedName = /^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const maximumValueLength = 512;
const maximumCount = 64;

export function auditAnnotations(pod: Pod, images: readonly SiteDecision[]): Record<string, string> {
  const originals = readOriginals(pod);
  const entries = images.flatMap((image) => {
    const key = siteKey(image.site);
    const value = qualifiedName.test(key) ? valueOf(image, originals.get(key)) : null;
    return value === null ? [] : [[key, value.slice(0, maximumValueLength)] as const];
  });
  return Object.fromEntries(entries.slice(0, maximumCount));
}

function valueOf({ outcome, image, result, reason }: SiteDecision, original: string | undefined): string | null {
  if (outcome === 'rewritten') return `${image} -> ${result}`;
  if (outcome === 'already-there' && original !== undefined) return `${original} -> ${image}`;
  return outcome === 'invalid' || outcome === 'refused' ? `${image} left alone: ${reason}` : null;
}
