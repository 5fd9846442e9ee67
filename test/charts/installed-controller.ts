/** The controller of an installed chart as a process of this machine: with the arguments of its Deployment and the rights of its ServiceAccount. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { V1ConfigMap, V1Deployment } from '@kubernetes/client-node';
import { parse, stringify } from 'yaml';

import type { ControlPlane } from '../cluster/control-plane.ts';
import { runController, type Running } from '../controller/controllers.ts';
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
  const kubeconfig = await accountKubeconfig(plane, pod?.serviceAccountName ?? '');
  return runController(plane, {
    policy: map.data?.['policy.yaml'] ?? '',
    kubeconfig,
    args: [...given.filter((arg) => !ofThePod.test(arg)), ...args],
  });
}

/** A kubeconfig file whose user is the ServiceAccount, by a token as its pods have one. */
async function accountKubeconfig(plane: ControlPlane, account: string): Promise<string> {
  const path = `/api/v1/namespaces/${release.namespace}/serviceaccounts/${account}/token`;
  const { status, body } = await plane.api.send<{ status: { token: string } }>('POST', path, { spec: { audiences: null } });
  if (status !== 201) throw new Error(`no token of ServiceAccount ${account}: ${JSON.stringify(body)}`);
  const config = parse(readFileSync(plane.kubeconfig, 'utf8'));
  config.users[0].user = { token: body.status.token };
  const file = join(plane.folder, `${account}.kubeconfig`);
  writeFileSync(file, stringify(config), { mode: 0o600 });
  return file;
}
