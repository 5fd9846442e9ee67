/**
 * A folder that changes as the kubelet changes a mounted ConfigMap or Secret: all files at once, by one rename
 * (https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/volume/util/atomic_writer.go).
 */
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Content = Readonly<Record<string, string | Buffer>>;

export interface Mounted {
  readonly path: (name: string) => string;
  /** Replaces every file. One that is not named any more is gone. */
  readonly swap: (content: Content) => Promise<void>;
}

/** @param folder empty, removed by the test */
export async function mounted(folder: string, content: Content): Promise<Mounted> {
  let number = 0;
  const swap = async (next: Content): Promise<void> => {
    const old = `..${number}`;
    number += 1;
    const current = `..${number}`;
    await mkdir(join(folder, current));
    for (const [name, data] of Object.entries(next)) await writeFile(join(folder, current, name), data);
    await symlink(current, join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    await rm(join(folder, old), { recursive: true, force: true });
  };
  await swap(content);
  for (const name of Object.keys(content)) await symlink(join('..data', name), join(folder, name));
  return { path: (name) => join(folder, name), swap };
}
