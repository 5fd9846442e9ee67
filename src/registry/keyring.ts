/**
 * The entries of its pull secrets that a kubelet tries for a repository, in its order. Pure. The tests compare it with
 * https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/credentialprovider/keyring.go.
 */
import { dockerHub, legacyDockerHub } from '../image/host.ts';
import { matchesGlob } from '../rules/glob.ts';
import { parseAddress, splitPort, type RegistryAddress } from './registry-address.ts';
import type { PullSecretEntry } from './pull-secret.ts';

interface KeyringEntry {
  /** Host and path under which the kubelet indexes the entry; entries are tried in reverse byte order of it. */
  readonly key: string;
  /** Null for an address that matches nothing. */
  readonly pattern: RegistryAddress | null;
  readonly entry: PullSecretEntry;
}

export class Keyring {
  readonly #entries: readonly KeyringEntry[];

  /** @param entries of all pull secrets of a pod */
  constructor(entries: readonly PullSecretEntry[]) {
    const filed = entries.flatMap((entry) => {
      const key = keyOf(entry.address);
      return key === null ? [] : [{ key, pattern: parseAddress(key), entry }];
    });
    this.#entries = filed.toSorted((a, b) => (a.key < b.key ? 1 : a.key > b.key ? -1 : 0));
  }

  /**
   * @param repository canonical, without tag and digest: docker.io/library/nginx. The kubelet looks it up in that form.
   * @returns also entries without user and password, like the kubelet
   */
  lookup(repository: string): readonly PullSecretEntry[] {
    const target = parseAddress(repository);
    return this.#entriesWhere(repository.split('/', 1)[0] ?? '', ({ pattern }) => {
      return pattern !== null && target !== null && hostsMatch(pattern, target) && target.path.startsWith(pattern.path);
    });
  }

  /**
   * Entries that match a repository below this prefix, or the prefix itself.
   *
   * @param prefix host, with or without a path: harbor.example.com/mirror
   */
  lookupUnder(prefix: string): readonly PullSecretEntry[] {
    const target = parseAddress(`${prefix}/`);
    return this.#entriesWhere(prefix.split('/', 1)[0] ?? '', ({ pattern }) => {
      if (pattern === null || target === null || !hostsMatch(pattern, target)) return false;
      return target.path.startsWith(pattern.path) || pattern.path.startsWith(target.path);
    });
  }

  #entriesWhere(host: string, isMatch: (entry: KeyringEntry) => boolean): readonly PullSecretEntry[] {
    const matching = this.#entries.filter(isMatch);
    // Docker Hub's entry is indexed under a host that no canonical name has. Hosts without a dot or port count as Hub here, including
    // `localhost`.
    const isHubHost = host === dockerHub || host === legacyDockerHub || !/[.:]/.test(host);
    const found = matching.length > 0 || !isHubHost ? matching : this.#entries.filter(({ key }) => key === legacyDockerHub);
    return found.map(({ entry }) => entry);
  }
}

/** https://kubernetes.io/docs/concepts/containers/images/#config-json */
function keyOf(address: string): string | null {
  const parsed = parseAddress(address.replace(/^https?:\/\//, ''));
  if (parsed === null) return null;
  const path = /^\/v[12]\//.test(parsed.path) ? parsed.path.slice(3) : parsed.path;
  return path === '/' ? parsed.host : parsed.host + path;
}

/** The same number of labels, each matched on its own, and the same port: 443 is not treated as equal to no port. */
function hostsMatch(pattern: RegistryAddress, target: RegistryAddress): boolean {
  const [glob, host] = [splitPort(pattern.host), splitPort(target.host)];
  const labels = host.name.split('.');
  const globs = glob.name.split('.');
  if (glob.port !== host.port || globs.length !== labels.length) return false;
  // `[` starts a character class there, so an IPv6 address without a port matches no host.
  return globs.every((label, index) => !label.includes('[') && matchesGlob(label, labels[index] ?? ''));
}
