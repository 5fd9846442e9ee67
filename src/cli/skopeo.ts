/** The YAML file of `skopeo sync --src yaml` (https://github.com/containers/skopeo/blob/main/docs/skopeo-sync.1.md#yaml-file-content). */
import { stringify } from 'yaml';
import type { Reference } from '../image/reference.ts';

/** Tags and digests by repository by registry. An empty list would mean every tag, so an image without a tag gets `latest`. */
export function skopeoSync(sources: readonly Reference[]): string {
  const registries = Map.groupBy(sources, (source) => source.comparableHost);
  const file = new Map([...registries].map(([host, images]) => [host, { images: versionsByRepository(images) }]));
  return stringify(file, { lineWidth: 0 });
}

function versionsByRepository(images: readonly Reference[]): Map<string, string[]> {
  const repositories = Map.groupBy(images, (image) => image.path);
  return new Map([...repositories].map(([path, found]) => [path, [...new Set(found.map(version))]]));
}

/** An image with a digest is copied by digest: the tag may have moved since. */
function version({ tag, digest }: Reference): string {
  return digest ?? tag ?? 'latest';
}
