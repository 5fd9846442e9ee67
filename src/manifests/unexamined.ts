/** Text in manifests that looks like an image but belongs to no pod: the webhook may see it later, in a pod that is created from it. */
import { canonicalText, parseReference } from '../image/reference.ts';
import { token } from '../patch/pointer.ts';
import { isObject, list, member, text, type JsonObject } from '../pod/json.ts';

export interface UnexaminedImage {
  /** Kind and name of the object: `ConfigMap/settings`. */
  readonly object: string;
  /** JSON Pointer in the document. */
  readonly pointer: string;
  readonly image: string;
}

/**
 * @param value a document as plain values
 * @param examined pointers of the images that were decided
 */
export function unexaminedImages(value: unknown, examined: ReadonlySet<string>): UnexaminedImage[] {
  const found: UnexaminedImage[] = [];
  for (const { object, pointer, content } of objectsOf(value, '')) search(content, { object, pointer, key: '', examined, found });
  return found;
}

interface ObjectPlace {
  readonly object: string;
  readonly pointer: string;
  readonly content: JsonObject;
}

function objectsOf(value: unknown, pointer: string): ObjectPlace[] {
  const kind = text(value, 'kind') ?? '';
  if (kind.endsWith('List') && Array.isArray(member(value, 'items')))
    return list(value, 'items').flatMap((item, index) => objectsOf(item, `${pointer}/items/${index}`));
  // The schema of a custom resource describes its fields, with images as examples.
  if (!isObject(value) || kind === '' || kind === 'CustomResourceDefinition') return [];
  const name = text(member(value, 'metadata'), 'name') ?? '';
  return [{ object: `${kind}/${name}`, pointer, content: value }];
}

interface Search {
  readonly object: string;
  readonly pointer: string;
  readonly key: string;
  readonly examined: ReadonlySet<string>;
  readonly found: UnexaminedImage[];
}

/** Fields that repeat the rest of the object, or hold base64. */
const skippedKeys: ReadonlySet<string> = new Set([
  'status',
  'managedFields',
  'binaryData',
  'caBundle',
  'kubectl.kubernetes.io/last-applied-configuration',
  'transship.dev/original-images',
  'transship.dev/rewritten-by',
]);

function search(value: unknown, at: Search): void {
  const { pointer, key, examined, found, object } = at;
  if (typeof value === 'string') {
    if (!examined.has(pointer)) for (const image of imagesIn(key, value)) found.push({ object, pointer, image });
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) search(item, { ...at, pointer: `${pointer}/${index}` });
  } else if (isObject(value)) {
    const inParts = imageInParts(key, value);
    if (inParts !== null) found.push({ object, pointer, image: inParts });
    else
      for (const [name, child] of Object.entries(value))
        if (!skippedKeys.has(name)) search(child, { ...at, key: keyOf(value, name), pointer: `${pointer}/${token(name)}` });
  }
}

/** An environment variable is judged by its name. */
function keyOf(parent: JsonObject, name: string): string {
  return name === 'value' ? (text(parent, 'name') ?? name) : name;
}

function imagesIn(key: string, value: string): string[] {
  if (/image(?:_?name)?$/i.test(key) || /^(?:RELATED_)?IMAGE_/.test(key)) {
    const isImage = parseReference(value).ok && (key === 'image' || /[:/]/.test(value));
    if (isImage) return [value];
  }
  return [...new Set(value.match(imageInText) ?? [])].filter((candidate) => {
    const parsed = parseReference(candidate);
    return parsed.ok && /[.:]|^localhost$/.test(parsed.reference.host) && candidate.startsWith(parsed.reference.host);
  });
}

/** Host, path, and a tag or a digest, not preceded by a URL or a longer word. */
const imageInText =
  /(?<![\w./:@-])[a-z0-9][a-z0-9.-]*(?::\d+)?(?:\/[a-z0-9][a-z0-9._-]*)+(?::\w[\w.-]*(?:@sha256:[a-f0-9]{64})?|@sha256:[a-f0-9]{64})/g;

/** `image: { repository: …, tag: … }`, as values of charts and many operators have it. */
function imageInParts(key: string, value: JsonObject): string | null {
  const repository = text(value, 'repository');
  if (repository === null || !/image$/i.test(key)) return null;
  const registry = text(value, 'registry');
  const tag = text(value, 'tag');
  const parsed = parseReference(`${registry === null ? '' : `${registry}/`}${repository}${tag === null ? '' : `:${tag}`}`);
  return parsed.ok ? canonicalText(parsed.reference) : null;
}

/** `/spec/containers/0/image` as a field path: `spec.containers[0].image`. */
export function fieldPath(path: readonly string[]): string {
  return path
    .map((step, index) =>
      /^\d+$/.test(step) ? `[${step}]` : /^[\w-]+$/.test(step) ? (index === 0 ? step : `.${step}`) : `[${JSON.stringify(step)}]`,
    )
    .join('');
}
