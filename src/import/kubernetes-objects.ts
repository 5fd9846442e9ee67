/** The objects of some kinds among documents of YAML, and in lists as kubectl prints them. */
import { ImportError, readYaml, type Located, type SourceText } from './source.ts';

/** @throws ImportError where there is none of the kinds, or another one */
export function kubernetesObjects(sources: readonly SourceText[], kinds: readonly string[]): Located<unknown>[] {
  const objects = sources.flatMap(readYaml).flatMap(itemsOf);
  const wanted = `it has ${kinds.join(', ')}`;
  for (const object of objects) {
    const kind = kindOf(object.value);
    if (kind === null || !kinds.includes(kind))
      throw new ImportError(
        object.source,
        object.positionAt(['kind']),
        `${kind === null ? 'no object of Kubernetes' : `${kind} cannot be imported`}; ${wanted}`,
      );
  }
  const [source] = sources;
  if (objects.length === 0 && source !== undefined) throw new ImportError(source, { line: 1, column: 1 }, `no object is in it; ${wanted}`);
  return objects;
}

function itemsOf(document: Located<unknown>): Located<unknown>[] {
  const { value } = document;
  if (!isRecord(value) || !Array.isArray(value['items']) || !String(value['kind']).endsWith('List')) return [document];
  return value['items'].map((item: unknown, index) => ({
    source: document.source,
    value: item,
    positionAt: (path) => document.positionAt(['items', index, ...path]),
  }));
}

function kindOf(value: unknown): string | null {
  return isRecord(value) && typeof value['kind'] === 'string' ? value['kind'] : null;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
