/** The labels of a pod that decisions read; which ones depends on the policy. */
import { objectOf, scalar, text, type ObjectFields, type Untrusted } from './fields.ts';

export type LabelFields = ObjectFields<Readonly<Record<string, typeof scalar>>>;

/** Label that opts a namespace or a pod in or out. */
export const rewriteLabel = 'transship.dev/rewrite';

/** Its value that opts out, of every release in a cluster. */
export const optOutValue = 'disabled';

export function labelFields(keys: readonly string[]): LabelFields {
  return objectOf(Object.fromEntries([...new Set(keys)].map((key) => [key, scalar] as const)));
}

/** Only the declared ones; a value that is not a string counts as absent. */
export function labelsOf(labels: Untrusted<LabelFields>, { members }: LabelFields): Readonly<Record<string, string>> {
  const entries = Object.keys(members).flatMap((key) => {
    const value = text(labels, key);
    return value === null ? [] : [[key, value] as const];
  });
  return Object.fromEntries(entries);
}
