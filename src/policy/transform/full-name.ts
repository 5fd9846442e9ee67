/** `fullName`: the whole name, host included, below another host. Replicated's proxy. */
import { withoutPort } from '../../image/host.ts';
import { suffix } from '../../image/reference.ts';
import { spelling, underRegistry } from './options.ts';
import { defineTransform } from './transform.ts';

export const fullName = defineTransform({
  as: 'fullName',
  description: 'HOST/prefix/source-host/path',
  options: { ...underRegistry, spelling },
  writesTo: 'registry',
  isLossy: false,
  compile(options, base) {
    return (reference) => {
      const name = options.spelling === 'written' ? reference.writtenName : reference.name;
      const host = options.spelling === 'written' ? (reference.writtenHost ?? '') : reference.host;
      if (host.includes(':')) return { ok: false, reason: noPathComponent(host) };
      // The host becomes part of a path, which must be lower case; hosts are case-insensitive.
      return { ok: true, text: `${base}/${host.toLowerCase()}${name.slice(host.length)}${suffix(reference)}` };
    };
  },
});

/** Only the host of a registry may contain a colon; below another host it is part of a path. */
function noPathComponent(host: string): string {
  const cause = withoutPort(host) === host ? 'is an IPv6 address' : 'has a port';
  return `the source host ${host} ${cause}, which cannot be inside a path; use as: path with a prefix, or as: template`;
}
