/** `remainder`: the matched part of the name is replaced, what follows is kept. Prefix maps as of Devtron and zarf. */
import { suffix } from '../../image/reference.ts';
import type { Transform } from './transform.ts';

export function remainder(base: string): Transform {
  return (reference, match) => {
    if (match.remainder !== '') return { ok: true, text: `${base}/${match.remainder}${suffix(reference)}` };
    if (!base.includes('/')) return { ok: false, reason: `nothing follows the matched pattern and ${base} alone is no repository` };
    return { ok: true, text: base + suffix(reference) };
  };
}
