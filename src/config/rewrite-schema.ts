/** The schema of `rewrite`, generated from the list of transforms. */
import * as z from 'zod';
import { nearest } from '../rules/nearest.ts';
import type { OptionSchema, TransformRecord } from '../policy/transform/transform.ts';
import { transforms, type RewriteTarget } from '../policy/transform/transforms.ts';
import type { AlternativeTarget } from '../policy/types.ts';
import { registryName, repositoryPath } from './registry-schema.ts';

const targets = [memberOf(transforms[0]), ...transforms.slice(1).map(memberOf)] as const;

export const rewrite = oneOf(targets)
  // Only for the type checker: checks nothing at run time.
  .pipe(z.custom<RewriteTarget>())
  .describe('How the name is rewritten. Tag and digest are kept. Without it the rule only attaches its pull secrets.');

const original = z.strictObject({ as: z.literal('original').describe('The image as written in the pod') });

/** With the keys of `rewrite`. */
export const alternative = oneOf([...targets, original]).pipe(z.custom<AlternativeTarget>());

type Member = z.ZodObject<Shape, z.core.$strict>;

function oneOf<const Members extends readonly [Member, ...Member[]]>(members: Members): z.ZodDiscriminatedUnion<Members, 'as'> {
  const names = members.map(({ shape }) => shape.as.value);
  return z.discriminatedUnion('as', members, {
    error: (issue) => (issue.code === 'invalid_union' ? unknownTransform(issue.input, names) : undefined),
  });
}

interface Shape extends Record<string, z.ZodType> {
  readonly as: z.ZodLiteral<string>;
}

function memberOf(record: TransformRecord): z.ZodObject<Shape, z.core.$strict> {
  const options = Object.entries(record.options).map(([key, option]): [string, z.ZodType] => [key, schemaOf(option)]);
  return z.strictObject({ as: z.literal(record.as).describe(record.description), ...Object.fromEntries(options) });
}

function schemaOf(option: OptionSchema): z.ZodType {
  if (option.type === 'choice') return z.enum(option.values).default(option.default).describe(option.description);
  const value = valueOf(option);
  return option.optional === true ? value.optional() : value;
}

function valueOf(option: Exclude<OptionSchema, { readonly type: 'choice' }>): z.ZodType {
  switch (option.type) {
    case 'registry':
      return registryName;
    case 'repositoryPath':
      return repositoryPath.describe(option.description);
    case 'text':
      return z.string().min(1).describe(option.description);
    case 'integer':
      return z.int().min(option.minimum).max(option.maximum).describe(option.description);
  }
}

function unknownTransform(target: unknown, names: readonly string[]): string {
  const written = typeof target === 'object' && target !== null && 'as' in target ? target.as : undefined;
  if (written === undefined) {
    return `rewrite needs as: one of ${transforms.map(({ as, description }) => `${as} (${description})`).join(', ')}`;
  }
  if (typeof written !== 'string') return `as is one word of ${names.join(', ')}`;
  if (written === original.shape.as.value) return 'as: original is the image as written; only an entry of alternatives has it';
  const near = nearest(written, names);
  return near === null ? `as: ${written} is unknown; it is one of ${names.join(', ')}` : `as: ${written} is unknown; did you mean ${near}?`;
}
