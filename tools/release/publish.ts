/** The commands that publish a release: the same for a person, for the forge's workflow and for the rehearsal in the tests. */
import { execFileSync } from 'node:child_process';
import type { Artefacts } from './artefacts.ts';

export interface Destination {
  readonly version: string;
  /** Host and path. */
  readonly registry: string;
  /** For a registry on loopback. */
  readonly isPlainHttp?: boolean;
}

/** Each a program and its arguments, to be run in this order: the chart names the image, so the image is there first. */
export function publishPlan({ imageLayout, chart, npmPackage }: Artefacts, { version, registry, isPlainHttp }: Destination): string[][] {
  const image = ['regctl', 'image', 'copy', '--referrers', `ocidir://${imageLayout}:${version}`, `${registry}/transship:${version}`];
  return [
    isPlainHttp === true ? image.toSpliced(1, 0, '--host', `reg=${registry.split('/')[0]},tls=disabled`) : image,
    ['helm', 'push', chart, `oci://${registry}/charts`, ...(isPlainHttp === true ? ['--plain-http'] : [])],
    ['npm', 'publish', npmPackage, '--access', 'public'],
  ];
}

export function publish(steps: readonly string[][]): void {
  for (const [program = '', ...args] of steps) execFileSync(program, args, { stdio: 'inherit' });
}
