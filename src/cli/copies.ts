/** The images to copy and their targets, and collisions between targets. */
import { canonicalText, parseReference, suffix, type Reference } from '../image/reference.ts';

export interface Copy {
  /** By digest if the image has one: a tag may have moved since. */
  readonly source: string;
  /** By tag if the image has one, since copying to a digest creates no tag. */
  readonly target: string;
  /** Digest that the target must have after the copy; null if the image has none. */
  readonly digest: string | null;
  readonly reference: Reference;
}

export interface Copies {
  readonly copies: readonly Copy[];
  /** Different images with the same target; they are not copied. */
  readonly collisions: readonly Collision[];
  /** One image in several digests for one tag; all but one are copied by digest. */
  readonly sharedTags: readonly Collision[];
}

export interface Collision {
  readonly target: string;
  readonly sources: readonly string[];
}

export interface Pair {
  readonly source: Reference;
  /** The image that pods get. */
  readonly target: string;
}

/** @param pairs in the order of the query, each once */
export function copiesOf(pairs: readonly Pair[]): Copies {
  const copies: Copy[] = [];
  const collisions: Collision[] = [];
  const sharedTags: Collision[] = [];
  for (const [target, group] of Map.groupBy(pairs, (pair) => tagged(pair.target))) {
    const sources = group.map(({ source }) => canonicalText(source));
    const images = new Set(group.map(({ source: { name, tag } }) => `${name}:${tag}`));
    if (images.size > 1) {
      collisions.push({ target, sources });
      continue;
    }
    const digests = new Set(group.map(({ source }) => source.digest));
    if (digests.size > 1) sharedTags.push({ target, sources });
    // An image that is referenced only by the tag keeps it.
    const owner = group.find(({ source }) => source.digest === null) ?? group[0];
    copies.push(...group.map((pair) => copyOf(pair, pair === owner)));
  }
  return { copies, collisions, sharedTags };
}

function copyOf({ source, target }: Pair, ownsTag: boolean): Copy {
  const { digest } = source;
  return {
    source: digest === null ? canonicalText(source) : `${source.name}@${digest}`,
    target: ownsTag || digest === null ? tagged(target) : `${nameOf(target)}@${digest}`,
    digest,
    reference: source,
  };
}

/** Without the digest if there is a tag. */
function tagged(target: string): string {
  const parsed = parseReference(target);
  return parsed.ok && parsed.reference.tag !== null ? `${nameOf(target)}:${parsed.reference.tag}` : target;
}

export function nameOf(target: string): string {
  const parsed = parseReference(target);
  return parsed.ok ? target.slice(0, target.length - suffix(parsed.reference).length) : target;
}
