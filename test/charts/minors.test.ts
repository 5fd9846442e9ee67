import { test } from 'tap';

import { skipReason } from '../cluster/binaries.ts';
import { eventually, podsPath, podWith } from './installed.ts';
import { labelled } from './opt-in.ts';
import { isCalled, recorded } from './recorder.ts';

const strategicPatch = 'application/strategic-merge-patch+json';

for (const minor of ['1.31', '1.32', '1.33', '1.34', '1.35', '1.37']) {
  test(`Kubernetes ${minor} takes the configuration and calls by it`, { skip: skipReason({ level: 1, minor }) }, async (t) => {
    const installation = await recorded(t, { emulatedVersion: minor });
    await installation.plane.createNamespace('team-a', labelled('enabled'));
    await eventually('the webhook is called', isCalled(installation, 'team-a'));
    const { plane, recorder } = installation;
    await plane.api.send('POST', podsPath('team-a'), { ...podWith('nginx'), metadata: { name: 'web' } });
    recorder.taken();
    await plane.api.send('PATCH', `${podsPath('team-a')}/web`, { metadata: { labels: { a: 'b' } } }, strategicPatch);
    t.same(recorder.taken(), [], 'a label');
    await plane.api.send(
      'PATCH',
      `${podsPath('team-a')}/web`,
      { spec: { containers: [{ name: 'main', image: 'nginx:2' }] } },
      strategicPatch,
    );
    const [call, ...again] = recorder.taken();
    t.same(call, { path: '/mutate', operation: 'UPDATE', subResource: '' }, 'an image');
    // A patch that meets another write is applied again by the API server, and admission is asked again.
    for (const other of again) t.same(other, call);
  });
}
