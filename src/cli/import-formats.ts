/** The formats of `transship import`: each is a line here. */
import { importContainerd } from '../import/containerd.ts';
import { importCrio } from '../import/crio.ts';
import type { Draft } from '../import/draft.ts';
import { importHarborContainerWebhook } from '../import/harbor-container-webhook.ts';
import { importImageswap } from '../import/imageswap.ts';
import { importK3s } from '../import/k3s.ts';
import { importKubeImageKeeper } from '../import/kube-image-keeper.ts';
import { importKyverno } from '../import/kyverno.ts';
import { importOpenShift } from '../import/openshift.ts';
import type { SourceText } from '../import/source.ts';

export interface ImportFormat {
  /** One line for the list of formats. */
  readonly summary: string;
  /** Which files of a folder belong to it; `byHost`: those in its folders, whose names are hosts. */
  readonly files: RegExp | 'byHost';
  /** Of several files it would read the first alone. */
  readonly isOneFile?: true;
  /** @throws ImportError */
  readonly read: (sources: readonly SourceText[]) => Draft;
}

const manifests = /\.(?:ya?ml|json)$/;

export const importFormats: Readonly<Record<string, ImportFormat>> = {
  containerd: { summary: 'hosts.toml files below the config_path of containerd', files: 'byHost', read: importContainerd },
  k3s: { summary: 'registries.yaml of K3s and RKE2', files: /(?:^|\/)registries\.yaml$/, isOneFile: true, read: importK3s },
  crio: { summary: 'registries.conf of CRI-O and Podman', files: /\.conf$/, read: importCrio },
  openshift: { summary: 'ImageDigestMirrorSet, ImageTagMirrorSet and ImageContentSourcePolicy', files: manifests, read: importOpenShift },
  kyverno: { summary: 'ClusterPolicy that replaces the registry of images', files: manifests, read: importKyverno },
  'harbor-container-webhook': {
    summary: 'its rules, or the values of its chart',
    files: manifests,
    isOneFile: true,
    read: importHarborContainerWebhook,
  },
  'kube-image-keeper': {
    summary: 'ImageSetMirror and ReplicatedImageSet, also of the cluster',
    files: manifests,
    read: importKubeImageKeeper,
  },
  imageswap: { summary: 'its map file', files: /\.conf$/, isOneFile: true, read: importImageswap },
};
