/** The labels and annotations by which copies of pull secrets are known, to this program and to people. */
import { createHash } from 'node:crypto';

export const managedByLabel = 'app.kubernetes.io/managed-by';
export const managedBy = 'transship';
/** Which controller: two releases of one cluster must not take each other's copies for leftovers. */
export const ownerLabel = 'transship.dev/owner';
export const registryLabel = 'transship.dev/registry';
/** `namespace/name` of the source Secret, or the provider. */
export const sourceAnnotation = 'transship.dev/source';
/** Beginning of the SHA-256 of the content, to compare copies without reading them. */
export const contentAnnotation = 'transship.dev/content';

const longestValue = 63;
const validValue = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** The text itself where it may be a label, else what is left of it and a hash. https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
export function labelValue(text: string): string {
  if (text.length <= longestValue && validValue.test(text)) return text;
  const legible = text
    .replaceAll(/[^-A-Za-z0-9_.]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, longestValue - 9);
  return `${legible === '' ? 'x' : legible}-${createHash('sha256').update(text).digest('hex').slice(0, 8)}`;
}

export function ownerOf({ namespace, leaseName }: { readonly namespace: string; readonly leaseName: string }): string {
  return labelValue(`${namespace}.${leaseName}`);
}
