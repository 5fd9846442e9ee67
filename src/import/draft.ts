/** A policy that is being made from the configuration of another program. */
import type { PatternSource } from '../policy/types.ts';

/** Where images go; `host` is that of a registry, without a path. */
export type DraftTarget =
  | {
      readonly as: 'path' | 'fullName' | 'flatten' | 'remainder';
      readonly host: string;
      /** Empty for none. */
      readonly prefix: string;
      readonly spelling?: 'written';
    }
  | { readonly as: 'image'; readonly image: string }
  | { readonly as: 'template'; readonly template: string }
  | { readonly as: 'original' };

export interface DraftRule {
  readonly name: string;
  /** What it means there and not here: comments, each a sentence. */
  readonly notes: readonly string[];
  readonly images: readonly PatternSource[];
  readonly exclude?: readonly PatternSource[];
  readonly namespaces?: readonly string[];
  readonly target: DraftTarget;
  readonly alternatives?: readonly DraftTarget[];
  readonly pullSecrets?: readonly string[];
  /** Images for the tests, beside those that follow from the patterns. */
  readonly samples?: readonly string[];
}

export interface Draft {
  /** What it was made from: `containerd's hosts.toml`. */
  readonly origin: string;
  /** What is true of all of it: comments at the top. */
  readonly notes: readonly string[];
  readonly exclude: readonly PatternSource[];
  /** In order; the first that matches decides. */
  readonly rules: readonly DraftRule[];
}

/** @param names whose images have no rule, because they come from the registry itself before they come from a mirror */
export function firstNote(names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`Mirrors that are tried only after the registry itself are left out: those of ${names.join(', ')}.`];
}

/** A name of a rule or a registry. */
export function slug(text: string): string {
  return (
    text
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '')
      .slice(0, 60) || 'all'
  );
}

/** Gives each name unchanged where it is the first, else with a number. */
export function uniqueNames(): (name: string) => string {
  const taken = new Set<string>();
  const numbers = new Map<string, number>();
  return (name) => {
    let unique = name;
    let number = numbers.get(name) ?? 2;
    for (; taken.has(unique); number += 1) unique = `${name.slice(0, 56)}-${number}`;
    numbers.set(name, number);
    taken.add(unique);
    return unique;
  };
}

export function withUniqueNames(rules: readonly DraftRule[]): DraftRule[] {
  const unique = uniqueNames();
  return rules.map((rule) => ({ ...rule, name: unique(rule.name) }));
}
