/**
 * Decisions remembered by the text of their image: replicas, restarts and roll-outs name the same few images over and over. Only
 * where the image alone decides, that is while no rule asks for the namespace or the labels of the pod.
 */
import { LRUCache } from 'lru-cache';
import { maxTextLength } from '../image/grammar.ts';
import { decideImage } from './decide.ts';
import type { ImageDecision, PodContext } from './decision.ts';
import type { Table } from './table.ts';

/** Some 2 MiB at most; a cluster rarely runs that many different images at a time. */
const maxDecisions = 1_000;

/** By table, so that what a policy decided is forgotten with it. */
const remembered = new WeakMap<Table, LRUCache<string, ImageDecision>>();

/** The same as `decideImage`, mostly at the price of a look-up. */
export function recallDecision(table: Table, image: string, context: PodContext, pullPolicy: string | null = null): ImageDecision {
  // Longer texts are no references, and nobody's error is worth their memory.
  if (table.isConditional || pullPolicy === 'Never' || image.length > maxTextLength) return decideImage(table, image, context, pullPolicy);
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
