/**
 * Which entries of its pull secrets a kubelet tries for a repository, in its order. Pure: the same answer as
 * https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/credentialprovider/keyring.go, which the tests ask.
 */
import { dockerHub, legacyDockerHub } from '../image/host.ts';
import { matchesGlob } from '../rules/glob.ts';
import { parseAddress, splitPort, type RegistryAddress } from './registry-address.ts';
import type { PullSecretEntry } from './pull-secret.ts';

interface KeyringEntry {
  /** Host and path under which the kubelet files the entry; entries are tried by it, the last in byte order first. */
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
   * @param repository canonical, without tag and digest: docker.io/library/nginx. The kubelet asks with that form.
   * @returns entries without user and password too, as the kubelet does
   */
  lookup(repository: string): readonly PullSecretEntry[] {
    const target = parseAddress(repository);
    return this.#entriesWhere(repository.split('/', 1)[0] ?? '', ({ pattern }) => {
      return pattern !== null && target !== null && hostsMatch(pattern, target) && target.path.startsWith(pattern.path);
    });
  }

  /**
   * Entries that fit a repository under this one, itself included.
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
    // Docker Hub's entry is filed under a host that no canonical name has. Hosts without dot or port count as Hub here, `localhost` too.
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

/** As many labels, each matched on its own, and the same port: the default one is written or not like any other. */
function hostsMatch(pattern: RegistryAddress, target: RegistryAddress): boolean {
  const [glob, host] = [splitPort(pattern.host), splitPort(target.host)];
  const labels = host.name.split('.');
  const globs = glob.name.split('.');
  if (glob.port !== host.port || globs.length !== labels.length) return false;
  // `[` begins a character class there, so an IPv6 address without a port fits no host.
  return globs.every((label, index) => !label.includes('[') && matchesGlob(label, labels[index] ?? ''));
}
