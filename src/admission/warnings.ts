/** Warnings for the user who creates the pod. */
import type { RewritePolicy } from '../policy/types.ts';
import type { SiteDecision } from './rewrite-pod.ts';

/** kubernetes/api, admission/v1/types.go: "limit warnings to 120 characters". */
const maxLength = 120;
/** The API server truncates all of them once they exceed 4096 in total (kubernetes/apiserver, pkg/endpoints/filters/warning.go). */
const maxCount = 30;

export interface WarningContext {
  readonly mode: 'enforce' | 'shadow';
  readonly cover: RewritePolicy['warnings'];
  /** An operator that may revert the rewrite of this pod, null if none. */
  readonly manager: string | null;
}

/**
 * Problems always; rewrites if the policy asks for it, and in shadow mode, which only reports.
 */
export function warnings(images: readonly SiteDecision[], { mode, cover, manager }: WarningContext): string[] {
  const sentences = images.flatMap((image) => [...aboutDecision(image, mode, cover), ...aboutSecrets(image)]);
  if (manager !== null && images.some(({ outcome }) => outcome === 'rewritten'))
    sentences.unshift(cut(`transship: the pod belongs to ${manager}, which may recreate it because of its image (see imageManagers)`));
  return [...new Set(sentences)].slice(0, maxCount);
}

export function warningAboutSkip(sentence: string): string {
  return cut(`transship: left alone: ${sentence}`);
}

function aboutDecision(image: SiteDecision, mode: 'enforce' | 'shadow', cover: RewritePolicy['warnings']): string[] {
  // A rule with `onPullPolicyNever: keep` has another code, since no warning is needed then.
  if (image.outcome === 'invalid' || image.outcome === 'refused' || image.code === 'never-pulled')
    return [cut(`transship: ${label(image)}left alone: ${image.reason}`)];
  if (image.outcome !== 'rewritten') return [];
  if (mode === 'shadow') return [cut(`transship (shadow): ${label(image)}${image.image} would become ${image.result}`)];
  return cover === 'rewrites' ? [cut(`transship: ${label(image)}${image.image} became ${image.result}`)] : [];
}

function aboutSecrets(image: SiteDecision): string[] {
  const { missingSecrets } = image;
  if (missingSecrets.length === 0) return [];
  return [cut(`transship: ${label(image)}the pod lacks pull secret ${missingSecrets.join(', ')}, which cannot be added to it any more`)];
}

function label({ site }: SiteDecision): string {
  return site.name === '' ? '' : `${site.name.slice(0, 30)}: `;
}

/** The image is untrusted text: unprintable characters could reach a terminal, and change the direction of the sentence. */
function cut(sentence: string): string {
  const short = sentence.length <= maxLength ? sentence : `${sentence.slice(0, maxLength - 1)}…`;
  // After truncation, which may split a character.
  return short.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '?');
}
