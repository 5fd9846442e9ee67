/** `image`: exactly one image. The overrides of kURL's EKCO. */
import { parseReference, suffix } from '../../image/reference.ts';
import type { Transform } from './transform.ts';

export function image(text: string): Transform {
  const parsed = parseReference(text);
  const complete = parsed.ok && (parsed.reference.tag !== null || parsed.reference.digest !== null);
  return (reference) => ({ ok: true, text: complete ? text : text + suffix(reference) });
}
