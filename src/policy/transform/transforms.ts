/** All transforms, in the order of the documentation. A new one is a new file here and a line below. */
import { escape } from './escape.ts';
import { flatten } from './flatten.ts';
import { fullName } from './full-name.ts';
import { image } from './image.ts';
import { path } from './path.ts';
import { remainder } from './remainder.ts';
import { singleRepository } from './single-repository.ts';
import { template } from './template.ts';
import type { OptionsOf, OptionSchemas, TransformRecord } from './transform.ts';

export const transforms = [path, fullName, flatten, escape, singleRepository, remainder, image, template] as const;

type TargetOf<Entry> = Entry extends { readonly as: infer As; readonly options: infer Options extends OptionSchemas }
  ? { readonly as: As } & OptionsOf<Options>
  : never;

/** The `rewrite` of a rule: one of the transforms with its options. */
export type RewriteTarget = TargetOf<(typeof transforms)[number]>;

const byName = new Map<string, TransformRecord>(transforms.map((record) => [record.as, record]));

export function transformOf(target: RewriteTarget): TransformRecord {
  const record = byName.get(target.as);
  if (record === undefined) throw new TypeError(`no transform is called ${target.as}`);
  return record;
}
