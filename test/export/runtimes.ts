/**
 * Where container runtimes pull an image from, with the files of an export: models of what their documents and code say, for where no
 * program of the test cluster is built. Their own code is asked in readers.test.ts, and containerd itself in test/node/mirrors.test.ts; how K3s
 * makes hosts.toml of its file is here alone.
 */
import { RE2JS } from 're2js';
import { parse as parseToml } from 'smol-toml';
import { parse as parseYaml } from 'yaml';
import type { ExportedFile } from '../../src/export/exported.ts';
import { withoutPort } from '../../src/image/host.ts';
import { canonicalText, suffix, type Reference } from '../../src/image/reference.ts';

/** The name that is pulled, with tag and digest. */
export type Runtime = (files: readonly ExportedFile[], reference: Reference) => string;

/** https://github.com/containerd/containerd/blob/v2.2.0/docs/hosts.md#port-handling-in-registry-host */
export const containerd: Runtime = (files, reference) => {
  const host = reference.comparableHost;
  const name = withoutPort(host);
  const folders = [...(name === host ? [] : [`${name}_${host.slice(name.length + 1)}_`]), host, '_default'];
  const file = folders.flatMap((folder) => files.find(({ path }) => path === `${folder}/hosts.toml`) ?? [])[0];
  if (file === undefined) return canonicalText(reference);
  const { server, host: mirrors, override_path: overridden } = parseToml(file.text);
  const [first, more] = Object.entries(Object(mirrors));
  // With containerd 1.6 the root has no override_path, and a file without a host is none.
  if (typeof server !== 'string' || first === undefined || more !== undefined || first[0] !== server || overridden !== true)
    throw new Error(`other hosts than the server: ${file.text}`);
  return fromEndpoint(server, Object(first[1]).override_path === true, reference);
};

/** getHostConfigs in k3s: pkg/agent/containerd/config.go, without the default endpoint. */
export const k3s: Runtime = (files, reference) => {
  const { mirrors } = parseYaml(files[0]?.text ?? '');
  const mirror = mirrors[reference.comparableHost] ?? mirrors['*'];
  if (mirror === undefined) return canonicalText(reference);
  const changed = Object.entries<string>(mirror.rewrite ?? {}).flatMap(([expression, replacement]) => {
    if (/["\\\\]/.test(expression + replacement)) throw new Error(`not as it is in TOML: ${expression}`);
    const path = RE2JS.compile(expression).matcher(reference.path).replaceAll(replacement);
    return path === reference.path ? [] : [path];
  });
  if (changed.length > 1) throw new Error(`K3s tries rewrites in no order: ${changed.join(', ')}`);
  return fromEndpoint(mirror.endpoint[0], /\/v2\/./.test(mirror.endpoint[0]), { ...reference, path: changed[0] ?? reference.path });
};

/** @param overridden whether the path of the address is taken as it is: parseHostConfig in containerd's core/remotes/docker/config/hosts.go */
function fromEndpoint(address: string, overridden: boolean, reference: Reference): string {
  // A port that the scheme has by default is left out.
  const { host, pathname } = new URL(address);
  const path = overridden ? pathname : `${pathname.replace(/\/$/, '')}${pathname.endsWith('/v2') ? '' : '/v2'}`;
  if (path !== '/v2' && !path.startsWith('/v2/')) throw new Error(`not below the API: ${address}`);
  return `${host.replace('registry-1.docker.io', 'docker.io')}${path.slice('/v2'.length)}/${reference.path}${suffix(reference)}`;
}

/** https://github.com/containers/image/blob/v5.36.0/docs/containers-registries.conf.5.md#choosing-a-registry-toml-table */
export const crio: Runtime = (files, reference) => {
  const { registry = [] } = parseToml(files[0]?.text ?? '');
  const name = `${reference.comparableHost}/${reference.path}`;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the shape of the file
  const entries = registry as { prefix: string; location: string }[];
  const [longest] = entries
    .filter(({ prefix }) => name === prefix || name.startsWith(`${prefix}/`))
    .toSorted((one, other) => other.prefix.length - one.prefix.length);
  return longest === undefined ? canonicalText(reference) : longest.location + name.slice(longest.prefix.length) + suffix(reference);
};
