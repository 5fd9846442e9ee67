/** The npm packages that are in a bundle, as esbuild reports its inputs. */
import type { Metafile } from 'esbuild';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression. */
  readonly license: string;
  /** Folder below the project. */
  readonly path: string;
  /** Subresource integrity of the package's archive, from package-lock.json: `sha512-` and base64. */
  readonly integrity: string;
}

const packagePath = /^(?:.*?\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?:\/node_modules\/(?:@[^/]+\/)?[^/]+)*/;

/** @returns sorted by path; a package that is there in two versions is there twice */
export function bundledPackages(project: string, metafiles: readonly Metafile[]): BundledPackage[] {
  const lock: { packages: Record<string, { integrity?: string }> } = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'));
  const inputs = metafiles.flatMap(({ outputs }) =>
    Object.values(outputs).flatMap((output) =>
      Object.entries(output.inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
    ),
  );
  const paths = new Set(inputs.flatMap((file) => packagePath.exec(file)?.[0] ?? []));
  return [...paths].toSorted().map((path) => {
    const { name, version, license }: Readonly<Record<'name' | 'version' | 'license', string>> = JSON.parse(
      readFileSync(join(project, path, 'package.json'), 'utf8'),
    );
    // Where node_modules is a link, as in the checkout of another revision, files have the paths of where it leads.
    const integrity = lock.packages[path.slice(path.indexOf('node_modules/'))]?.integrity;
    if (integrity === undefined) throw new Error(`package-lock.json has no integrity for ${path}: run npm ci, then build again`);
    return { name, version, license, path, integrity };
  });
}
