/** What the API server refuses, and what it would let the controller of a release do. */
import type { ControlPlane } from '../cluster/control-plane.ts';
import { release } from './chart.ts';

/** Requests that the API server has refused for want of a right. https://kubernetes.io/docs/reference/instrumentation/metrics/ */
export async function refusedRequests(plane: ControlPlane): Promise<string[]> {
  const { body } = await plane.api.send<string>('GET', '/metrics');
  return body.split('\n').filter((line) => /^apiserver_request_total\{.*code="403"/.test(line));
}

const account = `system:serviceaccount:${release.namespace}:${release.name}-controller`;

/** `kubectl auth can-i` for the controller's ServiceAccount. */
export async function may(plane: ControlPlane, verb: string, ...what: string[]): Promise<boolean> {
  const { stdout } = await plane.kubectl(['auth', 'can-i', verb, ...what, `--as=${account}`]).catch((error: { stdout: string }) => error);
  return stdout.trim() === 'yes';
}
