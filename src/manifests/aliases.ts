/** Resolves the aliases of a document: each refers to the last node before it with that anchor. */
import { isAlias, isNode, visit, type Alias, type Document, type Node } from 'yaml';

export type AliasTargets = ReadonlyMap<Alias, Node>;

const known = new WeakMap<Document, AliasTargets>();

/** Computed once per document; documents are never mutated. */
export function aliasTargets(document: Document): AliasTargets {
  const targets = known.get(document) ?? findTargets(document);
  known.set(document, targets);
  return targets;
}

function findTargets(document: Document): AliasTargets {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Node: (_, node) => {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target !== undefined) targets.set(node, target);
      } else if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

/** The node itself, or the target of the alias; null if there is none. */
export function resolved(targets: AliasTargets, value: unknown): Node | null {
  if (isAlias(value)) return targets.get(value) ?? null;
  return isNode(value) ? value : null;
}
