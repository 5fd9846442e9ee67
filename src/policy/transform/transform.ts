/**
 * A transform makes a new name from an image. Each is one record in one file, listed in src/policy/transform/transforms.ts. The types of a
 * policy, its schema and reference, the compiler and the linter are all derived from that list.
 *
 * Options are described by plain data instead of zod: the core depends on no validation library, and a record in one file cannot be left
 * incomplete. src/config/rewrite-schema.ts turns the description into a schema.
 */
import type { Reference } from '../../image/reference.ts';

export type Transformed = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly reason: string };

/** Pure; the same image and match always give the same text. */
export type Transform = (reference: Reference, match: PatternMatch) => Transformed;

/** How a pattern of the rule matched the image. */
export interface PatternMatch {
  /** The pattern as written in the policy. */
  readonly source: string;
  /** The part of the canonical name after the match, without a leading slash. */
  readonly remainder: string;
  /** The captures of a regular expression by number and by name, the whole match as `0`; empty for a name. */
  readonly captures: ReadonlyMap<string, string>;
}

export type OptionSchema =
  | { readonly type: 'registry'; readonly optional?: true }
  | { readonly type: 'repositoryPath'; readonly optional?: true; readonly description: string }
  | { readonly type: 'text'; readonly optional?: true; readonly description: string }
  | { readonly type: 'integer'; readonly optional?: true; readonly minimum: number; readonly maximum: number; readonly description: string }
  | { readonly type: 'choice'; readonly values: readonly [string, ...string[]]; readonly default: string; readonly description: string };

export type OptionSchemas = Readonly<Record<string, OptionSchema>>;

type ValueOf<Option> = Option extends { readonly type: 'choice'; readonly values: readonly (infer Value)[] }
  ? Value
  : Option extends { readonly type: 'integer' }
    ? number
    : string;

type OptionalKeys<Options> = { [Key in keyof Options]: Options[Key] extends { readonly optional: true } ? Key : never }[keyof Options];

/** The values of options in a policy, defaults filled in. */
export type OptionsOf<Options extends OptionSchemas> = string extends keyof Options
  ? Readonly<Record<string, string | number | undefined>>
  : { readonly [Key in Exclude<keyof Options, OptionalKeys<Options>>]: ValueOf<Options[Key]> } & {
      readonly [Key in OptionalKeys<Options>]?: ValueOf<Options[Key]> | undefined;
    };

/** A pattern of the rule as transforms see it: the captures of a regular expression, null for a name. */
export interface SourcePattern {
  readonly text: string;
  readonly captures: { readonly count: number; readonly names: readonly string[] } | null;
}

export interface OptionProblem<Option extends PropertyKey = string> {
  readonly option: Option;
  /** What is wrong and what to do. */
  readonly message: string;
}

export interface TransformRecord<As extends string = string, Options extends OptionSchemas = OptionSchemas> {
  /** The value of `rewrite.as`. */
  readonly as: As;
  /** The result in short, for the reference: `HOST/prefix/path`. */
  readonly description: string;
  readonly options: Options;
  /** `registry`: below the host of `registry`, with `prefix`. `image`: the options themselves name the target. */
  readonly writesTo: 'registry' | 'image';
  /** Whether two repositories of one host may get the same name. The linter warns about such rules. */
  readonly isLossy: boolean;
  /** Checks that need more than one option. */
  problems?(options: OptionsOf<Options>, patterns: readonly SourcePattern[]): readonly OptionProblem<keyof Options>[];
  /** With `writesTo: 'image'`: the single image that every match becomes, null if it depends on the match. */
  targetImage?(options: OptionsOf<Options>): string | null;
  /** @param base host of the registry with the rule's prefix, without a trailing slash; empty with `writesTo: 'image'` */
  compile(options: OptionsOf<Options>, base: string): Transform;
}

/** Gives the record its literal types, from which the policy types are derived. */
export function defineTransform<const As extends string, const Options extends OptionSchemas>(
  record: TransformRecord<As, Options>,
): TransformRecord<As, Options> {
  return record;
}
