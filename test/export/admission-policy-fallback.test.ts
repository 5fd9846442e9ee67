/** A step of the controller to an alternative: the compiled policy leaves it and the records of the pod alone, as the engine does. */
import tap, { test } from 'tap';
import { originalImagesAnnotation } from '../../src/pod/annotations.ts';
import { fallbackAnnotation, fallbackText, maxFallbackLength, nextStep, type FallbackStep } from '../../src/pod/fallback-record.ts';
import { skipReason } from '../cluster/binaries.ts';
import { startCluster } from './equality.ts';

tap.setTimeout(120_000);

const policy = `apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: mirror.example }
  backup: { host: backup.example }
rules:
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path }, alternatives: [{ registry: backup, as: path }] }
`;

const first: FallbackStep = {
  step: 1,
  from: 'mirror.example/library/nginx:1',
  to: 'backup.example/library/nginx:1',
  at: '2026-06-01T12:00:00.000Z',
  reason: 'not-found',
};
const second = nextStep(first, { step: 2, from: first.to, to: 'mirror.example/library/nginx:1', at: '2026-06-01T12:01:00.000Z' });
const third = nextStep(second, { step: 3, from: second.to, to: first.to, at: '2026-06-01T12:03:00.000Z', reason: 'tls' });
const record = (step: FallbackStep, ...names: readonly string[]): string =>
  fallbackText(new Map((names.length === 0 ? ['main'] : names).map((name) => [name, step])));

const moves: readonly (readonly [says: string, image: string, record: string | null])[] = [
  ['the first step', first.to, record(first)],
  ['the second', first.to, record({ ...second, to: first.to })],
  ['the third', third.to, record(third)],
  ['of three containers', first.to, record(first, 'a', 'main', 'z')],
  ['an image that a rule rewrites', 'nginx:9', record({ ...first, to: 'nginx:9' })],
  ['an image that no rule concerns', 'ghcr.io/a/b', record({ ...first, to: 'ghcr.io/a/b' })],
  ['no image', 'Nginx', record({ ...first, to: 'Nginx' })],
  ['another image than the record has', 'nginx:9', record(first)],
  ['the alternative, without a record', first.to, null],
  ['the record of another container', first.to, record(first, 'mai', 'ain', 'other')],
  ['a step that came from that image', 'nginx:9', record({ ...first, from: 'nginx:9' })],
  ['an earlier step that came from that image', 'nginx:9', record({ ...second, earlier: [{ from: 'nginx:9', at: first.at }] })],
  ['a record that is no JSON', first.to, `${record(first)},`],
  ['a record of another form', first.to, '{"main":{"to":"backup.example/library/nginx:1"}}'],
  ['a record that is too long', first.to, record({ ...first, from: 'x'.repeat(maxFallbackLength) })],
];

const pretty = (text: string): string => JSON.stringify(JSON.parse(text), null, 1);
const entryOf = (fields: object): string => JSON.stringify({ main: fields });
const { step: number, from, at } = first;

/** Engines read the same layout of JSON: in some of these one found a step, and the other a new image. */
const layouts: readonly (readonly [says: string, image: string, record: string])[] = [
  ['spaces between', 'nginx:9', pretty(record({ ...first, to: 'nginx:9' }))],
  ['a space before', 'nginx:9', ` ${record({ ...first, to: 'nginx:9' })}`],
  ['a line break behind', 'nginx:9', `${record({ ...first, to: 'nginx:9' })}\n`],
  ['another order of keys', 'nginx:9', entryOf({ to: 'nginx:9', step: number, from, at })],
  ['a key that transship does not write', 'nginx:9', entryOf({ step: number, from, to: 'nginx:9', at, by: 'hand' })],
  ['no time', 'nginx:9', entryOf({ step: number, from, to: 'nginx:9' })],
  ['an escaped letter', 'nginx:9', record({ ...first, to: 'nginx:9' }).replace('nginx:9', String.raw`ngin\u0078:9`)],
  ['an escaped slash', 'a/b:9', record({ ...first, to: 'a/b:9' }).replace('a/b:9', String.raw`a\/b:9`)],
  ['an escape in another field', 'nginx:9', record({ ...first, to: 'nginx:9', reason: 'a"b' })],
  [
    'an escape in another entry',
    'nginx:9',
    fallbackText(new Map([['main', { ...first, to: 'nginx:9' }]])).replace('}}', String.raw`},"a\u0062":${JSON.stringify(first)}}`),
  ],
  ['an entry of another form beside it', 'nginx:9', record({ ...first, to: 'nginx:9' }).replace(/\}$/, ',"other":{}}')],
  ['the same name twice, the first', 'nginx:9', `{"main":${JSON.stringify({ ...first, to: 'nginx:9' })},"main":${JSON.stringify(first)}}`],
  ['the same name twice, the last', 'nginx:9', `{"main":${JSON.stringify(first)},"main":${JSON.stringify({ ...first, to: 'nginx:9' })}}`],
  ['a step of 0', 'nginx:9', record({ ...first, step: 0, to: 'nginx:9' })],
  ['a step of 100', 'nginx:9', record({ ...first, step: 100, to: 'nginx:9' })],
  ['a step of 101', 'nginx:9', record({ ...first, step: 101, to: 'nginx:9' })],
  ['a step with a fraction', 'nginx:9', record({ ...first, step: 1.5, to: 'nginx:9' })],
  ['a step with an exponent', 'nginx:9', record({ ...first, to: 'nginx:9' }).replace('"step":1', '"step":1e0')],
  ['a long time', 'nginx:9', entryOf({ step: number, from, to: 'nginx:9', at: 'x'.repeat(65) })],
  ['a long reason', 'nginx:9', entryOf({ step: number, from, to: 'nginx:9', at, reason: 'x'.repeat(65) })],
  ['a reason that is no text', 'nginx:9', entryOf({ step: number, from, to: 'nginx:9', at, reason: 1 })],
  ['a long image before', 'nginx:9', record({ ...first, from: 'x'.repeat(9000), to: 'nginx:9' })],
  ['a long image', `nginx:${'x'.repeat(9000)}`, entryOf({ step: number, from, to: `nginx:${'x'.repeat(9000)}`, at })],
  ['no earlier steps', 'nginx:9', entryOf({ step: number, from, to: 'nginx:9', at, earlier: [] })],
  [
    'too many earlier steps',
    'nginx:9',
    entryOf({ step: number, from, to: 'nginx:9', at, earlier: Array.from({ length: 101 }, () => ({ from, at })) }),
  ],
  ['an earlier step of another form', 'nginx:9', entryOf({ step: number, from, to: 'nginx:9', at, earlier: [{ from }] })],
  ['other scripts', 'nginx:9', record({ ...first, from: 'ñ\u2028😀', to: 'nginx:9' })],
  ['as long as it may be', 'nginx:9', ofLength(maxFallbackLength, 'x')],
  ['longer than it may be', 'nginx:9', ofLength(maxFallbackLength + 1, 'x')],
  ['as many characters as there may be, each of two units', 'nginx:9', ofLength(maxFallbackLength, '😀')],
  ['more characters, each of two units', 'nginx:9', ofLength(maxFallbackLength + 1, '😀')],
];

function ofLength(length: number, character: string): string {
  const text = (size: number): string => record({ ...first, from: character.repeat(size), to: 'nginx:9' });
  return text(length - text(0).length);
}

test('steps of the controller', { skip: skipReason({ level: 1 }) }, async (t) => {
  const cluster = await startCluster(t);
  const admission = await cluster.enforce(policy);
  const containers = ['nginx:1', 'quay.io/a', 'redis:1'].map((image, index) => ({ name: ['main', 'a', 'z'][index], image }));
  t.same(await admission.created({ metadata: { name: 'first' }, spec: { containers } }), null, 'the policy is in force');
  const stored = await admission.store({
    metadata: { name: 'web' },
    spec: { containers, initContainers: [{ name: 'init', image: 'nginx:1' }] },
  });
  t.match(stored.metadata.annotations?.[originalImagesAnnotation], '"main":"nginx:1"');
  for (const [says, image, text] of [...moves, ...layouts])
    for (const list of ['containers', 'initContainers'] as const) {
      const changed = (pod: typeof stored): typeof stored => {
        const [main, ...others] = pod.spec[list] as object[];
        const annotations = {
          ...pod.metadata.annotations,
          ...(text !== null && { [fallbackAnnotation]: text.replaceAll('"main"', list === 'containers' ? '"main"' : '"init"') }),
        };
        return { ...pod, metadata: { ...pod.metadata, annotations }, spec: { ...pod.spec, [list]: [{ ...main, image }, ...others] } };
      };
      t.same(await admission.updated(stored, changed), null, `${says}, ${list}`);
    }
  const kept = await cluster.plane.api.send<{ metadata: { annotations: Record<string, string> } }>(
    'PATCH',
    `/api/v1/namespaces/${admission.namespace}/pods/web`,
    { metadata: { annotations: { [fallbackAnnotation]: record(first) } }, spec: { containers: [{ name: 'main', image: first.to }] } },
    'application/strategic-merge-patch+json',
  );
  t.match(kept.body.metadata.annotations[originalImagesAnnotation], '"main":"nginx:1"', 'the next step begins with the image as written');
});
