/**
 * What a message of the kubelet says about the cause of a failed pull, without the names in it: whoever writes the image of a pod chooses
 * the names, and whoever runs a registry the text that it answers. Pure.
 */
import { referenceOf } from '../image/reference.ts';

/** Runtimes name images and addresses between quotes; what they quote of others has spaces. */
const quotedWord = /"[^"\s]*"/g;
const address = /\bhttps?:\/\/\S+/g;
/** `dial tcp: lookup registry.example.com on 10.0.0.10:53`, also of a host that the registry names. */
const lookedUp = /\blookup \S+/g;
/** containers/image names the tag, or the digest, beside the repository: `reading manifest 1 in registry.example.com/app`. */
const manifest = /\bmanifest \S+ in \S+/g;
/** containerd 1.6: `unexpected status code [manifests 1]`. */
const bracketed = /\[(?:manifests|blobs) [^\]]*\]/g;
/** containers/image quotes the first bytes of a page (docker/errors.go, registryHTTPResponseToError). */
const quotedBody = /(\bStatusCode: \d{3}), "(?:[^"\\]|\\.)*(?:"|$)/g;
/** dockerd quotes a page as well (distribution/registry/client/errors.go). */
const quotedPage = /(\bparsing HTTP \d{3} response body): .*/gs;
/** What the mirrors that the node has say, of containers/image: what counts is the registry that the image names. */
const mirrors = /\(Mirrors also failed: .*\]\): /gs;
/** containerd 2 adds the answer as lines of its own (core/remotes/docker/errcode.go, unexpectedResponseErr). */
const answer = /[Ss]erver message:|\n/;
/** Characters. A registry may answer more than any cause needs. */
const maxLength = 16_384;

/**
 * The words of the node, then those with the answer of the registry.
 *
 * @param images that the message may name
 */
export function toldCauses(message: string, images: readonly string[]): readonly string[] {
  const told = withoutNames(message.slice(0, maxLength), images);
  const [own = ''] = told.split(answer, 1);
  return own === told ? [told] : [own, told];
}

function withoutNames(message: string, images: readonly string[]): string {
  const names = [...new Set(images.flatMap(namesIn))].toSorted((a, b) => b.length - a.length);
  const unquoted = message
    .replaceAll(mirrors, '')
    .replaceAll(quotedBody, '$1')
    .replaceAll(quotedPage, '$1')
    .replaceAll(quotedWord, '""')
    .replaceAll(address, '')
    .replaceAll(bracketed, '');
  return names.reduce(withoutName, unquoted.replaceAll(manifest, 'manifest').replaceAll(lookedUp, 'lookup'));
}

/** The image as written, its repository in each form, and its parts. */
function namesIn(image: string): string[] {
  const reference = referenceOf(image);
  if (reference === null) return [image].filter((each) => each !== '');
  const { writtenName, name, path, host } = reference;
  return [image, writtenName, name, path, host];
}

/** Where it stands for itself, with the tag and the digest behind it. */
function withoutName(text: string, name: string): string {
  let rest = text;
  for (let at = rest.indexOf(name); at !== -1; at = rest.indexOf(name, at)) {
    const after = rest.slice(at + name.length);
    if (/[\w.-]/.test(rest.charAt(at - 1)) || /^[\w-]/.test(after)) at += name.length;
    else rest = rest.slice(0, at) + after.replace(tagBehind, '').replace(digestBehind, '');
  }
  return rest;
}

const tagBehind = /^:\w[\w.-]{0,127}(?=[\s@,)]|:\s|$)/;
const digestBehind = /^@[\w.+-]+:[0-9a-f]+/;

/** Whether the text names this image, as written or in full, and not only one whose name begins or ends like it. */
export function namesImage(text: string, image: string): boolean {
  return formsOf(image).some((form) => {
    for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + 1))
      if (isBegin(text.slice(Math.max(0, at - 3), at)) && isEnd(text.slice(at + form.length))) return true;
    return false;
  });
}

/** `docker://` is a transport of containers/image. */
const isBegin = (before: string): boolean => before === '' || before.endsWith('://') || /[^\w./-]$/.test(before);
const isEnd = (after: string): boolean => !/^(?:[\w/@-]|[.:]\w)/.test(after);

function formsOf(image: string): string[] {
  const reference = referenceOf(image);
  if (reference === null) return image === '' ? [] : [image];
  const { name, tag, digest } = reference;
  const full = name + (tag === null ? '' : `:${tag}`) + (digest === null ? '' : `@${digest}`);
  // The kubelet pulls `latest` where neither is written (pkg/kubelet/images/image_manager.go, applyDefaultImageTag).
  return tag === null && digest === null ? [image, full, `${image}:latest`, `${full}:latest`] : [image, full];
}
