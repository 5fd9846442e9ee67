/** The label written in a way that does nothing: whoever applies it is told, with the command that does what was meant. */
import { test } from 'tap';

import { skipReason } from '../cluster/binaries.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { release, render } from './chart.ts';
import { eventually } from './installed.ts';

const label = 'transship.dev/rewrite';
const values = 'values are enabled, shadow, disabled';
const container = { name: 'main', image: 'nginx' };
const template = (labels: object = {}) => ({ metadata: { labels: { app: 'web', ...labels } }, spec: { containers: [container] } });
const selector = { matchLabels: { app: 'web' } };
const apps = (metadata: object, labels: object = {}) => ({
  metadata: { name: 'web', ...metadata },
  spec: { selector, template: template(labels) },
});
const once = (labels: object = {}) => ({ ...template(labels), spec: { containers: [container], restartPolicy: 'Never' } });
const job = (metadata: object, labels: object = {}) => ({ metadata: { name: 'web', ...metadata }, spec: { template: once(labels) } });
const cronJob = (metadata: object, labels: object = {}) => ({
  metadata: { name: 'web', ...metadata },
  spec: { schedule: '0 0 * * *', jobTemplate: { spec: { template: once(labels) } } },
});

const namespaces = '/api/v1/namespaces';
const pods = '/api/v1/namespaces/default/pods';
const kind = (name: string): string => `/apis/${name.includes('job') ? 'batch' : 'apps'}/v1/namespaces/default/${name}`;
const patchWith = (what: string, value: string): string =>
  `kubectl patch ${what} web -n default -p '{"spec":{"template":{"metadata":{"labels":{"${label}":"${value}"}}}}}'`;

const rows: readonly (readonly [says: string, path: string, object: object, warnings: readonly string[]])[] = [
  ['a namespace that opts in', namespaces, { metadata: { name: 'shop', labels: { [label]: 'enabled' } } }, []],
  ['one that does not', namespaces, { metadata: { name: 'shop' } }, []],
  ['one that stays out', namespaces, { metadata: { name: 'shop', labels: { [label]: 'disabled' } } }, []],
  [
    'true',
    namespaces,
    { metadata: { name: 'shop', labels: { [label]: 'true' } } },
    [`${label}=true does nothing; ${values}: kubectl label namespace shop ${label}=enabled --overwrite`],
  ],
  [
    'an annotation of a namespace',
    namespaces,
    { metadata: { name: 'shop', annotations: { [label]: 'shadow' } } },
    [`${label} is a label and no annotation: kubectl label namespace shop ${label}=shadow`],
  ],
  [
    'a capital, on a pod',
    pods,
    { metadata: { name: 'web', labels: { [label]: 'Enabled' } }, spec: { containers: [container] } },
    [`${label}=Enabled does nothing; ${values}: kubectl label pod web -n default ${label}=enabled --overwrite`],
  ],
  ['a pod', pods, { metadata: { name: 'web', labels: { [label]: 'shadow' } }, spec: { containers: [container] } }, []],
  ['a Deployment with the label in its template', kind('deployments'), apps({}, { [label]: 'enabled' }), []],
  ['a Deployment with both', kind('deployments'), apps({ labels: { [label]: 'enabled' } }, { [label]: 'enabled' }), []],
  [
    'a Deployment with the label on itself',
    kind('deployments'),
    apps({ labels: { [label]: 'shadow' } }),
    [`the label ${label} on a Deployment does nothing; label its pod template: ${patchWith('deployment', 'shadow')}`],
  ],
  [
    'a StatefulSet with a wrong label on itself',
    kind('statefulsets'),
    apps({ labels: { [label]: 'yes' } }),
    [`the label ${label} on a StatefulSet does nothing; label its pod template: ${patchWith('statefulset', 'enabled')}`],
  ],
  [
    'a DaemonSet with a wrong value in its template',
    kind('daemonsets'),
    apps({}, { [label]: 'true' }),
    [`${label}=true in the pod template does nothing; ${values}`],
  ],
  [
    'an annotation of a Deployment',
    kind('deployments'),
    apps({ annotations: { [label]: 'enabled' } }),
    [`${label} is a label and no annotation: label the pod template`],
  ],
  ['a Job', kind('jobs'), job({ labels: { [label]: 'enabled' } }), [`the label ${label} on a Job does nothing; label its pod template`]],
  ['a Job with it in its template', kind('jobs'), job({}, { [label]: 'enabled' }), []],
  [
    'a CronJob',
    kind('cronjobs'),
    cronJob({ labels: { [label]: 'enabled' } }),
    [`the label ${label} on a CronJob does nothing; label its pod template`],
  ],
  ['a CronJob with it in its template', kind('cronjobs'), cronJob({}, { [label]: 'disabled' }), []],
];

test('labels that do nothing give a warning', { skip: skipReason({ level: 1 }) }, async (t) => {
  const plane = await startControlPlane(t);
  const { objects } = await render();
  const items = objects.filter(({ kind: name }) => name?.startsWith('ValidatingAdmissionPolicy'));
  t.equal(items.length, 2);
  await plane.kubectl(['apply', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }) });
  const create = (path: string, object: object) => plane.api.send('POST', `${path}?dryRun=All`, object);
  const [, , , wrong] = rows;
  await eventually('the policy is in force', async () => (await create(wrong?.[1] ?? '', wrong?.[2] ?? {})).warnings.length > 0);

  for (const [says, path, object, warnings] of rows) {
    const { status, body, warnings: found } = await create(path, object);
    t.equal(status, 201, `${says} ${status === 201 ? '' : JSON.stringify(body)}`);
    t.same(
      found,
      warnings.map(
        (text) => `Validation failed for ValidatingAdmissionPolicy '${release.name}-labels' with binding '${release.name}-labels': ${text}`,
      ),
      says,
    );
  }
  const path = `${namespaces}/kube-system?dryRun=All`;
  const { warnings } = await plane.api.send(
    'PATCH',
    path,
    { metadata: { labels: { [label]: 'enabled' } } },
    'application/merge-patch+json',
  );
  t.match(warnings, [/transship never rewrites pods of namespace kube-system, whatever its labels$/]);
});
