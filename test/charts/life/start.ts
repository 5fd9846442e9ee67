/** What each test of a release's life begins with. */
import { startControlPlane, type ControlPlane, type TestScope } from '../../cluster/control-plane.ts';
import { release } from '../chart.ts';
import { labelled } from '../opt-in.ts';
import { runNode, type Node } from './node.ts';
import { startPoller, type Poller } from './poller.ts';
import { mirrored, prepareRelease, type HelmProgram, type Release } from './release.ts';

export interface Life extends Release {
  readonly plane: ControlPlane;
  readonly node: Node;
  readonly poller: Poller;
  /** What it prints. */
  readonly kubectl: (...words: string[]) => Promise<string>;
}

/** A level-3 cluster whose transship pods are processes, an opted-in namespace in which pods are created all the time, and no release yet. */
export async function startLife(t: TestScope, program: HelmProgram): Promise<Life> {
  const plane = await startControlPlane(t, { level: 3, runsTransshipPods: true });
  await plane.createNamespace(release.namespace, { 'pod-security.kubernetes.io/enforce': 'restricted' });
  await plane.createNamespace('team-a', labelled('enabled'));
  const node = runNode(t, plane, release.namespace);
  const prepared = await prepareRelease(plane, program);
  await prepared.createCertificate();
  const poller = startPoller(t, plane, 'team-a', mirrored);
  return { ...prepared, plane, node, poller, kubectl: async (...words) => (await plane.kubectl(words)).stdout };
}
