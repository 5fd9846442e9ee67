/** What each alias of a document stands for: the node that had the anchor last, in the order of the text. */
import { isAlias, isNode, visit, type Alias, type Document, type Node } from 'yaml';

export type AliasTargets = ReadonlyMap<Alias, Node>;

const known = new WeakMap<Document, AliasTargets>();

/** Looked for once in each document, which nobody changes. */
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

/** The node itself, or what the alias stands for; null where there is none. */
export function resolved(targets: AliasTargets, value: unknown): Node | null {
  if (isAlias(value)) return targets.get(value) ?? null;
  return isNode(value) ? value : null;
}
