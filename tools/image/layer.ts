/** The one layer that the product adds: files that are the same for every platform, with nothing in it that differs between two builds. */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { create } from 'tar';
import { sha256 } from './layout.ts';

export interface Layer {
  /** Compressed. */
  readonly content: Buffer;
  /** Digest of the uncompressed archive. */
  readonly diffId: string;
}

/**
 * @param files path in the image to file or folder of this machine
 * @param time of every file
 */
export async function layerOf(files: Readonly<Record<string, string>>, time: Date): Promise<Layer> {
  const root = mkdtempSync(join(tmpdir(), 'transship-layer-'));
  try {
    for (const [target, source] of Object.entries(files)) {
      mkdirSync(dirname(join(root, target)), { recursive: true });
      cpSync(source, join(root, target), { recursive: true });
    }
    const archive = await archiveOf(root, time);
    // The header that zlib writes holds no time.
    return { content: gzipSync(archive, { level: 9 }), diffId: sha256(archive) };
  } finally {
    rmSync(root, { recursive: true });
  }
}

async function archiveOf(root: string, time: Date): Promise<Buffer> {
  const entries = readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted();
  for (const entry of entries) {
    const file = join(root, entry);
    // Whatever the umask of this machine is.
    chmodSync(file, statSync(file).isDirectory() ? 0o755 : 0o644);
  }
  const chunks: Buffer[] = [];
  // `portable` leaves out the owner and the access time, `noDirRecurse` keeps the order of the list.
  for await (const chunk of create({ cwd: root, portable: true, noDirRecurse: true, mtime: time }, entries)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
