/** Image references in CEL: the same parts as src/image/reference.ts has. */
import { host, path, tag } from '../../image/grammar.ts';
import { literal } from './cel.ts';

/** The tag's length is compared as a number, which makes the expression small enough for Go's fast matcher. */
const anyTag = tag.replace('{0,127}', '*');
const digest = '(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})';
const grammar = `^(?:${host}/)?${path}(?::${anyTag})?(?:@${digest})?$`;

/** Whether the text follows the grammar, by itself. @param text an expression */
export function isWellFormed(text: string): string {
  return `${text}.size() <= 1024 && ${text}.matches(${literal(grammar)}) && !${text}.matches("^[a-f0-9]{64}$")`;
}

/** The limits of a name and a tag. @param image a map of `partsOf` */
export function isWithinLimits(image: string): string {
  const tagSize = `(${image}.suffix.contains("@") ? ${image}.suffix.indexOf("@") : ${image}.suffix.size())`;
  return `${tagSize} <= 129 && ${image}.path.size() <= 255 && (${image}.path.size() + ${image}.registry.size() < 255 || !${image}.registry.contains("_"))`;
}

/**
 * The parts of an image as a map of strings, for any text: `host` and `rest` as written, `suffix` (tag and digest), `registry` (the host for
 * comparison), `path`, and `key`, which is registry and path with a slash after each.
 *
 * @param text an expression
 * @param more further members of the map
 */
export function partsOf(text: string, more = ''): string {
  return `[${text}]
  // name, tag and digest
  .map(t, t.contains("@") ? [t.substring(0, t.indexOf("@")), t.substring(t.indexOf("@"))] : [t, ""])
  .map(p, p[0].lastIndexOf(":") > p[0].lastIndexOf("/") ? [p[0].substring(0, p[0].lastIndexOf(":")), p[0].substring(p[0].lastIndexOf(":")) + p[1]] : p)
  // host, if the name has one, and path
  .map(p, p[0].matches("^(?:localhost|[^/]*[.:A-Z][^/]*)/") ? [p[0].substring(0, p[0].indexOf("/")), p[0].substring(p[0].indexOf("/") + 1), p[1]] : ["", p[0], p[1]])
  .map(p, p + [p[0] == "" || p[0].lowerAscii() == "index.docker.io" ? "docker.io" : p[0].lowerAscii()])
  .map(p, p + [p[3] == "docker.io" && !p[1].contains("/") ? "library/" + p[1] : p[1]])
  .map(p, {${more}"host": p[0], "rest": p[1], "suffix": p[2], "registry": p[3], "path": p[4], "key": p[3] + "/" + p[4] + "/"})[0]`;
}

/** For expressions of the policy. @param image a map of `partsOf` */
export function canonicalText(image: string): string {
  return `(${image}.registry + "/" + ${image}.path + ${image}.suffix)`;
}

/** Host and path, the host in the letters that it is written in. */
export function nameText(image: string): string {
  return `((${image}.registry == "docker.io" ? "docker.io" : ${image}.host) + "/" + ${image}.path)`;
}
