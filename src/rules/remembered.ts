/**
 * A cache of decisions by image text: replicas, restarts and rollouts name the same few images repeatedly. Used only when the image alone
 * decides, that is while no rule depends on the namespace or the labels of the pod.
 */
import { LRUCache } from 'lru-cache';
import { maxTextLength } from '../image/grammar.ts';
import { decideImage } from './decide.ts';
import type { ImageDecision, PodContext } from './decision.ts';
import type { Table } from './table.ts';

/** About 2 MiB at most; a cluster rarely runs that many different images at a time. */
const maxDecisions = 1_000;

/** By table, so that the decisions of a policy are dropped with it. */
const remembered = new WeakMap<Table, LRUCache<string, ImageDecision>>();

/** The same result as `decideImage`, usually for the price of a lookup. */
export function recallDecision(table: Table, image: string, context: PodContext, pullPolicy: string | null = null): ImageDecision {
  // Longer texts are not references, and errors are not worth the memory.
  if (table.isConditional || table.dependsOnPullPolicy || pullPolicy === 'Never' || image.length > maxTextLength)
    return decideImage(table, image, context, pullPolicy);
  const decisions = decisionsOf(table);
  const known = decisions.get(image);
  if (known !== undefined) return known;
  const decision = decideImage(table, image, context);
  decisions.set(image, decision);
  return decision;
}

function decisionsOf(table: Table): LRUCache<string, ImageDecision> {
  const known = remembered.get(table);
  if (known !== undefined) return known;
  const decisions = new LRUCache<string, ImageDecision>({ max: maxDecisions });
  remembered.set(table, decisions);
  return decisions;
}
