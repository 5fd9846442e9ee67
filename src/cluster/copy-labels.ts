/** The labels and annotations that identify the objects of the controller, to this program and to people. */
import { createHash } from 'node:crypto';

export const managedByLabel = 'app.kubernetes.io/managed-by';
export const managedBy = 'transship';
/** The controller that a copy belongs to: two releases in one cluster must not delete each other's copies. */
export const ownerLabel = 'transship.dev/owner';
export const registryLabel = 'transship.dev/registry';
/** `namespace/name` of the copy itself: a Secret that was made from a copy has the name of another one. */
export const copyAnnotation = 'transship.dev/copy';
/** `namespace/name` of the source Secret, or the provider. */
export const copyOfAnnotation = 'transship.dev/copy-of';
/** With the value `true`, the owner of a Secret hands it over to the controller, which turns it into a copy. */
export const adoptAnnotation = 'transship.dev/adopt';
/** Start of the SHA-256 of the content, to compare copies without reading them. */
export const contentAnnotation = 'transship.dev/content';

const maxValueLength = 63;
const validValue = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/**
 * The text itself if it is a valid label value, else its valid characters and a hash.
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set
 */
export function labelValue(text: string): string {
  if (text.length <= maxValueLength && validValue.test(text)) return text;
  const legible = text
    .replaceAll(/[^-A-Za-z0-9_.]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, maxValueLength - 9);
  return `${legible === '' ? 'x' : legible}-${createHash('sha256').update(text).digest('hex').slice(0, 8)}`;
}

export function ownerOf({ namespace, leaseName }: { readonly namespace: string; readonly leaseName: string }): string {
  return labelValue(`${namespace}.${leaseName}`);
}
