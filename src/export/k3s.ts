/**
 * A policy as `registries.yaml` of K3s and RKE2: one mirror for each host. An endpoint keeps a path other than /v2 as it is, so the path of a
 * mirror needs no rewrite: normalizeEndpointAddress in https://github.com/k3s-io/k3s/blob/master/pkg/agent/containerd/config.go.
 *
 * Rewrites are not used. They are tried in no order (withRewritesFromHost in core/remotes/docker/resolver.go of k3s-io/containerd), and an image
 * that none of them matches asks the mirror all the same, so they cannot say that a part of a host has a mirror.
 */
import { withoutPort } from '../image/host.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { printable } from '../text/printable.ts';
import { addressOf, endpointOf } from './endpoint.ts';
import { headLine, type Exported } from './exported.ts';
import { hostMirrors, type HostMirror } from './host-mirrors.ts';

/** K3s drops an entry whose only endpoint is the default one, and does not know it with a port that it has by default. */
const explicitPort = ':443';

export function exportK3s(policy: CompiledPolicy): Exported {
  const { mirrors, refusals } = hostMirrors(policy, { program: 'K3s', canBeKept: (host) => withoutPort(host) === host });
  return { files: [{ path: 'registries.yaml', text: fileText(mirrors) }], refusals };
}

function fileText(mirrors: readonly HostMirror[]): string {
  const entries = mirrors.map(({ host, target, rule }) => {
    const comment = target === null ? 'from the registry itself' : `rule ${printable(rule ?? '')}`;
    const endpoint = target === null ? addressOf(host ?? '', explicitPort) : endpointOf(target);
    return `  # ${comment}\n  "${host ?? '*'}":\n    endpoint:\n      - "${endpoint}"\n`;
  });
  return `${headLine('k3s')}
# When a mirror fails, K3s asks the host of the image. With --disable-default-registry-endpoint it does not, as with the policy.
mirrors:${entries.length === 0 ? ' {}' : ''}
${entries.join('')}`;
}
