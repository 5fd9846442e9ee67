/** `flatten`: only the last component is kept. The registry that KOTS is configured with, Gitpod's dropImageRepo. */
import { lastComponent, suffix } from '../../image/reference.ts';
import { underRegistry } from './options.ts';
import { defineTransform } from './transform.ts';

export const flatten = defineTransform({
  as: 'flatten',
  description: 'HOST/prefix/last component',
  options: underRegistry,
  writesTo: 'registry',
  isLossy: true,
  compile(_options, base) {
    return (reference) => ({ ok: true, text: `${base}/${lastComponent(reference)}${suffix(reference)}` });
  },
});
