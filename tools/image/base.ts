/** The image that the product is put on: for each platform its manifest and configuration, from a layout on disk. */
import { mediaTypes, type Descriptor, type ImageConfig, type Layout, type Manifest, type Platform } from './layout.ts';

export interface Base {
  readonly digest: string;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/** Docker's own types, which many bases still have, mean the same. */
const indexTypes: ReadonlySet<string> = new Set([mediaTypes.index, 'application/vnd.docker.distribution.manifest.list.v2+json']);

/** @throws Error that names the platforms there are, when the wanted one is not among them */
export function findBase(layout: Layout, platform: Platform): Base {
  const found = candidates(layout, layout.index().manifests);
  const wanted = textOf(platform);
  const base = found.find(({ config }) => textOf(config) === wanted);
  if (base !== undefined) return base;
  const there = found.map(({ config }) => textOf(config)).join(', ') || 'none';
  throw new Error(`the base ${layout.folder} has no image for ${wanted}; it has ${there}. Copy it with skopeo copy --multi-arch all`);
}

function candidates(layout: Layout, manifests: readonly Descriptor[]): Base[] {
  return manifests.flatMap((descriptor) => {
    if (indexTypes.has(descriptor.mediaType)) return candidates(layout, layout.readIndex(descriptor.digest).manifests);
    const manifest = layout.readManifest(descriptor.digest);
    // Attestations stand among the images of an index, as images of an unknown platform.
    if (descriptor.platform?.os === 'unknown' || manifest.subject !== undefined) return [];
    return [{ digest: descriptor.digest, manifest, config: layout.readConfig(manifest.config.digest) }];
  });
}

export const textOf = ({ os, architecture }: Platform): string => `${os}/${architecture}`;

/** @param text as `linux/amd64` */
export function platformOf(text: string): Platform {
  const [os = '', architecture = '', more] = text.split('/');
  if (os === '' || architecture === '' || more !== undefined) throw new Error(`--platform ${text}: write it as linux/amd64`);
  return { os, architecture };
}
