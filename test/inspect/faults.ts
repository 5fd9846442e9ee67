/** Faults of an installation at the real API server, each with the one finding that `doctor` has to have, and how it is undone. */
import { setTimeout as sleep } from 'node:timers/promises';

import { release } from '../charts/chart.ts';
import { eventually, podsPath, podWith } from '../charts/installed.ts';
import { policy } from '../charts/life/release.ts';
import type { Life } from '../charts/life/start.ts';
import { transship } from '../cli/terminal.ts';

const { namespace } = release;
const key = 'transship.dev/rewrite';
const configuration = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/transship';

interface Problem {
  readonly id: string;
  readonly sentence: string;
  readonly remedy: string;
}

export async function problems({ plane }: Life): Promise<Problem[]> {
  const { code, stdout, stderr } = await transship(['doctor', '--kubeconfig', plane.kubeconfig, '-o', 'json']);
  if (code === 2) throw new Error(stderr);
  const { checks, notSeen } = JSON.parse(stdout) as {
    checks: { id: string; state: string; problems: Omit<Problem, 'id'>[] }[];
    notSeen: { what: string }[];
  };
  // The API server refuses to proxy to pods that are processes on loopback.
  const others = notSeen.filter(({ what }) => !what.startsWith('metrics of pod') && !what.startsWith('a dry-run pod'));
  if (others.length > 0) throw new Error(`an administrator sees everything: ${JSON.stringify(others)}`);
  return checks.flatMap(({ id, state, problems: found }) => (state === 'problem' ? found.map((problem) => ({ id, ...problem })) : []));
}

export interface Fault {
  readonly says: string;
  readonly id: string;
  readonly sentence: RegExp;
  readonly remedy: string | RegExp;
  readonly plant: (life: Life) => Promise<unknown>;
  readonly undo: (life: Life) => Promise<unknown>;
}

const upgraded = ({ apply }: Life): Promise<unknown> => apply('upgrade', {}, '--force-conflicts');
const patch = ({ plane }: Life, path: string, body: object, type = 'application/merge-patch+json') =>
  plane.api.send('PATCH', path, body, type);
const deployment = (name: string, own: object, template: object) => ({
  metadata: { name, labels: own },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { ...template, labels: { app: name, ...('labels' in template ? (template.labels as object) : {}) } },
      spec: podWith('nginx').spec,
    },
  },
});
const deployments = '/apis/apps/v1/namespaces/team-a/deployments';

function workload(says: string, own: object, template: object, sentence: RegExp): Fault {
  return {
    says,
    id: 'workload-labels',
    sentence,
    remedy: `kubectl patch --namespace team-a deployment fault --patch '{"spec":{"template":{"metadata":{"labels":{"${key}":"enabled"}}}}}'`,
    plant: ({ plane }) => plane.api.send('POST', deployments, deployment('fault', own, template)),
    undo: ({ plane }) => plane.api.send('DELETE', `${deployments}/fault`),
  };
}

function labels(says: string, own: object, sentence: RegExp, remedy: string): Fault {
  return {
    says,
    id: 'namespace-labels',
    sentence,
    remedy,
    plant: ({ plane }) => plane.api.send('POST', '/api/v1/namespaces', { metadata: { name: 'fault', ...own } }),
    undo: async ({ plane, kubectl }) => {
      await kubectl('delete', 'namespace', 'fault', '--wait');
      await eventually('it is gone', async () => (await plane.api.send('GET', '/api/v1/namespaces/fault')).status === 404);
    },
  };
}

const withSecret = { ...policy, registries: { mirror: { host: 'mirror.example.com', pullSecrets: ['mirror-pull'] } } };

const nodeLeases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
const finalState = (registry: string) => ({ enabled: true, registries: [registry], validationActions: ['Audit'] });
const withCopies = {
  ...policy,
  registries: { mirror: { host: 'mirror.example.com', pullSecrets: ['mirror-pull'], credentials: { secret: 'mirror-source' } } },
};
const dockerConfig = (password: string) => ({
  '.dockerconfigjson': Buffer.from(
    JSON.stringify({ auths: { 'mirror.example.com': { username: 'a', password, auth: Buffer.from(`a:${password}`).toString('base64') } } }),
  ).toString('base64'),
});

/** Stays as it is for the faults that follow. */
async function copied({ plane, apply }: Life): Promise<void> {
  const path = '/api/v1/namespaces/team-a/secrets/mirror-pull';
  const isThere = async (): Promise<boolean> => (await plane.api.send('GET', path)).status === 200;
  if (await isThere()) return;
  await plane.api.send('POST', `/api/v1/namespaces/${namespace}/secrets`, {
    metadata: { name: 'mirror-source' },
    type: 'kubernetes.io/dockerconfigjson',
    data: dockerConfig('first'),
  });
  await apply('upgrade', { rewritePolicy: { inline: withCopies }, controller: { features: { secrets: true } } }, '--force-conflicts');
  await eventually('the copy is there', isThere, 60_000);
}

async function endController(life: Life): Promise<void> {
  await life.kubectl('--namespace', namespace, 'scale', 'deployment', 'transship-controller', '--replicas=0');
  await eventually('it has ended', async () => {
    const { body } = await life.plane.api.send<{ items: object[] }>(
      'GET',
      `${podsPath(namespace)}?labelSelector=app.kubernetes.io/component=controller`,
    );
    return body.items.length === 0;
  });
  // Its pod is gone before its process is, which could still write.
  await eventually('it has released its Lease', async () => {
    const { body } = await life.plane.api.send<{ spec?: { holderIdentity?: string } }>('GET', leasePath);
    return (body.spec?.holderIdentity ?? '') === '';
  });
}

const leasePath = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/transship-controller`;

/** Each call reads the clock of the API server anew, in whole seconds: what is due for one need not be for the next. */
const clockUncertainty = 2_000;

/** Its Lease stays in date for the time of the test: that nobody renews it is another fault. */
async function noController(life: Life): Promise<void> {
  await endController(life);
  await patch(life, leasePath, {
    spec: { renewTime: new Date().toISOString().replace('Z', '000Z'), holderIdentity: 'gone', leaseDurationSeconds: 300 },
  });
}

/** The Lease of the fault has a holder that never gives it back. */
async function controllerAgain({ plane, kubectl }: Life): Promise<void> {
  await plane.api.send('DELETE', leasePath);
  await kubectl('--namespace', namespace, 'scale', 'deployment', 'transship-controller', '--replicas=1');
}

async function uncopied(life: Life): Promise<void> {
  await life.kubectl('--namespace', namespace, 'delete', 'secret', 'mirror-source', '--ignore-not-found');
  await life.apply('upgrade', {}, '--force-conflicts');
}

export const faults: readonly Fault[] = [
  {
    says: 'a webhook was taken out of the configuration',
    id: 'webhooks',
    sentence: /has no webhook shadow\.transship\.dev: it was edited/,
    remedy: /helm upgrade/,
    plant: async (life) => {
      const { body } = await life.plane.api.send<{ webhooks: { name: string }[] }>('GET', configuration);
      await patch(life, configuration, { webhooks: body.webhooks.filter(({ name }) => name !== 'shadow.transship.dev') });
    },
    undo: upgraded,
  },
  {
    says: 'a webhook no longer asks for updates',
    id: 'webhooks',
    sentence: /does not ask for pods on CREATE and UPDATE in webhook enforce/,
    remedy: /helm upgrade/,
    plant: (life) =>
      patch(
        life,
        configuration,
        [{ op: 'replace', path: '/webhooks/0/rules/0/operations', value: ['CREATE'] }],
        'application/json-patch+json',
      ),
    undo: upgraded,
  },
  {
    says: 'the policy has an error',
    id: 'policy',
    sentence: /policy\.yaml of ConfigMap transship-policy in namespace images has errors.*rulez/,
    remedy: /transship lint/,
    plant: (life) =>
      patch(life, `/api/v1/namespaces/${namespace}/configmaps/transship-policy`, {
        data: { 'policy.yaml': 'apiVersion: transship.dev/v1\nkind: RewritePolicy\nrulez: []\n' },
      }),
    undo: upgraded,
  },
  {
    says: 'a pull secret is missing in an opted-in namespace',
    id: 'pull-secrets',
    sentence: /namespace team-a has no Secret mirror-pull/,
    remedy: /kubectl create secret docker-registry --namespace team-a mirror-pull/,
    plant: ({ apply }) => apply('upgrade', { rewritePolicy: { inline: withSecret } }, '--force-conflicts'),
    undo: upgraded,
  },
  {
    says: 'the Service selects nothing',
    id: 'endpoints',
    sentence: /Service transship has no ready endpoint/,
    remedy: /helm upgrade/,
    plant: async (life) => {
      await patch(life, `/api/v1/namespaces/${namespace}/services/transship`, { spec: { selector: { app: 'other' } } });
      await eventually('no endpoint is left', async () => (await problems(life)).length > 0);
    },
    undo: upgraded,
  },
  {
    says: 'the webhook is scaled to nothing',
    id: 'replicas',
    sentence: /Deployment transship is scaled to 0/,
    remedy: `kubectl --namespace ${namespace} scale deployment transship --replicas=2`,
    plant: ({ kubectl }) => kubectl('--namespace', namespace, 'scale', 'deployment', 'transship', '--replicas=0'),
    undo: ({ kubectl }) => kubectl('--namespace', namespace, 'scale', 'deployment', 'transship', '--replicas=2'),
  },
  {
    says: 'the validating policy has lost its binding',
    id: 'validating-policy',
    sentence: /ValidatingAdmissionPolicy transship-labels has no binding/,
    remedy: /helm upgrade/,
    plant: ({ kubectl }) => kubectl('delete', 'validatingadmissionpolicybinding', 'transship-labels'),
    undo: upgraded,
  },
  {
    says: 'the controller no longer renews its Lease',
    id: 'controller',
    sentence: /has not renewed its Lease for \d+ s/,
    remedy: /logs deployment\/transship-controller/,
    plant: async (life) => {
      await endController(life);
      await patch(life, leasePath, {
        spec: { renewTime: '2026-01-01T00:00:00.000000Z', holderIdentity: 'gone' },
      });
    },
    undo: async ({ kubectl }) => {
      await kubectl('--namespace', namespace, 'scale', 'deployment', 'transship-controller', '--replicas=1');
    },
  },
  {
    says: 'the certificate is signed by another CA',
    id: 'certificate',
    sentence: /not signed by a CA of the caBundle|holds no certificate/,
    remedy: /./,
    plant: async (life) => {
      await endController(life);
      const other = await life.plane.api.send<{ data: Record<string, string> }>(
        'GET',
        `/api/v1/namespaces/${namespace}/secrets/own-certificate`,
      );
      await patch(life, `/api/v1/namespaces/${namespace}/secrets/transship-tls`, { data: other.body.data });
    },
    undo: async ({ kubectl }) => {
      await kubectl('--namespace', namespace, 'scale', 'deployment', 'transship-controller', '--replicas=1');
    },
  },
  labels(
    'a capital letter in the label of a namespace',
    { labels: { [key]: 'Enabled' } },
    /namespace fault: .*"Enabled"/,
    `kubectl label namespace fault ${key}=enabled --overwrite`,
  ),
  labels('true instead of enabled', { labels: { [key]: 'true' } }, /"true"/, `kubectl label namespace fault ${key}=enabled --overwrite`),
  labels(
    'an annotation of the namespace',
    { annotations: { [key]: 'enabled' } },
    /namespace fault: .*is an annotation/,
    `kubectl label namespace fault ${key}=enabled`,
  ),
  labels(
    'another key',
    { labels: { 'transship/rewrite': 'enabled' } },
    /the label transship\/rewrite is not/,
    `kubectl label namespace fault ${key}=enabled transship/rewrite-`,
  ),
  workload(
    'the label on a Deployment and not on its template',
    { [key]: 'enabled' },
    {},
    /deployment team-a\/fault: .*not on the template/,
  ),
  workload('a capital letter on the template', {}, { labels: { [key]: 'Enabled' } }, /deployment team-a\/fault: .*"Enabled"/),
  workload('an annotation on the template', {}, { annotations: { [key]: 'enabled' } }, /deployment team-a\/fault: .*annotation/),
  {
    says: 'the API server calls a port where nobody listens',
    id: 'reachable',
    sentence: /does not reach the webhook, and creates pods as they are written: .* in namespace team-a stays /,
    remedy: /port 9 of Service transship in namespace images/,
    plant: (life) =>
      patch(
        life,
        configuration,
        [{ op: 'replace', path: '/webhooks/0/clientConfig/service/port', value: 9 }],
        'application/json-patch+json',
      ),
    undo: upgraded,
  },
  {
    says: 'the final state does not allow a target',
    id: 'final-state',
    sentence: /ValidatingAdmissionPolicy transship-registries does not allow mirror\.example\.com/,
    remedy: /validatingPolicy\.registries/,
    plant: ({ apply }) => apply('upgrade', { validatingPolicy: finalState('other.example.com') }, '--force-conflicts'),
    undo: upgraded,
  },
  {
    says: 'the final state is for other namespaces',
    id: 'final-state',
    sentence: /take different namespaces: team-a \(rewritten and not judged\)/,
    remedy: /helm upgrade/,
    plant: async (life) => {
      await life.apply('upgrade', { validatingPolicy: finalState('mirror.example.com') }, '--force-conflicts');
      await patch(life, '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/transship-registries', {
        spec: { matchConstraints: { namespaceSelector: { matchExpressions: null, matchLabels: { team: 'b' } } } },
      });
    },
    undo: upgraded,
  },
  {
    says: 'the final state has lost its policy',
    id: 'validating-policy',
    sentence: /ValidatingAdmissionPolicyBinding transship-registries is for transship-registries, which does not exist/,
    remedy: /helm upgrade/,
    plant: async (life) => {
      await life.apply('upgrade', { validatingPolicy: finalState('mirror.example.com') }, '--force-conflicts');
      await life.kubectl('delete', 'validatingadmissionpolicy', 'transship-registries');
    },
    undo: upgraded,
  },
  {
    says: 'the clock of a node is ahead',
    id: 'clock',
    sentence: /clocks are ahead of the API server's: node fast by \d+ s/,
    remedy: /NTP/,
    plant: ({ plane }) =>
      plane.api.send('POST', nodeLeases, {
        metadata: { name: 'fast' },
        spec: { renewTime: new Date(Date.now() + 600_000).toISOString().replace('Z', '000Z') },
      }),
    undo: ({ plane }) => plane.api.send('DELETE', `${nodeLeases}/fast`),
  },
  {
    says: 'a copy is missing, and there is no controller to make it',
    id: 'copies',
    sentence: /copies of pull secrets are missing: team-a\/mirror-pull/,
    remedy: /logs deployment\/transship-controller/,
    plant: async (life) => {
      await copied(life);
      await noController(life);
      await life.kubectl('--namespace', 'team-a', 'delete', 'secret', 'mirror-pull');
      await eventually('the source is older than the time for a copy', async () => (await problems(life)).length > 0, 60_000);
      await sleep(clockUncertainty);
    },
    undo: controllerAgain,
  },
  {
    says: 'a copy is older than its source',
    id: 'copies',
    sentence: /have not the content of their source: team-a\/mirror-pull/,
    remedy: /logs deployment\/transship-controller/,
    plant: async (life) => {
      await copied(life);
      await noController(life);
      await patch(life, `/api/v1/namespaces/${namespace}/secrets/mirror-source`, { data: dockerConfig('changed') });
      await eventually('it is older than the time for a copy', async () => (await problems(life)).length > 0, 60_000);
      await sleep(clockUncertainty);
    },
    undo: controllerAgain,
  },
  {
    says: 'the source of the copies is gone',
    id: 'copies',
    sentence: /credentials of registry mirror cannot be copied: Secret images\/mirror-source does not exist/,
    remedy: /correct Secret mirror-source/,
    plant: async (life) => {
      await copied(life);
      await life.kubectl('--namespace', namespace, 'delete', 'secret', 'mirror-source');
    },
    undo: uncopied,
  },
  {
    says: 'the whole configuration is gone',
    id: 'registered',
    sentence: /no MutatingWebhookConfiguration/,
    remedy: /helm upgrade/,
    plant: ({ kubectl }) => kubectl('delete', 'mutatingwebhookconfiguration', 'transship'),
    undo: upgraded,
  },
];
