/** `path`: another host, the same path. DevSpace, Gitpod, pull-through caches of Harbor and ECR. */
import { suffix } from '../../image/reference.ts';
import type { Transform } from './transform.ts';

export function path(base: string, spelling: 'canonical' | 'written'): Transform {
  return (reference) => {
    const written = reference.writtenHost === null ? reference.writtenName : reference.writtenName.slice(reference.writtenHost.length + 1);
    const kept = spelling === 'written' ? written : reference.path;
    return { ok: true, text: `${base}/${kept}${suffix(reference)}` };
  };
}
