/** Plays the kubelet for one volume: keeps the files of a pair as the Secret is. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { V1Secret } from '@kubernetes/client-node';

import type { ControlPlane, TestScope } from '../cluster/control-plane.ts';
import { release } from './chart.ts';

export interface MountedPair {
  readonly certificate: string;
  readonly key: string;
  /** The trust bundle beside them. */
  readonly authority: string;
}

const secretPath = `/api/v1/namespaces/${release.namespace}/secrets/${release.name}-tls`;

/** Undefined while the Secret is not there or still empty, as the chart renders it. */
export async function readPair(plane: ControlPlane): Promise<MountedPair | undefined> {
  const { status, body } = await plane.api.send<V1Secret>('GET', secretPath);
  const text = (key: string): string => Buffer.from(body.data?.[key] ?? '', 'base64').toString();
  return status === 200 && text('tls.crt') !== ''
    ? { certificate: text('tls.crt'), key: text('tls.key'), authority: text('ca.crt') }
    : undefined;
}

/** Until the test ends. @param told each pair after the first one */
export function keepMounted(t: TestScope, plane: ControlPlane, folder: string, told: (pair: MountedPair) => void): void {
  const ending = new AbortController();
  const follow = async (): Promise<void> => {
    let last = '';
    while (!ending.signal.aborted) {
      // While the API server goes down at the end there is nothing to follow.
      const pair = await readPair(plane).catch(() => undefined);
      if (pair !== undefined && pair.certificate !== last) {
        last = pair.certificate;
        replace(join(folder, 'tls.crt'), pair.certificate);
        replace(join(folder, 'tls.key'), pair.key);
        told(pair);
      }
      await sleep(100);
    }
  };
  const followed = follow();
  t.teardown(async () => {
    ending.abort();
    await followed;
  });
}

/** Never half a file. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
