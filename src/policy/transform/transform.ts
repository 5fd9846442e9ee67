/** A transform makes one new name; this file picks the one that a rule asks for. */
import type { RewriteTarget } from '../types.ts';
import type { Reference } from '../../image/reference.ts';
import type { PatternMatch } from '../../rules/pattern.ts';
import { escape } from './escape.ts';
import { flatten } from './flatten.ts';
import { fullName } from './full-name.ts';
import { image } from './image.ts';
import { path } from './path.ts';
import { remainder } from './remainder.ts';
import { singleRepository } from './single-repository.ts';
import { template } from './template.ts';

export type Transformed = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string };

/** Pure; the same image and match always give the same text. */
export type Transform = (reference: Reference, match: PatternMatch) => Transformed;

/**
 * The transform of a rule.
 *
 * @param base the registry's host with the rule's prefix, without a slash at the end; empty for `image` and `template`
 */
export function compileTransform(target: RewriteTarget, base: string): Transform {
  switch (target.as) {
    case 'path':
      return path(base, target.spelling);
    case 'fullName':
      return fullName(base, target.spelling);
    case 'flatten':
      return flatten(base);
    case 'escape':
      return escape(base);
    case 'singleRepository':
      return singleRepository(`${base}/${target.repository}`);
    case 'remainder':
      return remainder(base);
    case 'image':
      return image(target.image);
    case 'template':
      return template(target.template);
  }
}
