/**
 * An OCI image layout, a folder with content-addressed blobs (https://github.com/opencontainers/image-spec/blob/main/image-layout.md).
 * JSON is written in one way only, so the same content has the same digest.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  empty: 'application/vnd.oci.empty.v1+json',
} as const;

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** https://github.com/opencontainers/image-spec/blob/main/descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly artifactType?: string;
}

export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType: typeof mediaTypes.index;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType: typeof mediaTypes.manifest;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** https://github.com/opencontainers/image-spec/blob/main/config.md, as far as it is read here; other members are kept. */
export interface ImageConfig extends Platform {
  readonly created?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly string[] };
  readonly history?: readonly object[];
}

export const sha256 = (content: Uint8Array): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;

export class Layout {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  #blob(digest: string): string {
    return join(this.folder, 'blobs', ...digest.split(':'));
  }

  read(digest: string): Buffer {
    const content = readFileSync(this.#blob(digest));
    if (sha256(content) !== digest) throw new Error(`${this.#blob(digest)} has another content than its name says: copy the base again`);
    return content;
  }

  readIndex(digest: string): Index {
    return JSON.parse(this.read(digest).toString('utf8'));
  }

  readManifest(digest: string): Manifest {
    return JSON.parse(this.read(digest).toString('utf8'));
  }

  readConfig(digest: string): ImageConfig {
    return JSON.parse(this.read(digest).toString('utf8'));
  }

  write(mediaType: string, content: Uint8Array): Descriptor {
    const digest = sha256(content);
    const file = this.#blob(digest);
    mkdirSync(dirname(file), { recursive: true });
    if (!existsSync(file)) writeFileSync(file, content);
    return { mediaType, digest, size: content.length };
  }

  writeJson(mediaType: string, value: object): Descriptor {
    return this.write(mediaType, Buffer.from(JSON.stringify(value)));
  }

  copyFrom(other: Layout, { mediaType, digest }: Descriptor): Descriptor {
    return this.write(mediaType, other.read(digest));
  }

  index(): Index {
    return JSON.parse(readFileSync(join(this.folder, 'index.json'), 'utf8'));
  }

  writeIndex(manifests: readonly Descriptor[]): void {
    writeFileSync(join(this.folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    writeFileSync(join(this.folder, 'index.json'), JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.index, manifests }));
  }
}
