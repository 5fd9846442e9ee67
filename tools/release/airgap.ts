/** One file with all that an install without a registry needs: image, chart, checksums and what to do with them. */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { archive, sha256Of, type Build } from './steps.ts';

/** @param files image archive and packaged chart */
export async function buildAirgapBundle(build: Build, files: { readonly image: string; readonly chart: string }): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'transship-airgap-'));
  try {
    for (const file of [files.image, files.chart]) copyFileSync(file, join(folder, basename(file)));
    const names = [files.image, files.chart].map((file) => basename(file));
    writeFileSync(join(folder, 'checksums.txt'), names.map((name) => `${sha256Of(join(folder, name))}  ${name}\n`).join(''));
    writeFileSync(join(folder, 'README.txt'), instructions(build, names));
    await archive(build, folder, `transship-${build.version}-airgap.tar`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function instructions({ version, registry }: Build, [image, chart]: readonly string[]): string {
  return `transship ${version} without a registry

    sha256sum --check checksums.txt

On each node that runs it, into containerd (--digests, because the chart names the image by its digest):

    ctr --namespace k8s.io images import --digests --base-name ${registry}/transship ${image}

or once, into a registry of yours, with image.registry and image.repository in the values:

    skopeo copy --all oci-archive:${image}:${version} docker://REGISTRY/transship:${version}

Then, from where kubectl works:

    helm install transship ${chart} --namespace transship --create-namespace --values my-values.yaml

The image is found on the nodes and not pulled. Remove it from them with: ctr --namespace k8s.io images ls -q | grep ${registry}/transship
`;
}
