/** Pods as the webhook leaves them, whose statuses are planted as a kubelet would write them. */
import type { V1Pod } from '@kubernetes/client-node';

import type { ControlPlane } from '../../cluster/control-plane.ts';
import { change, succeed } from '../controllers.ts';

export const refused = 'dial tcp 10.1.2.3:443: connect: connection refused';
export const podPath = (name: string, namespace = 'shop'): string => `/api/v1/namespaces/${namespace}/pods/${name}`;
export const mirrored = (name: string): string => `mirror.example/library/${name}:1`;
export const backup = (name: string): string => `backup.example/library/${name}:1`;

export interface PodOptions {
  readonly namespace?: string;
  /** Names of its init containers; the container is called main. */
  readonly init?: readonly string[];
  /** Of its container. */
  readonly image?: string;
}

export async function createPod(
  plane: ControlPlane,
  name: string,
  { namespace = 'shop', init = [], image = mirrored('main') }: PodOptions = {},
): Promise<void> {
  const originals = Object.fromEntries(['main', ...init].map((each) => [each, `${each}:1`]));
  await succeed(plane, 'POST', `/api/v1/namespaces/${namespace}/pods`, {
    metadata: { name, annotations: { 'transship.dev/original-images': JSON.stringify(originals) } },
    spec: {
      automountServiceAccountToken: false,
      containers: [{ name: 'main', image }],
      initContainers: init.map((each) => ({ name: each, image: mirrored(each) })),
    },
  });
}

export const waiting = (name: string, image: string, message = refused): object => ({
  name,
  image,
  imageID: '',
  ready: false,
  restartCount: 0,
  state: { waiting: { reason: 'ErrImagePull', message } },
});

/** What the kubelet writes when it cannot pull. */
export async function fail(plane: ControlPlane, path: string, status: object): Promise<void> {
  await change(plane, `${path}/status`, { status: { phase: 'Pending', ...status } });
}

export const podOf = async (plane: ControlPlane, path: string): Promise<V1Pod> => succeed<V1Pod>(plane, 'GET', path);

export const imageOf = async (plane: ControlPlane, path: string): Promise<string | undefined> =>
  (await podOf(plane, path)).spec?.containers[0]?.image;
