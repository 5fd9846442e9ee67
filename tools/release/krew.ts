/** The manifest with which Krew installs the command line as `kubectl transship` (https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest/). Pure. */
import { stringify } from 'yaml';

export interface ProgramArchive {
  /** As Node.js names it: `linux-x64`. */
  readonly platform: string;
  /** Where it is downloaded from. */
  readonly uri: string;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Go's names. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export function krewManifest({ version, homepage, archives }: KrewRelease): string {
  return stringify({
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: { name: 'transship' },
    spec: {
      version: `v${version}`,
      homepage,
      shortDescription: 'Show and check where pods pull their images',
      description: [
        'The command line of transship, an admission webhook that makes pods pull their images from the right registry. It says what a policy does to',
        'images and manifests, checks policy files, and lists the images that a registry needs.',
      ].join('\n'),
      platforms: archives.map(({ platform, uri, sha256 }) => {
        const [os, architecture = ''] = platform.split('-');
        return { selector: { matchLabels: { os, arch: architectures[architecture] ?? architecture } }, uri, sha256, bin: 'transship' };
      }),
    },
  });
}

export interface KrewRelease {
  readonly version: string;
  readonly homepage: string;
  readonly archives: readonly ProgramArchive[];
}
