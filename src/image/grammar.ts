/**
 * The grammar of an image reference, built from named parts, as containerd and the kubelet read it:
 * https://github.com/distribution/reference/blob/v0.6.0/reference.go (the comment at its head) and regexp.go.
 *
 *     reference := name [ ":" tag ] [ "@" digest ]
 *     name      := [ host [ ":" port ] "/" ] path
 */

const alphanumeric = '[a-z0-9]+';

/** One dot, one or two underscores, or any number of dashes: never at an end, never two kinds next to each other. */
const separator = '(?:[._]|__|-+)';

const pathComponent = `${alphanumeric}(?:${separator}${alphanumeric})*`;

/** The repository's path below its host: `library/nginx`. Lower case only. */
export const path = `${pathComponent}(?:/${pathComponent})*`;

const hostComponent = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const hostName = `${hostComponent}(?:\\.${hostComponent})*`;

/** Zone identifiers (`%eth0`) are not allowed, as in the grammar that containerd follows. */
const ipv6Address = '\\[[a-fA-F0-9:]+\\]';

/** Host with its port, if one is written. */
export const host = `(?:${hostName}|${ipv6Address})(?::[0-9]+)?`;

/** At most 128 characters (OCI distribution spec, "Pulling manifests"). */
export const tag = '[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}';

const algorithmComponent = '[A-Za-z][A-Za-z0-9]*';
export const digest = `${algorithmComponent}(?:[-_+.]${algorithmComponent})*:[0-9a-fA-F]{32,}`;

/** The form of an image ID. Rejected as a name, since it would be ambiguous. */
export const identifier = '[a-f0-9]{64}';

/**
 * Number of hex characters of each digest algorithm that containerd can verify
 * (https://github.com/opencontainers/image-spec/blob/v1.1.0/descriptor.md#registered-algorithms, and sha384 of go-digest).
 */
export const digestLengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** Maximum length of a repository's path, in characters. The host does not count. */
export const maxPathLength = 255;

/** Maximum length of a reference: a host name (253), port, path, tag and sha512 digest, with some reserve. */
export const maxTextLength = 1024;

export function anchored(expression: string): RegExp {
  return new RegExp(`^(?:${expression})$`);
}
