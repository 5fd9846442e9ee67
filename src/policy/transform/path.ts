/** `path`: another host, the same path. DevSpace, Gitpod, pull-through caches of Harbor and ECR. */
import { suffix } from '../../image/reference.ts';
import { spelling, underRegistry } from './options.ts';
import { defineTransform } from './transform.ts';

export const path = defineTransform({
  as: 'path',
  description: 'HOST/prefix/path',
  options: { ...underRegistry, spelling },
  writesTo: 'registry',
  isLossy: false,
  compile(options, base) {
    return (reference) => {
      const written =
        reference.writtenHost === null ? reference.writtenName : reference.writtenName.slice(reference.writtenHost.length + 1);
      const kept = options.spelling === 'written' ? written : reference.path;
      return { ok: true, text: `${base}/${kept}${suffix(reference)}` };
    };
  },
});
