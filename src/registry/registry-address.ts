/**
 * The address of a registry in a docker config, parsed like `https://` and the address by Go's net/url. https://pkg.go.dev/net/url#Parse
 */

export interface RegistryAddress {
  /** With its port. */
  readonly host: string;
  /** Empty, or starts with a slash; percent-encoding is decoded. */
  readonly path: string;
}

// Control characters before a fragment are an error.
// oxlint-disable-next-line no-control-regex
const controlCharacter = /[\u0000-\u001F\u007F]/;
const userinfo = /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/;
/** Other characters are errors, or cannot occur in the host of an image: in both cases the address matches nothing. */
const hostCharacters = /^[A-Za-z0-9\-._~!$&'()*+,;=<>"\]]*(?::\d*)?$/;
const addressLiteral = /^(\[.*\])(?::\d*)?$/;
const malformedEscape = /%(?![0-9A-Fa-f]{2})/;

/** Null for an address that a kubelet ignores, or that no image can match. */
export function parseAddress(text: string): RegistryAddress | null {
  const [beforeFragment = '', ...fragment] = text.split('#');
  const [beforeQuery = ''] = beforeFragment.split('?', 1);
  const slash = beforeQuery.indexOf('/');
  const authority = slash === -1 ? beforeQuery : beforeQuery.slice(0, slash);
  const path = slash === -1 ? '' : beforeQuery.slice(slash);
  const at = authority.lastIndexOf('@');
  const [user, host] = [authority.slice(0, Math.max(at, 0)), authority.slice(at + 1)];
  if (controlCharacter.test(beforeFragment) || !userinfo.test(user) || !isHostAndPort(host)) return null;
  if ([user, path, fragment.join('#')].some((part) => malformedEscape.test(part))) return null;
  // One character per byte: non-ASCII characters cannot occur in an image.
  const decoded = path.replaceAll(/%(..)/g, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));
  return { host, path: decoded };
}

function isHostAndPort(host: string): boolean {
  const [, literal] = addressLiteral.exec(host) ?? [];
  return literal === undefined ? hostCharacters.test(host) : URL.canParse(`http://${literal}`);
}

/** An empty port counts as none. https://pkg.go.dev/net#SplitHostPort */
export function splitPort(host: string): { readonly name: string; readonly port: string } {
  const [, name, port = ''] = /^(.*):(\d*)$/.exec(host) ?? [];
  // Without a port, the colons belong to the address.
  if (name === undefined || (host.startsWith('[') && !name.endsWith(']'))) return { name: host, port: '' };
  return { name: name.replace(/^\[(.*)\]$/, '$1'), port };
}
