/** `fullName`: the whole name, host included, below another host. Replicated's proxy. */
import { suffix } from '../../image/reference.ts';
import type { Transform } from './transform.ts';

export function fullName(base: string, spelling: 'canonical' | 'written'): Transform {
  return (reference) => {
    const name = spelling === 'written' ? reference.writtenName : reference.name;
    const host = spelling === 'written' ? (reference.writtenHost ?? '') : reference.host;
    // The host becomes part of a path, which is lower case only; as a host its case never counted.
    return { ok: true, text: `${base}/${host.toLowerCase()}${name.slice(host.length)}${suffix(reference)}` };
  };
}
