/**
 * A policy as `registries.yaml` of K3s and RKE2: one mirror for each host. An endpoint keeps a path other than /v2 as it is, so the path of a
 * mirror needs no rewrite where it is that of the whole host: normalizeEndpointAddress in https://github.com/k3s-io/k3s/blob/master/pkg/agent/containerd/config.go.
 *
 * An image that no rewrite matches asks the mirror all the same, so a part of a host can have another path, and not another registry or none.
 */
import { withoutPort } from '../image/host.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { printable } from '../text/printable.ts';
import { addressOf, endpointOf } from './endpoint.ts';
import { headLine, type Exported } from './exported.ts';
import { hostMirrors, type HostMirror } from './host-mirrors.ts';
import { rewritesOf } from './rewrites.ts';

/** K3s drops an entry whose only endpoint is the default one, and does not know it with a port that it has by default. */
const explicitPort = ':443';

export function exportK3s(policy: CompiledPolicy): Exported {
  const { mirrors, refusals } = hostMirrors(policy, { program: 'K3s', canBeKept: (host) => withoutPort(host) === host, hasParts: true });
  return { files: [{ path: 'registries.yaml', text: fileText(mirrors) }], refusals };
}

function fileText(mirrors: readonly HostMirror[]): string {
  return `${headLine('k3s')}
# When a mirror fails, K3s asks the host of the image. With --disable-default-registry-endpoint it does not, as with the policy.
mirrors:${mirrors.length === 0 ? ' {}' : ''}
${mirrors.map(entryText).join('')}`;
}

function entryText(mirror: HostMirror): string {
  const { host, target, rule } = mirror;
  const comment = target === null ? 'from the registry itself' : `rule ${printable(rule ?? '')}`;
  const rewrites = rewritesOf(mirror);
  const place = target === null ? addressOf(host ?? '', explicitPort) : endpointOf(rewrites.length === 0 ? target : target.slice(0, 1));
  const lines = rewrites.map((each) => `      # rule ${printable(each.rule)}\n      '${each.expression}': '${each.replacement}'\n`);
  return `  # ${comment}
  "${host ?? '*'}":
    endpoint:
      - "${place}"
${lines.length === 0 ? '' : `    rewrite:\n${lines.join('')}`}`;
}
