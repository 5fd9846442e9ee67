/** What a pod of a ServiceAccount may do, for a program that runs on this machine. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { RbacV1Subject, V1PolicyRule, V1ResourceAttributes, V1RoleRef, V1SubjectAccessReview } from '@kubernetes/client-node';
import { parse, stringify } from 'yaml';

import { eventually } from '../cluster-client/eventually.ts';
import type { Api } from './api.ts';
import type { ControlPlane } from './control-plane.ts';

export interface Account {
  readonly namespace: string;
  readonly name: string;
}

/** A kubeconfig file whose user is the ServiceAccount, by a token as its pods have one. Resolves when the account has its rights. */
export async function accountKubeconfig(plane: ControlPlane, account: Account): Promise<string> {
  const { namespace, name } = account;
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const { status, body } = await plane.api.send<{ status: { token: string } }>('POST', path, { spec: { audiences: null } });
  if (status !== 201) throw new Error(`no token of ServiceAccount ${name}: ${JSON.stringify(body)}`);
  const config = parse(readFileSync(plane.kubeconfig, 'utf8'));
  config.users[0].user = { token: body.status.token };
  const file = join(plane.folder, `${name}.kubeconfig`);
  writeFileSync(file, stringify(config), { mode: 0o600 });
  await hasItsRights(plane, account);
  return file;
}

/**
 * Resolves when the account may do what its roles say. The authorizer learns of a new role or binding by a watch, and forbids until then what
 * they allow.
 */
export async function hasItsRights({ api }: Pick<ControlPlane, 'api'>, account: Account): Promise<void> {
  const user = `system:serviceaccount:${account.namespace}:${account.name}`;
  for (const attributes of await rightsOf(api, account)) {
    const review = { spec: { user, groups: ['system:serviceaccounts', 'system:authenticated'], resourceAttributes: attributes } };
    await eventually(`${user} may ${JSON.stringify(attributes)}`, async () => {
      const { body } = await api.send<V1SubjectAccessReview>('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', review);
      return body.status?.allowed === true;
    });
  }
}

const rbac = '/apis/rbac.authorization.k8s.io/v1';

interface RoleBinding {
  readonly metadata: { readonly namespace?: string };
  readonly subjects?: readonly RbacV1Subject[];
  readonly roleRef: V1RoleRef;
}

/** The first of what each rule of the account's roles allows. */
async function rightsOf(api: Api, { namespace, name }: Account): Promise<V1ResourceAttributes[]> {
  const rights: V1ResourceAttributes[] = [];
  for (const plural of ['rolebindings', 'clusterrolebindings']) {
    const { body } = await api.send<{ items: RoleBinding[] }>('GET', `${rbac}/${plural}`);
    for (const { metadata, subjects = [], roleRef } of body.items) {
      if (!subjects.some((subject) => subject.kind === 'ServiceAccount' && subject.namespace === namespace && subject.name === name))
        continue;
      const folder = roleRef.kind === 'Role' ? `${rbac}/namespaces/${metadata.namespace}/roles` : `${rbac}/clusterroles`;
      const { body: role } = await api.send<{ rules?: V1PolicyRule[] | null }>('GET', `${folder}/${roleRef.name}`);
      rights.push(...(role.rules ?? []).flatMap((rule) => firstOf(rule, metadata.namespace)));
    }
  }
  return rights;
}

/** Empty for a rule about other URLs than those of resources. */
function firstOf({ apiGroups, resources, resourceNames, verbs }: V1PolicyRule, namespace: string | undefined): V1ResourceAttributes[] {
  const [group, path, verb, name] = [apiGroups?.[0], resources?.[0], verbs[0], resourceNames?.[0]];
  if (group === undefined || path === undefined || verb === undefined) return [];
  const [resource = '', subresource] = path.split('/');
  return [
    {
      group,
      resource,
      verb,
      ...(subresource !== undefined && { subresource }),
      ...(name !== undefined && { name }),
      ...(namespace !== undefined && { namespace }),
    },
  ];
}
