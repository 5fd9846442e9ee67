/** Image references in CEL: the same parts as src/image/reference.ts has. */
import { host, path, tag } from '../../image/grammar.ts';
import { indented, literal } from './cel.ts';

/** The tag's length is compared as a number, which makes the expression small enough for Go's fast matcher. */
const anyTag = tag.replace('{0,127}', '*');
const digest = '(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})';
const grammar = `^(?:${host}/)?${path}(?::${anyTag})?(?:@${digest})?$`;

/** A part of the grammar that most images follow, which Go's matcher decides without going back. */
const plain = '^[a-z0-9]+(?:[./_-][a-z0-9]+)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]*)?(?:@sha256:[0-9a-f]{64})?$';

/** Whether the text is an image reference: most are told from the others by the first line. @param text an expression */
export function isReference(text: string): string {
  const isShort = `(${text}.size() < 64 || ${text}.size() != 64 && (${text}.size() <= 128 || ${text}.size() <= 199 && ${text}.contains("@")))`;
  return `(${isShort} && ${text}.matches(${literal(plain)})
  || ${isWellFormed(text)}
  && [${text}]${indented(partsOf(text, 't'), '    ').trimStart()}.all(m, ${isWithinLimits('m')}))`;
}

/** Whether the text follows the grammar, by itself. @param text an expression */
export function isWellFormed(text: string): string {
  return `${text}.size() <= 1024 && ${text}.matches(${literal(grammar)}) && !${text}.matches("^[a-f0-9]{64}$")`;
}

/** The limits of a name and a tag. @param image a map of `partsOf` */
export function isWithinLimits(image: string): string {
  const tagSize = `(${image}.suffix.contains("@") ? ${image}.suffix.indexOf("@") : ${image}.suffix.size())`;
  // The key is registry and path with two slashes.
  const pathSize = `${image}.key.size() - ${image}.key.indexOf("/") - 2`;
  return `${tagSize} <= 129 && ${pathSize} <= 255 && (${image}.key.size() < 257 || !${image}.key.matches("^[^/]*_"))`;
}

/**
 * The parts of a text, which are strings: `suffix` (tag and digest) and `key`, which is the host for comparison and the path with a slash after each.
 *
 * @param text an expression
 */
function partsMap(text: string, written: readonly WrittenPart[]): string {
  // Letters in upper case are in the host only.
  const ofHost = `${text}.find(${literal(anyHost)})`;
  const rest = `${text}.find(${literal(anyName)}).substring(${ofHost}.size())`;
  const hub = `"docker.io/" + (${text}.matches(${literal(oneComponent)}) ? "library/" : "") + ${rest}`;
  return map({
    suffix: `${text}.find("[:@][^/]*$")`,
    key: `(${ofHost}.lowerAscii() in ["", "docker.io/", "index.docker.io/"] ? ${hub} : ${text}.find(${literal(anyName)}).lowerAscii()) + "/"`,
    ...(written.includes('host') ? { host: ofHost } : {}),
    ...(written.includes('rest') ? { rest } : {}),
  });
}

/**
 * Maps each text of a list to its parts.
 *
 * @param text an expression
 * @param element the variable in it
 */
export function partsOf(text: string, element: string): string {
  return `\n.map(${element}, ${partsMap(text, [])})`;
}

interface IndexedPartsWish {
  readonly written?: readonly WrittenPart[];
  /** Which elements, in CEL. */
  readonly only?: string;
}

/** The same by index, of a list or of such a map: the API server takes half as much for an entry of a map as for one of a list. */
export function indexedPartsOf(text: string, element: string, { written = [], only }: IndexedPartsWish = {}): string {
  return `\n.transformMap(i, ${element}, ${only === undefined ? '' : `${only},\n  `}${partsMap(text, written)})`;
}

/** `host` as written, with its slash; `rest`, the path as written. */
export type WrittenPart = 'host' | 'rest';

/** A host in front of a name, with its slash. */
export const anyHost = '^(?:localhost|[^/]*[.:A-Z][^/]*)/';
/** Up to the tag and the digest. */
const anyName = '^(?:[^/]*/)*[^/:@]*';
/** Of Docker Hub: the path has `library/` in front. */
const oneComponent = '^(?i:(?:index[.])?docker[.]io/)?[^/]+$';

function map(members: Readonly<Record<string, string>>): string {
  return `{${Object.entries(members)
    .map(([name, expression]) => `${literal(name)}: ${expression}`)
    .join(', ')}}`;
}

/** The path. @param image a map of `partsOf` */
export function pathText(image: string): string {
  return `${image}.key.substring(${image}.key.indexOf("/") + 1, ${image}.key.size() - 1)`;
}

/** The canonical name. @param image a map of `partsOf` */
export function canonicalName(image: string): string {
  return `${image}.key.substring(0, ${image}.key.size() - 1)`;
}

/** For expressions of the policy. @param image a map of `partsOf` */
export function canonicalText(image: string): string {
  return `(${canonicalName(image)} + ${image}.suffix)`;
}

/** Host and path, the host in the letters that it is written in. @param image a map of `partsOf` with `host` */
export function nameText(image: string): string {
  return `((${image}.key.startsWith("docker.io/") ? "docker.io/" : ${image}.host) + ${pathText(image)})`;
}
