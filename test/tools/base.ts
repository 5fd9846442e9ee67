import { mkdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { Layout, mediaTypes, sha256, type Descriptor, type ImageConfig } from '../../tools/image/layout.ts';

/** A base as a registry has one: an index over two platforms, and an attestation among them. */
export function writeBase(folder: string): void {
  const layout = new Layout(folder);
  const archive = Buffer.alloc(1024);
  const layer = layout.write(mediaTypes.layer, gzipSync(archive));
  const platforms = ['amd64', 'arm64'].map((architecture): Descriptor => {
    const config = layout.writeJson(mediaTypes.config, {
      os: 'linux',
      architecture,
      config: { Env: ['PATH=/usr/local/bin', 'NODE_ENV=development'], Entrypoint: ['docker-entrypoint.sh'] },
      rootfs: { type: 'layers', diff_ids: [sha256(archive)] },
      history: [{ created_by: 'base' }],
    } satisfies ImageConfig);
    const manifest = { schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers: [layer] } as const;
    return Object.assign(layout.writeJson(mediaTypes.manifest, manifest), { platform: { os: 'linux', architecture } });
  });
  const attestation = { ...platforms[0]!, platform: { os: 'unknown', architecture: 'unknown' } };
  const index = layout.writeJson(mediaTypes.index, {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [attestation, ...platforms],
  });
  mkdirSync(folder, { recursive: true });
  layout.writeIndex([index]);
}
