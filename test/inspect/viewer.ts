/** Somebody who may only look: a ServiceAccount with a ClusterRole, and the kubeconfig of it. */
import { hasItsRights } from '../cluster/account.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';

/** @returns the text of a kubeconfig, once the user may look */
export async function viewer(plane: ControlPlane, namespace: string, clusterRole: string, user = 'viewer'): Promise<string> {
  const { kubectl } = plane;
  await kubectl(['create', 'serviceaccount', user, '--namespace', namespace]);
  await kubectl(['create', 'clusterrolebinding', user, `--clusterrole=${clusterRole}`, `--serviceaccount=${namespace}:${user}`]);
  await hasItsRights(plane, { namespace, name: user });
  const { stdout: token } = await kubectl(['create', 'token', user, '--namespace', namespace]);
  const { stdout } = await kubectl(['config', 'view', '--raw', '--flatten', '-o', 'json']);
  const config = JSON.parse(stdout);
  const contexts = config.contexts.map(({ name, context }: { name: string; context: object }) => ({
    name,
    context: { ...context, user: 'viewer' },
  }));
  return JSON.stringify({ ...config, contexts, users: [{ name: 'viewer', user: { token: token.trim() } }] });
}
