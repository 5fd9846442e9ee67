/** Fields that others write: an upgrade leaves them alone, and what somebody else has taken can be taken back. */
import { test } from 'tap';

import type { V1Deployment } from '@kubernetes/client-node';

import { skipReason } from '../cluster/binaries.ts';
import { command, type CommandError } from '../cluster/commands.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { chartFolder, release, secretService } from './chart.ts';
import { install } from './installed.ts';

const options = { skip: skipReason({ level: 1 }) };
const deploymentPath = `/apis/apps/v1/namespaces/${release.namespace}/deployments/${release.name}`;
const configurationPath = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${secretService}`;
const mergePatch = 'application/merge-patch+json';

for (const program of ['helm', 'helm3'] as const) {
  test(`${program}: autoscaling takes replicas over without losing one`, options, async (t) => {
    const plane = await startControlPlane(t);
    const helm = (verb: string, values: object) =>
      command(program, plane.environment)(
        [verb, release.name, chartFolder, '-n', release.namespace, '--values', '-', ...(verb === 'install' ? ['--create-namespace'] : [])],
        {
          input: JSON.stringify(values),
        },
      );
    const autoscaled = { autoscaling: { enabled: true, minReplicas: 2, maxReplicas: 6 } };
    const replicas = async () => (await plane.api.send<V1Deployment>('GET', deploymentPath)).body.spec?.replicas;

    await helm('install', { replicaCount: 3 });
    for (const says of ['the first upgrade once left one replica', 'nor does the next one']) {
      await helm('upgrade', autoscaled);
      t.equal(await replicas(), 3, says);
    }
    // As the HorizontalPodAutoscaler's controller does it.
    await plane.api.send('PATCH', `${deploymentPath}/scale?fieldManager=kube-controller-manager`, { spec: { replicas: 5 } }, mergePatch);
    for (const says of ['an upgrade leaves it as the autoscaler has it', 'and so does the next one']) {
      await helm('upgrade', autoscaled);
      t.equal(await replicas(), 5, says);
    }
  });
}

test('a field that somebody else has taken is a conflict, which --force-conflicts ends', options, async (t) => {
  const { plane, upgrade } = await install(t, {});
  // As kubectl edit, or the admissions enforcer of AKS, does it.
  const { body } = await plane.api.send<{ webhooks: { namespaceSelector: { matchExpressions: object[] } }[] }>('GET', configurationPath);
  for (const { namespaceSelector } of body.webhooks)
    namespaceSelector.matchExpressions.push({ key: 'control-plane', operator: 'DoesNotExist' });
  await plane.api.send('PUT', `${configurationPath}?fieldManager=admissionsenforcer`, body);

  const attempt = upgrade({ timeoutSeconds: 4, excludeNamespaces: ['other'] });
  const stderr = await attempt.then(
    () => 'it went through',
    (error: CommandError) => error.stderr,
  );
  t.match(stderr, /conflict.*"admissionsenforcer"[^]*namespaceSelector/, 'the sentence of the runbook');
  const forced = { timeoutSeconds: 4, excludeNamespaces: ['other'] };
  await upgrade(forced, ['--force-conflicts']);
  const { body: after } = await plane.api.send('GET', configurationPath);
  t.notMatch(JSON.stringify(after['webhooks']), 'control-plane');
});
