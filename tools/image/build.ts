/** From a base and the product's files to an image for each platform, an index over them, and the bill of materials that refers to it. */
import { readFileSync } from 'node:fs';
import { findBase, type Base } from './base.ts';
import type { Layer } from './layer.ts';
import { mediaTypes, type Descriptor, type ImageConfig, Layout, type Manifest, type Platform } from './layout.ts';
import type { runtimeSettings } from './settings.ts';

export interface ImageSource {
  readonly base: Layout;
  readonly platforms: readonly Platform[];
  readonly layer: Layer;
  readonly settings: ReturnType<typeof runtimeSettings>;
  /** Labels of the configuration and annotations of the manifests. */
  readonly labels: Readonly<Record<string, string>>;
  readonly created: Date;
  /** CycloneDX, JSON. */
  readonly sbomFile: string;
  readonly tag: string;
}

const sbomType = 'application/vnd.cyclonedx+json';

/** @returns the descriptor of the index */
export function buildImage(source: ImageSource, folder: string): Descriptor {
  const layout = new Layout(folder);
  const layer = layout.write(mediaTypes.layer, source.layer.content);
  const manifests = source.platforms.map((platform) => imageFor(platform, source, { layout, layer }));
  const index = layout.writeJson(mediaTypes.index, {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests,
    annotations: source.labels,
  });
  const sbom = referrer(layout, index, source);
  const referrers = layout.writeJson(mediaTypes.index, { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [sbom] });
  layout.writeIndex([
    { ...index, annotations: { 'org.opencontainers.image.ref.name': source.tag } },
    sbom,
    // Where a registry without the referrers API has them, and tools look for them in a layout too
    // (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema).
    { ...referrers, annotations: { 'org.opencontainers.image.ref.name': index.digest.replace(':', '-') } },
  ]);
  return index;
}

function imageFor(platform: Platform, source: ImageSource, { layout, layer }: { layout: Layout; layer: Descriptor }): Descriptor {
  const base = findBase(source.base, platform);
  const layers = [...base.manifest.layers.map((each) => layout.copyFrom(source.base, each)), layer];
  const config = layout.writeJson(mediaTypes.config, configOf(base, source));
  const annotations = { ...source.labels, 'org.opencontainers.image.base.digest': base.digest };
  const manifest: Manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers, annotations };
  return { ...layout.writeJson(mediaTypes.manifest, manifest), platform };
}

function configOf({ config: base }: Base, { layer, settings, labels, created }: ImageSource): ImageConfig {
  const { Env: baseEnv = [], Labels: baseLabels = {}, ...kept } = (base.config ?? {}) as { Env?: string[]; Labels?: object };
  const names = new Set(settings.Env.map((pair) => pair.split('=')[0]));
  return {
    ...base,
    created: created.toISOString(),
    config: {
      ...kept,
      ...settings,
      Env: [...baseEnv.filter((pair) => !names.has(pair.split('=')[0])), ...settings.Env],
      Labels: { ...baseLabels, ...labels },
    },
    rootfs: { type: 'layers', diff_ids: [...base.rootfs.diff_ids, layer.diffId] },
    history: [...(base.history ?? []), { created: created.toISOString(), created_by: 'npm run image' }],
  };
}

/** https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidelines-for-artifact-usage */
function referrer(layout: Layout, subject: Descriptor, { sbomFile, created }: ImageSource): Descriptor {
  const config = layout.write(mediaTypes.empty, Buffer.from('{}'));
  const sbom = layout.write(sbomType, readFileSync(sbomFile));
  const annotations = { 'org.opencontainers.image.created': created.toISOString() };
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: sbomType,
    config,
    layers: [{ ...sbom, annotations: { 'org.opencontainers.image.title': 'sbom.cdx.json' } }],
    subject,
    annotations,
  };
  return { ...layout.writeJson(mediaTypes.manifest, manifest), artifactType: sbomType };
}
