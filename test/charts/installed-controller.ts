/** The controller of an installed chart as a process of this machine: with the arguments of its Deployment and the rights of its ServiceAccount. */
import type { V1ConfigMap, V1Deployment } from '@kubernetes/client-node';

import type { ControlPlane } from '../cluster/control-plane.ts';
import { runController, type Running } from '../controller/controllers.ts';
import { accountKubeconfig } from '../cluster/account.ts';
import { release } from './chart.ts';

const deploymentPath = `/apis/apps/v1/namespaces/${release.namespace}/deployments/${release.name}-controller`;
/** Files and addresses of a pod, which this machine does not have. */
const ofThePod = /^--(policy|host|port)=/;

/** @param args more flags, which win */
export async function runInstalledController(plane: ControlPlane, args: readonly string[] = []): Promise<Running> {
  const { body } = await plane.api.send<V1Deployment>('GET', deploymentPath);
  const pod = body.spec?.template.spec;
  const [command, ...given] = pod?.containers[0]?.args ?? [];
  if (command !== 'controller') throw new Error(`${deploymentPath} is no controller: ${JSON.stringify(body)}`);
  const { body: map } = await plane.api.send<V1ConfigMap>(
    'GET',
    `/api/v1/namespaces/${release.namespace}/configmaps/${release.name}-policy`,
  );
  const kubeconfig = await accountKubeconfig(plane, { namespace: release.namespace, name: pod?.serviceAccountName ?? '' });
  return runController(plane, {
    policy: map.data?.['policy.yaml'] ?? '',
    kubeconfig,
    args: [...given.filter((arg) => !ofThePod.test(arg)), ...args],
  });
}
