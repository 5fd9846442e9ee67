/** `flatten`: only the last component is kept. The registry that KOTS is configured with, Gitpod's dropImageRepo. */
import { lastComponent, suffix } from '../../image/reference.ts';
import type { Transform } from './transform.ts';

export function flatten(base: string): Transform {
  return (reference) => ({ ok: true, text: `${base}/${lastComponent(reference)}${suffix(reference)}` });
}
