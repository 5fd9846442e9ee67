/**
 * An image reference as a value: its canonical parts and the written text.
 *
 * Only `parseReference` makes one, so a value that exists is valid.
 */
import {
  anchored,
  digest as digestGrammar,
  digestLengths,
  host as hostGrammar,
  identifier,
  maxPathLength,
  maxTextLength,
  path as pathGrammar,
  tag as tagGrammar,
} from './grammar.ts';
import { comparableHost, dockerHub, isHost, withoutPort } from './host.ts';

export interface Reference {
  /** The text as written. */
  readonly text: string;
  /** The registry's host with its port, as written; `docker.io` if absent. */
  readonly host: string;
  /** The host in lower case, for comparison. */
  readonly comparableHost: string;
  /** The repository below the host: `library/nginx` for `nginx`. */
  readonly path: string;
  /** Host and path: `docker.io/library/nginx`. */
  readonly name: string;
  /** The name as written, without tag and digest: `nginx`. */
  readonly writtenName: string;
  /** The host as written, null if absent. */
  readonly writtenHost: string | null;
  /** The tag as written, null if absent: no default is ever added. */
  readonly tag: string | null;
  /** Algorithm and hex, null if absent. */
  readonly digest: string | null;
}

export type ParsedReference = { readonly ok: true; readonly reference: Reference } | { readonly ok: false; readonly problem: string };

const referenceExpression = new RegExp(`^((?:${hostGrammar}/)?${pathGrammar})(?::(${tagGrammar}))?(?:@(${digestGrammar}))?$`);
const hostExpression = anchored(hostGrammar);
const identifierExpression = anchored(identifier);
const officialPrefix = 'library/';

/**
 * Parses an image reference like containerd and the kubelet: short Hub names are expanded, a written tag and digest are kept, and nothing
 * else is added.
 */
export function parseReference(text: string): ParsedReference {
  if (text === '') return problem('the image is empty');
  if (text.length > maxTextLength) return problem(`it is longer than ${maxTextLength} characters`);
  if (identifierExpression.test(text)) return problem('64 hexadecimal characters are an image ID, not a name');
  const slash = text.indexOf('/');
  const first = slash === -1 ? '' : text.slice(0, slash);
  const writtenHost = slash !== -1 && isHost(first) ? first : null;
  const expanded = writtenHost === null ? `${dockerHub}/${text}` : text;
  const match = referenceExpression.exec(expanded);
  if (match === null) return problem(malformed(text, writtenHost));
  const digest = match[3] ?? null;
  const digestProblem = digest === null ? null : wrongDigest(digest);
  if (digestProblem !== null) return problem(digestProblem);
  return assemble(text, writtenHost, { name: match[1] ?? '', tag: match[2] ?? null, digest });
}

/** Null if the text is no reference. */
export function referenceOf(text: string): Reference | null {
  const parsed = parseReference(text);
  return parsed.ok ? parsed.reference : null;
}

interface Parts {
  readonly name: string;
  readonly tag: string | null;
  readonly digest: string | null;
}

function assemble(text: string, writtenHost: string | null, { name, tag, digest }: Parts): ParsedReference {
  const nameSlash = name.indexOf('/');
  const host = canonicalHost(name.slice(0, nameSlash));
  const writtenPath = name.slice(nameSlash + 1);
  const path = host === dockerHub && !writtenPath.includes('/') ? officialPrefix + writtenPath : writtenPath;
  if (isTooLong(host, path)) return problem(`its name is longer than ${maxPathLength} characters`);
  const writtenName = writtenHost === null ? writtenPath : name;
  const reference = {
    text,
    host,
    comparableHost: comparableHost(host),
    path,
    name: `${host}/${path}`,
    writtenName,
    writtenHost,
    tag,
    digest,
  };
  return { ok: true, reference };
}

/** The grammar allows no underscore in a host, so such a first component is part of the path. */
function isTooLong(host: string, path: string): boolean {
  return path.length > maxPathLength || (host.length + 1 + path.length > maxPathLength && !hostExpression.test(host));
}

function canonicalHost(host: string): string {
  return comparableHost(host) === dockerHub ? dockerHub : host;
}

/** The short form people type for Hub (`nginx`, `bitnami/redis`), the canonical name for every other registry. */
export function familiarName(reference: Reference): string {
  if (reference.comparableHost !== dockerHub) return `${reference.comparableHost}/${reference.path}`;
  const rest = reference.path.startsWith(officialPrefix) ? reference.path.slice(officialPrefix.length) : reference.path;
  return rest.includes('/') ? reference.path : rest;
}

/** The written tag and digest with their separators, empty if absent: `:1.27@sha256:…`. */
export function suffix(reference: Reference): string {
  return (reference.tag === null ? '' : `:${reference.tag}`) + (reference.digest === null ? '' : `@${reference.digest}`);
}

/** Canonical name with the tag and digest as written. */
export function canonicalText(reference: Reference): string {
  return reference.name + suffix(reference);
}

/** The last component of the path: `app` in `quay.io/acme/app`. */
export function lastComponent(reference: Reference): string {
  return reference.path.slice(reference.path.lastIndexOf('/') + 1);
}

function problem(text: string): ParsedReference {
  return { ok: false, problem: text };
}

function malformed(text: string, writtenHost: string | null): string {
  if (text.trim() !== text) return 'it has white space at an end';
  if (unfilled.test(text)) return 'it is a template whose placeholders are not filled in; render it first';
  if (text.includes('://')) return 'it has a scheme; an image name starts with the host';
  const port = writtenHost === null ? null : wrongPort(writtenHost);
  if (port !== null) return port;
  const at = text.indexOf('@');
  const digest = at === -1 ? null : malformedDigest(text.slice(at + 1));
  if (digest !== null) return digest;
  const rest = writtenHost === null ? text : text.slice(writtenHost.length + 1);
  const name = rest.split(/[:@]/, 1)[0] ?? '';
  if (name !== name.toLowerCase()) return 'a repository name must be lower case';
  return 'it does not follow the grammar [host[:port]/]path[:tag][@digest]';
}

/** As Helm and Go templates, shells and Kustomize, and Tekton write them. None of these characters can be in a reference. */
const unfilled = /\{\{|\$\{|\$\(/;

function wrongPort(host: string): string | null {
  const name = withoutPort(host);
  const port = host.slice(name.length + 1);
  if (name === host || /^[0-9]+$/.test(port)) return null;
  return port === '' ? `the port of ${name} is missing` : `the port is not a number: ${port}`;
}

/** A text after `@` that is too short, or has invalid characters, for a digest. */
function malformedDigest(text: string): string | null {
  const colon = text.indexOf(':');
  const algorithm = text.slice(0, colon);
  if (colon === -1) return `a digest is an algorithm and hexadecimal characters, such as sha256:0a1b2c…`;
  const hex = text.slice(colon + 1);
  if (Object.hasOwn(digestLengths, algorithm) && !/^[0-9a-f]*$/i.test(hex)) return `a ${algorithm} digest has hexadecimal characters only`;
  return Object.hasOwn(digestLengths, algorithm) ? wrongDigest(text) : null;
}

function wrongDigest(digest: string): string | null {
  const colon = digest.indexOf(':');
  const algorithm = digest.slice(0, colon);
  const length = Object.hasOwn(digestLengths, algorithm) ? digestLengths[algorithm] : undefined;
  if (length === undefined) return `the digest algorithm ${algorithm} is not supported (${Object.keys(digestLengths).join(', ')} are)`;
  const hex = digest.slice(colon + 1);
  if (hex.length !== length) return `a ${algorithm} digest has ${length} hexadecimal characters, this one ${hex.length}`;
  return hex === hex.toLowerCase() ? null : 'a digest is written in lower case';
}
