import type { V1MutatingWebhook } from '@kubernetes/client-node';
import { test } from 'tap';

import { revisionOf } from '../../src/config/revision.ts';
import { chartConditions } from '../../src/inspect/doctor/reach-checks.ts';
import { release, render, skipWithoutHelm, type Values } from './chart.ts';
import { expectedMode, labelled, labelValues, type PolicyMode } from './opt-in.ts';
import { reaches } from './selectors.ts';

const options = { skip: skipWithoutHelm };
const paths = { enforce: '/mutate', shadow: '/shadow' } as const;

const webhooks = async (values: Values): Promise<readonly V1MutatingWebhook[]> =>
  (await render(values)).one('MutatingWebhookConfiguration')['webhooks'];

const calledPaths = (
  list: readonly V1MutatingWebhook[],
  namespace: { name: string; labels: Record<string, string> },
  pod: Record<string, string>,
) => list.filter((webhook) => reaches(webhook, namespace, pod)).map(({ clientConfig }) => clientConfig.service?.path);

for (const policy of ['OptIn', 'OptOut'] satisfies PolicyMode[]) {
  test(`${policy}: each pod reaches the one entry that its labels ask for`, options, async (t) => {
    const list = await webhooks({ optIn: { mode: policy } });
    for (const namespace of labelValues) {
      for (const pod of labelValues) {
        const mode = expectedMode(policy, namespace, pod);
        const called = calledPaths(list, { name: 'team-a', labels: labelled(namespace) }, labelled(pod));
        t.same(called, mode ? [paths[mode]] : [], `namespace ${namespace}, pod ${pod}: ${mode}`);
      }
    }
  });
}

test('guarded namespaces reach none, whatever the labels', options, async (t) => {
  for (const policy of ['OptIn', 'OptOut']) {
    const list = await webhooks({ optIn: { mode: policy }, excludeNamespaces: ['cert-manager', 'kube-system'] });
    for (const name of ['kube-system', 'kube-public', 'kube-node-lease', release.namespace, 'cert-manager']) {
      for (const pod of labelValues)
        t.same(calledPaths(list, { name, labels: labelled('enabled') }, labelled(pod)), [], `${policy}: ${name}, pod ${pod}`);
    }
    t.not(calledPaths(list, { name: `${release.namespace}-2`, labels: labelled('enabled') }, {}).length, 0, 'a name is compared whole');
  }
});

test('the settings of each webhook in the configuration', options, async (t) => {
  const list = await webhooks({ matchConditions: [{ name: 'mine', expression: 'true' }] });
  t.same(
    list.map(({ name }) => name),
    ['enforce.transship.dev', 'shadow.transship.dev', 'pod-enforce.transship.dev', 'pod-shadow.transship.dev'],
  );
  for (const webhook of list) {
    t.match(webhook, {
      admissionReviewVersions: ['v1'],
      failurePolicy: 'Ignore',
      matchPolicy: 'Equivalent',
      reinvocationPolicy: 'IfNeeded',
      sideEffects: 'None',
      timeoutSeconds: 5,
    });
    t.same(
      webhook.rules?.map(({ operations, resources, scope }) => ({ operations, resources, scope })),
      [
        { operations: ['CREATE', 'UPDATE'], resources: ['pods'], scope: 'Namespaced' },
        { operations: ['UPDATE'], resources: ['pods/ephemeralcontainers'], scope: 'Namespaced' },
      ],
    );
    const conditions = ['not-a-mirror-pod', 'an-image-changes', 'not-of-transship', 'mine', 'pod-label-matches-mode'];
    t.same(
      webhook.matchConditions?.map(({ name }) => name),
      conditions,
    );
  }
  const closed = await webhooks({ failurePolicy: 'Fail', timeoutSeconds: 2 });
  t.match(closed[0], { failurePolicy: 'Fail', timeoutSeconds: 2 });
});

test('doctor knows every match condition of the chart: of others it cannot tell whether they leave its pod out', options, async (t) => {
  const inline = 'apiVersion: transship.dev/v1\nkind: RewritePolicy\n';
  const matchImages = { revision: revisionOf(inline, ''), expression: 'true' };
  const list = await webhooks({ controller: { features: { fallback: true } }, rewritePolicy: { inline }, matchImages });
  const names = new Set(list.flatMap(({ matchConditions = [] }) => matchConditions.map(({ name }) => name)));
  t.strictSame([...names].toSorted(), [...chartConditions].toSorted());
});
