/** `escape`: the whole familiar name as one component. Tilt's default_registry. */
import { familiarName, suffix } from '../../image/reference.ts';
import { underRegistry } from './options.ts';
import { defineTransform } from './transform.ts';

export const escape = defineTransform({
  as: 'escape',
  description: 'HOST/prefix/familiar name with / : @ as _',
  options: underRegistry,
  writesTo: 'registry',
  // a/b_c and a_b/c become one.
  isLossy: true,
  compile(_options, base) {
    return (reference) => ({ ok: true, text: `${base}/${familiarName(reference).replace(/[/:@]/g, '_')}${suffix(reference)}` });
  },
});
