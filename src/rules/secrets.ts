/** The pull secrets that follow from where an image is. */
import type { Reference } from '../image/reference.ts';
import { noSecrets } from './decision.ts';
import { isUnder } from './registries.ts';
import type { Table } from './table.ts';

/** The secrets of every registry that the image is in, in the order of the policy. */
export function secretsAt(table: Table, reference: Reference): readonly string[] {
  const found = table.registries.filter(({ prefix }) => isUnder(prefix, reference));
  return union(found.map(({ registry }) => registry.pullSecrets));
}

/** Every name once, in order. Where one list has all of them, it is that list: most images of a pod then share it. */
export function union(lists: readonly (readonly string[])[]): readonly string[] {
  const [first = noSecrets, ...others] = lists.filter((list) => list.length > 0);
  const isAll = new Set(first).size === first.length && others.every((list) => list.every((name) => first.includes(name)));
  return isAll ? first : [...new Set(lists.flat())];
}
