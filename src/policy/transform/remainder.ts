/** `remainder`: replaces the matched part of the name and keeps the rest. Prefix maps as in Devtron and zarf. */
import { suffix } from '../../image/reference.ts';
import { underRegistry } from './options.ts';
import { defineTransform } from './transform.ts';

export const remainder = defineTransform({
  as: 'remainder',
  description: 'HOST/prefix/what follows the matched pattern',
  options: underRegistry,
  writesTo: 'registry',
  isLossy: false,
  compile(_options, base) {
    return (reference, match) => {
      if (match.remainder !== '') return { ok: true, text: `${base}/${match.remainder}${suffix(reference)}` };
      if (!base.includes('/')) return { ok: false, reason: `nothing follows the matched pattern and ${base} alone is not a repository` };
      return { ok: true, text: base + suffix(reference) };
    };
  },
});
