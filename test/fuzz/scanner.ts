/**
 * The grammar of image references once more, read character by character and without a regular expression, from the comment at the
 * head of https://github.com/distribution/reference/blob/v0.6.0/reference.go. It shares no line with the parser that it checks.
 */

const lower = 'abcdefghijklmnopqrstuvwxyz';
const digits = '0123456789';
const letters = lower + lower.toUpperCase();
const hexDigits = `${digits}abcdef`;

const consistsOf = (text: string, alphabet: string): boolean => Array.from(text).every((character) => alphabet.includes(character));

export function isReference(text: string): boolean {
  if (text.length > 1024 || (text.length === 64 && consistsOf(text, hexDigits))) return false;
  const at = text.indexOf('@');
  const beforeDigest = at === -1 ? text : text.slice(0, at);
  if (at !== -1 && !isDigest(text.slice(at + 1))) return false;
  const colon = beforeDigest.indexOf(':', beforeDigest.lastIndexOf('/') + 1);
  if (colon !== -1 && !isTag(beforeDigest.slice(colon + 1))) return false;
  return isName(colon === -1 ? beforeDigest : beforeDigest.slice(0, colon));
}

function isName(name: string): boolean {
  const [first = '', ...rest] = name.split('/');
  const hasHost = rest.length > 0 && (first === 'localhost' || first.includes('.') || first.includes(':') || first !== first.toLowerCase());
  // What looks like a host and cannot be one is read as the first part of a path: `Parse` tries the whole grammar, in which the host is optional.
  if (hasHost && !isHostWithPort(first)) return name.length <= 255 && [first, ...rest].every(isPathComponent);
  const components = hasHost ? rest : [first, ...rest];
  const isHub = !hasHost || ['docker.io', 'index.docker.io'].includes(first.toLowerCase());
  const path = (isHub && components.length === 1 ? 'library/' : '') + components.join('/');
  return path.length <= 255 && components.every(isPathComponent);
}

function isPathComponent(component: string): boolean {
  const alphanumeric = lower + digits;
  if (!consistsOf(component, `${alphanumeric}._-`)) return false;
  let separator = '';
  let hasBegun = false;
  for (const character of `${component}/`) {
    if (!alphanumeric.includes(character) && character !== '/') {
      separator += character;
      continue;
    }
    const isEnd = character === '/' || !hasBegun;
    if (isEnd && (separator !== '' || (character === '/' && !hasBegun))) return false;
    if (separator !== '' && !['.', '_', '__'].includes(separator) && !consistsOf(separator, '-')) return false;
    separator = '';
    hasBegun = true;
  }
  return true;
}

function isHostWithPort(text: string): boolean {
  const bracket = text.lastIndexOf(']');
  const colon = text.indexOf(':', bracket + 1);
  const host = colon === -1 ? text : text.slice(0, colon);
  const port = colon === -1 ? null : text.slice(colon + 1);
  if (port !== null && (port === '' || !consistsOf(port, digits))) return false;
  if (host.startsWith('[')) return host.endsWith(']') && host.length > 2 && consistsOf(host.slice(1, -1), `${hexDigits}ABCDEF:`);
  return host
    .split('.')
    .every((part) => part !== '' && !part.startsWith('-') && !part.endsWith('-') && consistsOf(part, `${letters}${digits}-`));
}

function isTag(tag: string): boolean {
  return tag !== '' && tag.length <= 128 && consistsOf(tag, `${letters}${digits}_.-`) && !'.-'.includes(tag.charAt(0));
}

function isDigest(digest: string): boolean {
  const lengths = new Map([
    ['sha256', 64],
    ['sha384', 96],
    ['sha512', 128],
  ]);
  const colon = digest.indexOf(':');
  const hex = digest.slice(colon + 1);
  return hex.length === lengths.get(digest.slice(0, colon)) && consistsOf(hex, hexDigits);
}
