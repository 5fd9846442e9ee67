/**
 * A policy as files of containerd, one `hosts.toml` for each host below its `config_path`.
 *
 * Without `server`, containerd asks the host of the image when its mirrors fail, so the mirror is the `server` too:
 * https://github.com/containerd/containerd/blob/v2.2.0/docs/hosts.md#setup-default-mirror-for-all-registries. It is also a host, because containerd
 * 1.6 takes a file without one for none, and asks the host of the image. `override_path` takes the path of the address as it is, so that the path of
 * the mirror can stand between `/v2` and the path of the image.
 */
import { withoutPort } from '../image/host.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { headLine, type Exported } from './exported.ts';
import { hostMirrors, type HostMirror } from './host-mirrors.ts';
import { printable } from '../text/printable.ts';
import { endpointOf } from './endpoint.ts';

/** For hosts without a folder of their own. */
const defaultFolder = '_default';

export function exportContainerd(policy: CompiledPolicy): Exported {
  const { mirrors, refusals } = hostMirrors(policy, { program: 'containerd', canBeKept: () => true, hasParts: false });
  return { files: mirrors.map((mirror) => ({ path: `${folderOf(mirror.host)}/hosts.toml`, text: fileText(mirror) })), refusals };
}

/** `host_port_` is found before `host:port` on every platform, and is a name that Windows allows too. */
function folderOf(host: string | null): string {
  if (host === null) return defaultFolder;
  const name = withoutPort(host);
  return name === host ? host : `${name}_${host.slice(name.length + 1)}_`;
}

function fileText({ host, target, rule }: HostMirror): string {
  const comment =
    target === null
      ? `${host}: from the registry itself, not from the mirror of ${defaultFolder}.`
      : `rule ${printable(rule ?? '')}: ${host ?? 'every other host'} from ${target.join('/')}.
# It is the server too: when it fails, the pull fails and is tried again, and ${host ?? 'the host of the image'} is not asked.`;
  const address = endpointOf(target ?? [host ?? '']);
  return `${headLine('containerd')}
# ${comment}
server = "${address}"
capabilities = ["pull", "resolve"]
override_path = true

[host."${address}"]
  capabilities = ["pull", "resolve"]
  override_path = true
`;
}
