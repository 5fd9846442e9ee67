/** Two releases in one cluster: each has its namespaces, and neither waits for the other's pods. */
import { test } from 'tap';

import { skipReason } from '../cluster/binaries.ts';
import type { CommandError } from '../cluster/commands.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { chartFolder, type Values } from './chart.ts';
import { createDryRun, eventually, install, podWith } from './installed.ts';

const options = { skip: skipReason({ level: 1 }) };
const blue = { optIn: { value: 'blue', shadowValue: 'blue-shadow' } };
const rewriteLabel = 'transship.dev/rewrite';

const installBlue = (plane: ControlPlane, values: Values) =>
  plane.helm(['install', 'blue', chartFolder, '--namespace', 'blue', '--create-namespace', '--values', '-'], {
    input: JSON.stringify(values),
  });

const stderrOf = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => 'it was installed',
    (error: CommandError) => error.stderr,
  );

/** Nobody listens behind either release: with Fail, whoever is asked refuses the pod and is named. */
async function askedFor(plane: ControlPlane, namespace: string, pod: object = podWith('nginx')): Promise<string> {
  const { status, body } = await createDryRun(plane, namespace, pod);
  return status === 201 ? 'nobody' : (/https:\/\/([^.]+)\./.exec(body.message ?? '')?.[1] ?? String(body.message));
}

test('a second release with the same label value is refused, and one with another value has its own namespaces', options, async (t) => {
  const { plane, upgrade } = await install(t, { failurePolicy: 'Fail' });
  t.match(
    await stderrOf(installBlue(plane, {})),
    /another release of transship, with the MutatingWebhookConfiguration transship-secret, rewrites namespaces labelled transship\.dev\/rewrite=enabled already: give this one another optIn\.value/,
    'the one that sorts first once won every namespace',
  );
  await installBlue(plane, { ...blue, failurePolicy: 'Fail' });

  const rows: readonly (readonly [namespace: string, label: string, asked: string])[] = [
    ['team-enabled', 'enabled', 'transship-secret'],
    ['team-shadow', 'shadow', 'transship-secret'],
    ['team-blue', 'blue', 'blue-transship'],
    ['team-blue-shadow', 'blue-shadow', 'blue-transship'],
    ['team-disabled', 'disabled', 'nobody'],
  ];
  for (const [namespace, label] of rows) await plane.createNamespace(namespace, { [rewriteLabel]: label });
  for (const [namespace, , asked] of rows)
    await eventually(`${namespace} belongs to ${asked}`, async () => (await askedFor(plane, namespace)) === asked);
  t.equal(
    await askedFor(plane, 'team-enabled', podWith('nginx', { labels: { [rewriteLabel]: 'blue-shadow' } })),
    'blue-transship',
    "a pod's label wins over its namespace's, also with a value of the other release",
  );

  t.match(
    await stderrOf(
      plane.helm([
        'upgrade',
        'blue',
        chartFolder,
        '-n',
        'blue',
        '--set',
        'optIn.mode=OptOut,optIn.value=blue,optIn.shadowValue=blue-shadow',
      ]),
    ),
    'it was installed',
    'one of them may have OptOut',
  );
  t.match(
    await stderrOf(upgrade({ failurePolicy: 'Fail' })),
    /another release of transship, with the MutatingWebhookConfiguration blue-transship, rewrites every namespace that is not kept out: list enabled and shadow in its optIn\.otherValues first/,
  );
});

test('OptOut and Fail beside another release: neither stops the pods of the other', options, async (t) => {
  const otherValues = { mode: 'OptOut', otherValues: ['blue', 'blue-shadow'] };
  const { plane } = await install(t, { failurePolicy: 'Fail', optIn: otherValues });
  await installBlue(plane, { ...blue, failurePolicy: 'Fail' });
  await plane.kubectl(['-n', 'blue', 'create', 'serviceaccount', 'default']);
  await plane.createNamespace('team-none');
  await plane.createNamespace('team-blue', { [rewriteLabel]: 'blue' });
  await eventually('a namespace without label is asked for', async () => (await askedFor(plane, 'team-none')) === 'transship-secret');
  await eventually('and that of the other release for its own', async () => (await askedFor(plane, 'team-blue')) === 'blue-transship');
  t.equal(await askedFor(plane, 'blue'), 'transship-secret', 'the namespace of the other release is one like any other');

  const { stdout } = await plane.kubectl(['-n', 'blue', 'get', 'deployment', 'blue-transship', '-o', 'jsonpath={.spec.template}']);
  const { metadata, spec } = JSON.parse(stdout);
  t.equal(await askedFor(plane, 'blue', { metadata: { generateName: 'own-', ...metadata }, spec }), 'nobody', 'but its own pods can start');
});
