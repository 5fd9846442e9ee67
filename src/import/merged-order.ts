/** One order of several lists that agrees with each of them; where they contradict each other, the first by name comes first. */

interface Node {
  readonly name: string;
  /** Those that come before it and are not in the order yet. */
  readonly before: Set<Node>;
  readonly after: Set<Node>;
}

/** Topological, as topoGraph.Sorted of https://github.com/openshift/runtime-utils/blob/main/pkg/registries/topo.go. */
export function mergedOrder(lists: readonly (readonly string[])[]): string[] {
  const nodes = inNameOrder(nodesOf(lists));
  const ordered = new Set<Node>();
  const ready = nodes.filter(({ before }) => before.size === 0);
  const take = (node: Node): void => {
    ordered.add(node);
    const freed: Node[] = [];
    for (const next of node.after) {
      next.before.delete(node);
      if (next.before.size === 0 && !ordered.has(next)) freed.push(next);
    }
    ready.push(...inNameOrder(freed));
  };
  let position = 0;
  for (const node of nodes) {
    for (; position < ready.length; position += 1) {
      const next = ready[position];
      if (next !== undefined) take(next);
    }
    // Nothing is ready, so there is a loop.
    if (!ordered.has(node)) take(node);
  }
  return [...ordered].map(({ name }) => name);
}

function nodesOf(lists: readonly (readonly string[])[]): Node[] {
  const nodes = new Map<string, Node>();
  const nodeOf = (name: string): Node => {
    const node = nodes.get(name) ?? { name, before: new Set(), after: new Set() };
    nodes.set(name, node);
    return node;
  };
  for (const list of lists)
    for (const [index, name] of list.entries()) {
      const node = nodeOf(name);
      const next = list[index + 1];
      if (next === undefined) continue;
      node.after.add(nodeOf(next));
      nodeOf(next).before.add(node);
    }
  return [...nodes.values()];
}

const inNameOrder = (nodes: readonly Node[]): Node[] => nodes.toSorted((one, other) => (one.name < other.name ? -1 : 1));
