/** How many watches a controller with all features keeps open: in a cluster with many pods each costs memory here and work in the API server. */
import { test } from 'tap';

import { skipReason } from '../cluster/binaries.ts';
import { auditLog, type AuditLog } from '../controller/audit-log.ts';
import { createSecret, dockerConfig, whenReady } from '../controller/controllers.ts';
import { release } from './chart.ts';
import { runInstalledController } from './installed-controller.ts';
import { eventually, install } from './installed.ts';
import { labelled } from './opt-in.ts';

const registries = {
  mirror: { host: '127.0.0.1:1', pullSecrets: ['pull'], credentials: { secret: 'source' }, verify: true },
  port: { host: 'port.example.com', hostFrom: { service: { namespace: 'registries', name: 'images', port: 'http' } } },
};
const rules = [
  {
    name: 'hub',
    match: { images: ['docker.io'] },
    rewrite: { registry: 'mirror', as: 'path' },
    alternatives: [{ registry: 'port', as: 'path' }],
  },
];

/** Watches that are open, by resource, or by the name of the one object that they are of. */
function openWatches({ events }: AuditLog): Record<string, number> {
  const open: Record<string, number> = {};
  for (const { verb, stage, objectRef } of events()) {
    if (verb !== 'watch' || (stage !== 'ResponseStarted' && stage !== 'ResponseComplete')) continue;
    const { resource, namespace, name } = objectRef;
    const key = [resource, namespace, name].filter((part) => part !== undefined).join(' ');
    open[key] = (open[key] ?? 0) + (stage === 'ResponseStarted' ? 1 : -1);
  }
  return open;
}

test('features that watch the same objects share one watch', { skip: skipReason({ level: 1 }) }, async (t) => {
  const audit = auditLog(t.testdir({}), { namespace: release.namespace, verbs: ['watch'] });
  const { plane } = await install(
    t,
    { rewritePolicy: { inline: { registries, rules } }, controller: { features: { verify: true, fallback: true } } },
    { apiServerArgs: audit.apiServerArgs },
  );
  await plane.createNamespace('team-a', labelled('enabled'));
  await plane.createNamespace('registries');
  await createSecret(plane, { namespace: release.namespace, name: 'source', config: dockerConfig('password', '127.0.0.1:1') });
  const controller = await runInstalledController(plane);
  await whenReady(controller);
  const hosts = `configmaps ${release.namespace} ${release.name}-hosts`;
  const shared = ['pods', 'namespaces', hosts];
  await eventually('each of them is watched', async () => shared.every((key) => (openWatches(audit)[key] ?? 0) > 0));
  // The features secrets, verify and fallback follow namespaces; verify and fallback pods; hosts, fallback and the policy itself the ConfigMap.
  await eventually('each of them is watched once', async () => shared.every((key) => openWatches(audit)[key] === 1));
  t.same(
    Object.entries(openWatches(audit)).filter(([, count]) => count > 1),
    [],
  );
  t.equal(await controller.stop(), 0);
  await eventually('none is left', async () => Object.values(openWatches(audit)).every((count) => count === 0));
});
