/** What the person who creates the pod is shown. */
import type { RewritePolicy } from '../policy/types.ts';
import type { SiteDecision } from './rewrite-pod.ts';

/** kubernetes/api, admission/v1/types.go: "limit warnings to 120 characters". */
const maxLength = 120;
/** The API server cuts all of them short once they add up to 4096 (kubernetes/apiserver, pkg/endpoints/filters/warning.go). */
const maxCount = 30;

export interface WarningContext {
  readonly mode: 'enforce' | 'shadow';
  readonly cover: RewritePolicy['warnings'];
  /** An operator that may undo the rewrite of this pod, null for none. */
  readonly manager: string | null;
}

/**
 * Problems always; rewrites when the policy asks for it, and in shadow mode, where telling is all that is done.
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
  // A rule that says `onPullPolicyNever: keep` gives another code, since then nobody needs to hear of it.
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

/** What is not printed would end up in a terminal, and could turn the sentence around: the image is untrusted text. */
function cut(sentence: string): string {
  const short = sentence.length <= maxLength ? sentence : `${sentence.slice(0, maxLength - 1)}…`;
  // After the cut, which may leave half of a character.
  return short.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '?');
}
