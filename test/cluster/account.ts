/** What a pod of a ServiceAccount may do, for a program that runs on this machine. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse, stringify } from 'yaml';

import type { ControlPlane } from './control-plane.ts';

/** A kubeconfig file whose user is the ServiceAccount, by a token as its pods have one. */
export async function accountKubeconfig(
  plane: ControlPlane,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const { status, body } = await plane.api.send<{ status: { token: string } }>('POST', path, { spec: { audiences: null } });
  if (status !== 201) throw new Error(`no token of ServiceAccount ${name}: ${JSON.stringify(body)}`);
  const config = parse(readFileSync(plane.kubeconfig, 'utf8'));
  config.users[0].user = { token: body.status.token };
  const file = join(plane.folder, `${name}.kubeconfig`);
  writeFileSync(file, stringify(config), { mode: 0o600 });
  return file;
}
