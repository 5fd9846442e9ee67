/** The name that images under a name are pulled by instead: what follows the name stays as it is. */
import { dockerHub } from '../image/host.ts';
import type { RewriteTarget } from '../policy/transform/transforms.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { nameOfAddress, type Winner } from './decisions.ts';
import type { Name } from './name.ts';
import { notResolved } from './exported.ts';

export type Replacement =
  | { readonly kind: 'name'; readonly name: Name }
  /** The rule leaves the images alone. */
  | { readonly kind: 'none' }
  /** It does more to the name; `option` is the one of `rewrite` that says so. */
  | { readonly kind: 'other'; readonly option: string; readonly reason: string };

/** Transforms that keep what follows the name. */
type Prefixing = Extract<RewriteTarget, { readonly as: 'path' | 'fullName' | 'remainder' }>;

/** @param name no component for every image: then the host is what is replaced */
export function replacementOf({ registries }: CompiledPolicy, winner: Winner, name: Name): Replacement {
  const { rewrite } = winner.rule.policy;
  if (rewrite === undefined) return { kind: 'none' };
  if (!isPrefixing(rewrite)) return other('as', `as: ${rewrite.as} changes more of a name than its beginning`);
  const base = winner.rule.rewrite?.target?.text;
  return base === undefined || registries.get(rewrite.registry)?.awaitsHost === true
    ? other('registry', notResolved(rewrite.registry))
    : replaced(rewrite, nameOfAddress(base), name, winner.source);
}

function isPrefixing(rewrite: RewriteTarget): rewrite is Prefixing {
  return rewrite.as === 'path' || rewrite.as === 'fullName' || rewrite.as === 'remainder';
}

function replaced(rewrite: Prefixing, base: Name, name: Name, source: Name): Replacement {
  const [host, ...path] = name;
  if (host === undefined && rewrite.as !== 'path')
    return other('as', `as: ${rewrite.as} of '*' keeps the host of each image; name the hosts instead`);
  const keepsHost = rewrite.as === 'fullName' || (rewrite.as === 'remainder' && source.length === 0);
  // A host with a port cannot be a part of a path: the rule refuses such images.
  if (keepsHost && host?.includes(':')) return { kind: 'none' };
  const isWritten = 'spelling' in rewrite && rewrite.spelling === 'written';
  if (isWritten && (host === undefined || host === dockerHub))
    return other('spelling', `spelling: written keeps short names of ${dockerHub}, and nodes know canonical names only`);
  const kept = keepsHost ? name : rewrite.as === 'path' ? path : name.slice(source.length);
  return { kind: 'name', name: [...base, ...kept] };
}

const other = (option: string, reason: string): Replacement => ({ kind: 'other', option, reason });
