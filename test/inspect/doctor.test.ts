/** `transship doctor` at the real API server with an installed release: a healthy cluster has no finding, and each planted fault exactly one. */
import { setTimeout as sleep } from 'node:timers/promises';

import tap, { test } from 'tap';

import { release } from '../charts/chart.ts';
import { eventually, podsPath, podWith } from '../charts/installed.ts';
import { policy } from '../charts/life/release.ts';
import { startLife, type Life } from '../charts/life/start.ts';
import { skipReason } from '../cluster/binaries.ts';
import { transship } from '../cli/terminal.ts';
import { viewer } from './viewer.ts';

// Much longer than it takes.
tap.setTimeout(600_000);

const { namespace } = release;
const key = 'transship.dev/rewrite';
const configuration = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/transship';

interface Problem {
  readonly id: string;
  readonly sentence: string;
  readonly remedy: string;
}

async function problems({ plane }: Life): Promise<Problem[]> {
  const { code, stdout, stderr } = await transship(['doctor', '--kubeconfig', plane.kubeconfig, '-o', 'json']);
  if (code === 2) throw new Error(stderr);
  const { checks, notSeen } = JSON.parse(stdout) as {
    checks: { id: string; state: string; problems: Omit<Problem, 'id'>[] }[];
    notSeen: object[];
  };
  if (notSeen.length > 0) throw new Error(`an administrator sees everything: ${JSON.stringify(notSeen)}`);
  return checks.flatMap(({ id, state, problems: found }) => (state === 'problem' ? found.map((problem) => ({ id, ...problem })) : []));
}

interface Fault {
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

const faults: readonly Fault[] = [
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
      await life.kubectl('--namespace', namespace, 'scale', 'deployment', 'transship-controller', '--replicas=0');
      await eventually('it has ended', async () => {
        const { body } = await life.plane.api.send<{ items: object[] }>(
          'GET',
          `${podsPath(namespace)}?labelSelector=app.kubernetes.io/component=controller`,
        );
        return body.items.length === 0;
      });
      await patch(life, `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/transship-controller`, {
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
      await life.kubectl('--namespace', namespace, 'scale', 'deployment', 'transship-controller', '--replicas=0');
      await sleep(2_000);
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
    says: 'the whole configuration is gone',
    id: 'registered',
    sentence: /no MutatingWebhookConfiguration/,
    remedy: /helm upgrade/,
    plant: ({ kubectl }) => kubectl('delete', 'mutatingwebhookconfiguration', 'transship'),
    undo: upgraded,
  },
];

test('doctor', { skip: skipReason({ level: 3 }) }, async (group) => {
  const life = await startLife(group, 'helm');
  const none = await problems(life);
  group.match(none, [{ id: 'registered' }], 'before the install');
  group.equal(none.length, 1);
  const before = await transship(['doctor', '--kubeconfig', life.plane.kubeconfig]);
  group.notMatch(before.stdout, /✓ (?!Kubernetes)/, 'nothing is said to hold of a release that is not there');
  await life.apply('install', {});
  await life.poller.until('rewritten');

  const healthy = () => eventually('the cluster is healthy', async () => (await problems(life)).length === 0, 90_000);
  await group.test('a healthy cluster has no finding', async (t) => {
    await healthy();
    t.strictSame(await problems(life), []);
    const shown = await transship(['doctor', '--kubeconfig', life.plane.kubeconfig]);
    t.equal(shown.code, 0);
    t.match(shown.stdout, /^✓ transship is registered with the API server$/m);
    t.notMatch(shown.stdout, /✗|–/);
    t.match(shown.stdout, /^! \d+ calls of enforce\.transship\.dev failed/m, 'before the webhook was there, and that is over');
  });

  await group.test('with the rights of a viewer it says what it could not see', async (t) => {
    const folder = t.testdir({ kubeconfig: await viewer(life.plane, 'team-a', 'view') });
    const { code, stdout, stderr } = await transship(['doctor', '--kubeconfig', `${folder}/kubeconfig`]);
    t.equal(code, 0, 'what is not seen is no problem');
    t.match(stdout, /^– transship is registered with the API server: not seen$/m);
    t.match(stderr, /Could not see:\n {2}mutatingwebhookconfigurations: .*forbidden/);
  });

  for (const { says, id, sentence, remedy, plant, undo } of faults)
    await group.test(says, async (t) => {
      await plant(life);
      const found = await problems(life);
      t.strictSame(
        found.map((problem) => problem.id),
        [id],
        JSON.stringify(found),
      );
      t.match(found[0]?.sentence, sentence);
      t.match(found[0]?.remedy, remedy);
      const shown = await transship(['doctor', '--kubeconfig', life.plane.kubeconfig]);
      t.equal(shown.code, 1);
      t.equal(shown.stdout.split('\n').filter((line) => line.startsWith('✗')).length, 1);
      await undo(life);
      await healthy();
    });
});
