/** The controller's clock set by more than any certificate's life, on a real API server whose clock is right. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';

import type { V1Secret } from '@kubernetes/client-node';

import { skipReason } from '../../cluster/binaries.ts';
import { startControlPlane } from '../../cluster/control-plane.ts';
import {
  change,
  createNamespace,
  eventually,
  linesOf,
  metric,
  releaseNamespace,
  runController,
  succeed,
  whenReady,
} from '../controllers.ts';
import { caPath, configurations, day, signersIn, tlsPath } from './cluster.ts';

const webhook = {
  name: 'one.transship.dev',
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  clientConfig: { service: { namespace: releaseNamespace, name: 'transship', path: '/mutate' } },
  rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
  namespaceSelector: { matchLabels: { nobody: 'has-this' } },
};

const clocks: readonly (readonly [name: string, days: number, steps: readonly string[]])[] = [
  ['61 days ahead: the pair is due', 61, ['issue']],
  ['400 days ahead: the CA would be over', 400, ['create-ca', 'publish', 'store', 'issue', 'retire', 'publish', 'store']],
  ['800 days behind: nothing would be valid yet', -800, ['create-ca', 'publish', 'store', 'issue', 'retire', 'publish', 'store']],
];

test('a clock that is set', { skip: skipReason({ level: 1 }) }, async (t) => {
  const plane = await startControlPlane(t);
  await createNamespace(plane, releaseNamespace);
  await succeed(plane, 'POST', configurations, { metadata: { name: 'transship' }, webhooks: [webhook] });
  const clock = join(plane.folder, 'clock');
  const set = (days: number): void => {
    writeFileSync(`${clock}.new`, String(days * day));
    renameSync(`${clock}.new`, clock);
  };
  set(0);
  const preload = new URL(`./set-clock.ts?file=${encodeURIComponent(clock)}`, import.meta.url);
  const args = ['--features=certificates', '--bundle-delay=1s', '--reload-delay=1s'];
  const controller = await runController(plane, {
    policy: 'apiVersion: transship.dev/v1\nkind: RewritePolicy\n',
    args,
    nodeOptions: [`--import=${preload.href}`],
  });
  await whenReady(controller);

  const stepsSoFar = (): string[] => linesOf(controller.log()).flatMap(({ step }) => (typeof step === 'string' ? [step] : []));
  const lastLook = () => metric(controller, 'transship_controller_last_reconcile_timestamp_seconds{feature="certificates"}');
  /** Shows the controller something new, and resolves when it has looked at the time. */
  const touch = async (): Promise<void> => {
    const before = await lastLook();
    await change(plane, `${configurations}/transship`, { metadata: { annotations: { touched: String(performance.now()) } } });
    await eventually('it has looked', async () => (await lastLook()) !== before);
  };
  /** What somebody would find fault with whose clock is right. */
  const faults = async (): Promise<string[]> => {
    const { leaf, signers } = await signersIn(plane);
    const signer = signers[0]?.[0];
    if (signer === undefined) return ['the pair is not trusted'];
    const now = Date.now();
    return [leaf, signer]
      .filter(({ validFromDate, validToDate }) => now < validFromDate.getTime() || validToDate.getTime() <= now)
      .map(({ subject, validFrom, validTo }) => `${subject}: ${validFrom} to ${validTo}`);
  };
  const versions = async (): Promise<unknown[]> => {
    const objects = await Promise.all([tlsPath, caPath].map((path) => plane.api.send<V1Secret>('GET', path)));
    return objects.map(({ body }) => body.metadata?.resourceVersion);
  };

  await eventually('the log shows all of the beginning', async () => stepsSoFar().join(' ') === 'create-ca issue publish');
  // A step that was just taken is not taken again for a second or more.
  await sleep(2_000);
  t.same(await faults(), []);
  for (const [name, days, steps] of clocks) {
    const before = stepsSoFar().length;
    set(days);
    await touch();
    const found = new Set<string>();
    await eventually(name, async () => {
      for (const fault of await faults()) found.add(fault);
      return stepsSoFar().length - before >= steps.length;
    });
    t.same(stepsSoFar().slice(before), steps, name);
    t.same([...found], [], `${name}: trusted and valid at every look`);
    const rest = await versions();
    for (const [says, next] of [
      ['the same clock', days],
      ['a clock that is right again', 0],
    ] as const) {
      set(next);
      await touch();
      await sleep(1_000);
      t.same([await versions(), stepsSoFar().length - before], [rest, steps.length], `${name}: ${says} changes nothing`);
      t.same(await faults(), [], `${name}: ${says}`);
    }
  }
  t.equal(await controller.stop(), 0);
});
