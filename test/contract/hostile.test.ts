/** The largest pods that an API server takes, and pods that are created while somebody attacks the port of the webhook. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { test, type Test } from 'tap';

import { podsPath, podWith } from '../charts/installed.ts';
import { labelled } from '../charts/opt-in.ts';
import { skipReason } from '../cluster/binaries.ts';
import { attacks } from '../security/attacks.ts';
import { limitMemory } from '../security/memory-limit.ts';
import { createPod, imagesOf, running } from './running.ts';

const attacker = fileURLToPath(new URL('../security/attacker.ts', import.meta.url));
const mebibyte = 1024 * 1024;
const rewritten = 'mirror.example.com/library/nginx:1.27';
/** Seconds. */
const duration = Number(process.env['TRANSSHIP_HOSTILE_SECONDS'] ?? 3);

/** Near etcd's limit of 1.5 MiB. Go writes each of these as six bytes. */
const worst: readonly (readonly [name: string, text: string])[] = [
  ['1.4 million times <', '<'.repeat(1_400_000)],
  ['1.4 million times > and &', '>&'.repeat(700_000)],
  ['U+2028, three bytes each', '\u2028'.repeat(460_000)],
];

const withArgs = (text: string, name: string) => {
  const pod = podWith('nginx:1.27');
  const [container] = pod.spec.containers;
  return { ...pod, metadata: { ...pod.metadata, name }, spec: { ...pod.spec, containers: [{ ...container, args: [text] }] } };
};

const many = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_value, n) => make(n));

/** Of at most 3 MiB. Admission comes before validation, so they need not be valid. */
const heaviest: readonly object[] = [
  withArgs('<'.repeat(3_000_000), 'a'),
  { metadata: { name: 'b' }, spec: { containers: many(20_000, (n) => ({ name: `c${n}`, image: `nginx:${n}` })) } },
  { metadata: { name: 'c' }, spec: { containers: many(20_000, () => ({})) } },
  { metadata: { name: 'd', annotations: Object.fromEntries(many(150_000, (n) => [`a${n}`, 'b'])) }, spec: podWith('nginx').spec },
];

for (const failurePolicy of ['Ignore', 'Fail'] as const) {
  const options = { skip: skipReason({ level: 1 }), timeout: 300_000 + 10 * duration * 1000 };
  test(`at the real API server, in a memory of 384 MiB, with failurePolicy ${failurePolicy}`, options, async (group) => {
    const limit = limitMemory(384 * mebibyte);
    group.teardown(() => limit?.remove());
    const installed = await running(group, {
      values: { failurePolicy },
      ...(limit === null ? {} : { prefix: limit.prefix }),
      args: ['--log-reviews', 'problems'],
    });
    const { plane, address, serving } = installed;
    await plane.createNamespace('shop', labelled('enabled'));

    await group.test(
      'the pods whose reviews are the largest are rewritten: over 8 MiB they once were stored as written, in silence',
      async (t) => {
        for (const [index, [name, text]] of worst.entries()) {
          const pod = await createPod(installed, 'shop', withArgs(text, `large-${index}`));
          t.match(imagesOf(pod), { main: rewritten }, name);
          t.equal(pod.spec?.containers[0]?.args?.[0]?.length, text.length, `${name}: the rest is as it was`);
          const patch = { spec: { containers: [{ name: 'main', image: 'nginx:1.28' }] } };
          const { status, body } = await plane.api.send<typeof pod>(
            'PATCH',
            `${podsPath('shop')}/large-${index}`,
            patch,
            'application/strategic-merge-patch+json',
          );
          t.equal(status, 200, name);
          t.match(
            imagesOf(body),
            { main: 'mirror.example.com/library/nginx:1.28' },
            `${name}: an update, with the old object beside the new one`,
          );
        }
        t.notMatch(serving.log(), /BODY_TOO_LARGE|OVERLOADED/);
      },
    );

    /** Creates pods one after the other, and says how long they took. */
    const create = async (t: Test, name: string, { namespace, image }: { namespace: string; image: string }): Promise<number> => {
      const end = performance.now() + duration * 1000;
      const latencies: number[] = [];
      for (let n = 0; performance.now() < end; n += 1) {
        const began = performance.now();
        const pod = await createPod(installed, namespace, podWith('nginx:1.27', { name: `${name}-${n}` }));
        latencies.push(performance.now() - began);
        t.match(imagesOf(pod), { main: image }, `pod ${n}`);
      }
      const sorted = latencies.toSorted((a, b) => a - b);
      const at = (part: number): number => Math.round(sorted[Math.floor(sorted.length * part)] ?? 0);
      t.ok(sorted.length > 0);
      t.comment(
        `${namespace}: ${sorted.length} pods, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; at most ${Math.round((limit?.peak() ?? 0) / mebibyte)} MiB`,
      );
      return at(0.99);
    };
    const optedIn = { namespace: 'shop', image: rewritten };

    await group.test('while every attack goes on at once, each pod is rewritten', async (t) => {
      await create(t, 'before', optedIn);
      const child = spawn(process.execPath, [attacker, address.host, String(address.port), '127.0.0.2', ...Object.keys(attacks)], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      t.teardown(() => child.kill('SIGKILL'));
      await once(child.stdout, 'data');
      const slowest = await create(t, 'attacked', optedIn);
      if (process.env['TRANSSHIP_HOSTILE_SECONDS'] !== undefined) t.ok(slowest < 1_000, 'p99 below a second');
      child.kill('SIGKILL');
    });

    await group.test('while a tenant creates the heaviest pods that the API server takes, those of others are rewritten', async (t) => {
      const state = { isOver: false };
      const path = `${podsPath('shop')}?dryRun=All`;
      const tenants = heaviest.map(async (pod) => {
        // Some of them are too much for the API server itself.
        while (!state.isOver) await plane.api.send('POST', path, pod).catch(() => {});
      });
      await create(t, 'beside', optedIn);
      // For comparison: the API server itself is busy with them.
      await create(t, 'beside', { namespace: 'default', image: 'nginx:1.27' });
      state.isOver = true;
      await Promise.all(tenants);
    });
  });
}
