import { test } from 'tap';

import { skipReason } from '../cluster/binaries.ts';
import { createSecret, dockerConfig, whenReady } from '../controller/controllers.ts';
import { release } from './chart.ts';
import { runInstalledController } from './installed-controller.ts';
import { eventually, install } from './installed.ts';
import { labelled } from './opt-in.ts';

const registries = { mirror: { host: 'mirror.example.com', pullSecrets: ['pull'], credentials: { secret: 'source' } } };

/** Level 2: garbage collection is the controller manager's. */
test(
  'uninstall takes the certificates away while the controller still runs, and leaves what pods may need',
  { skip: skipReason({ level: 2 }) },
  async (t) => {
    const { plane } = await install(t, { tls: { mode: 'controller' }, rewritePolicy: { inline: { registries } } }, { level: 2 });
    await plane.createNamespace('team-a', labelled('enabled'));
    await createSecret(plane, { namespace: release.namespace, name: 'source', config: dockerConfig('password') });
    await whenReady(await runInstalledController(plane));
    const named = async (kind: string, namespace: string) =>
      (await plane.kubectl(['-n', namespace, 'get', kind, '-o', 'name'])).stdout
        .split('\n')
        .filter((line) => !/helm\.release|kube-root-ca|^$/.test(line));
    await eventually(
      'everything is there',
      async () => (await named('secret', release.namespace)).length === 3 && (await named('secret', 'team-a')).length === 1,
    );

    await plane.helm(['uninstall', release.name, '--namespace', release.namespace]);
    await eventually(
      'the Secrets of the certificates are gone',
      async () => !(await named('secret', release.namespace)).some((name) => name.includes('tls')),
    );
    t.same(await named('secret', release.namespace), ['secret/source']);
    t.same(await named('secret', 'team-a'), ['secret/pull'], 'a copy stays');
    t.same(await named('lease', release.namespace), ['lease.coordination.k8s.io/transship-controller']);
    await plane.kubectl(['delete', 'secret', '-A', '-l', `transship.dev/owner=${release.namespace}.${release.name}-controller`]);
    t.same(await named('secret', 'team-a'), [], 'until somebody deletes it, as the guide says');
  },
);
