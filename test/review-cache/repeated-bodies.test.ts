/** Bodies that are recognised without being read: they may differ in nothing that a decision reads. */
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { reviewFormat } from '../../src/admission/review-reader.ts';
import { byteSelection, identitySlots } from '../../src/review-cache/byte-selection.ts';
import { RepeatedBodies } from '../../src/review-cache/repeated-bodies.ts';
import { selectFields } from '../../src/review-cache/select-fields.ts';
import { Random } from '../fuzz/random.ts';

const sample = JSON.parse(readFileSync(new URL('../../examples/admission-review.json', import.meta.url), 'utf8'));
const volume = {
  name: 'kube-api-access-7qk4d',
  projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3607, path: 'token' } }] },
};
const escaped = { name: 'GREETING', value: 'a "quoted" word \u0001' };
const spec = {
  ...sample.request.object.spec,
  volumes: [volume, { name: 'data', image: { reference: 'quay.io/acme/data:1' } }],
  serviceAccountName: 'default',
};
spec.containers[0].env = [{ name: 'SETTING', value: 'größe' }, escaped];
spec.containers[0].volumeMounts = [{ name: volume.name, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }];
const labels = { tier: 'frontend', 'batch.kubernetes.io/job-name': 'job-11111' };
const annotations = {
  'transship.dev/original-images': '{"old":"quay.io/acme/old:1"}',
  'workflows.argoproj.io/node-id': 'build-1234567890',
};
const metadata = {
  ...sample.request.object.metadata,
  labels,
  annotations,
  managedFields: [{ manager: 'kubectl', time: '2026-11-21T08:00:00Z' }],
};
const text = JSON.stringify({ ...sample, request: { ...sample.request, object: { ...sample.request.object, metadata, spec } } });
const uid: string = sample.request.uid;

function terminated(body: string): { readonly bytes: Buffer; readonly length: number } {
  const length = Buffer.byteLength(body);
  return { bytes: Buffer.concat([Buffer.from(body)], length + 1), length };
}

const format = reviewFormat(['tier']);
const selectionOf = (length: number): ReturnType<typeof byteSelection> => byteSelection(format.fields(length));
const out = Buffer.alloc(64 * 1024);

function keyOf(source: { readonly bytes: Buffer; readonly length: number }): string | null {
  const selected = selectFields(source, selectionOf(source.length), out);
  return selected.ok && selected.identitySpans !== null ? out.toString('latin1', 0, selected.length) : null;
}

function learned(): RepeatedBodies {
  const bodies = new RepeatedBodies(selectionOf);
  const source = terminated(text);
  const key = keyOf(source);
  if (key === null) throw new Error('the sample has no key');
  bodies.learn(source, key);
  if (bodies.find(source.bytes, source.length) !== null) throw new Error('what came once is not worth its memory');
  bodies.learn(source, key);
  return bodies;
}

const known: readonly (readonly [what: string, from: string, to: string])[] = [
  ['the very same', 'kubectl', 'kubectl'],
  ['another uid', uid, uid.replaceAll(/[0-9a-f]/g, '7')],
  ['another name and owner', 'shop-6d5f7c9b8d', 'chop-7e6f8d0c9e'],
  ['another label that no rule asks for', 'job-11111', 'job-22222'],
  ['another annotation that nothing asks for', 'build-1234567890', 'build-9876543210'],
  ['another volume of the service account', 'kube-api-access-7qk4d', 'kube-api-access-zzzzz'],
  ['another time', '08:00:00Z', '09:59:59Z'],
  ['another value of a variable', 'größe', 'grüße'],
];
const unknown: readonly (readonly [what: string, from: string, to: string])[] = [
  ['another image', 'quay.io/acme/data:1', 'quay.io/acme/data:2'],
  ['another namespace', `"namespace":"${sample.request.namespace}"`, `"namespace":"${'x'.repeat(sample.request.namespace.length)}"`],
  ['another label that a rule asks for', 'frontend', 'backend2'],
  ['another record of what was there before', 'acme/old:1', 'acme/old:2'],
  [
    'an annotation that makes it a mirror pod',
    '"workflows.argoproj.io/node-id":"build-1234567890"',
    `"kubernetes.io/config.mirror":"${'x'.repeat(18)}"`,
  ],
  ['another key of a label', 'job-name', 'job-nome'],
  ['another operation', 'CREATE', 'DELETE'],
  ['a key that becomes one that counts', '"projected":', '"image":  {}'],
  ['a key of the same length', '"serviceAccountName":', '"serviceAccountNeme":'],
  ['a quote in a string', 'kubectl', 'kub"ctl'],
  ['a backslash in a string', 'kubectl', 'kub\\ctl'],
  ['a control in a string', 'kubectl', 'kub\nctl'],
  ['an escape that is none', String.raw`\u0001`, String.raw`\u000g`],
  ['text beside an escape', String.raw`a \"quoted`, String.raw`b \"quoted`],
  ['a number', '3607', '3608'],
  ['a longer one', 'kubectl', 'kubectl-client-side-apply'],
  ['a quote where others have other text', '08:00:00Z', '08:00"00Z'],
  ['an escape where others have other text', '08:00:00Z', String.raw`08:00:\n0`],
  ['a control where others have other text', 'access-7qk4d', 'access-7q\u001f4d'],
];

test('what may differ', (t) => {
  const bodies = learned();
  const key = keyOf(terminated(text));
  for (const [what, from, to] of known) {
    const source = terminated(text.replaceAll(from, to));
    const found = bodies.find(source.bytes, source.length);
    t.equal(found?.key, key, what);
    t.equal(
      source.bytes.toString('utf8', found?.identitySpans[identitySlots.uid]?.start, found?.identitySpans[identitySlots.uid]?.end),
      what === 'another uid' ? to : uid,
      `${what}: uid`,
    );
  }
  t.end();
});

test('what may not', (t) => {
  const bodies = learned();
  for (const experience of ['the first one after it was learned', 'after all that may differ did']) {
    for (const [what, from, to] of unknown) {
      const changed = text.replace(from, () => to);
      t.not(changed, text, what);
      const source = terminated(changed);
      t.equal(bodies.find(source.bytes, source.length), null, `${what}, ${experience}`);
    }
    for (const [what, from, to] of known) {
      const source = terminated(text.replaceAll(from, to));
      t.ok(bodies.find(source.bytes, source.length), what);
    }
  }
  t.end();
});

function withVariables(value: (index: number) => string): ReturnType<typeof terminated> {
  const env = Array.from({ length: 200 }, (_, index) => ({ name: 'SETTING', value: value(index) }));
  return terminated(
    JSON.stringify({
      ...sample,
      request: { ...sample.request, object: { ...sample.request.object, spec: { ...spec, containers: [{ ...spec.containers[0], env }] } } },
    }),
  );
}

test('bodies that differ in more strings than are remembered', (t) => {
  const first = withVariables(() => 'aaa');
  const key = keyOf(first) ?? '';
  const bodies = new RepeatedBodies(selectionOf);
  for (let times = 0; times < 2; times += 1) bodies.learn(first, key);
  for (let round = 0; round < 5; round += 1) {
    const all = withVariables((index) => String((index + round) % 10).repeat(3));
    t.equal(bodies.find(all.bytes, all.length)?.key, key, 'all of them differ');
    const one = withVariables((index) => (index === round * 40 ? 'bbb' : 'aaa'));
    t.equal(bodies.find(one.bytes, one.length)?.key, key, 'one of them differs');
    const quoted = Buffer.from(all.bytes);
    quoted[quoted.lastIndexOf('"value"') + '"value":"'.length] = 0x22;
    t.equal(bodies.find(quoted, all.length), null, 'one of them is broken');
  }
  t.end();
});

test('a body that is put where the one before was', (t) => {
  // The pattern was a view into the shared buffer, and so every body of that length was the same as itself.
  const bodies = new RepeatedBodies(selectionOf);
  const { bytes, length } = terminated(text);
  const key = keyOf({ bytes, length }) ?? '';
  for (let times = 0; times < 2; times += 1) bodies.learn({ bytes, length }, key);
  t.equal(bodies.find(bytes, length)?.key, key);
  bytes.write('2', text.indexOf('quay.io/acme/data:1') + 'quay.io/acme/data:'.length, 'latin1');
  t.equal(bodies.find(bytes, length), null);
  t.end();
});

test('20,000 bodies with other bytes anywhere: what is known is what reading them gives', (t) => {
  const bodies = learned();
  let found = 0;
  const wrong: string[] = [];
  for (let execution = 0; execution < 20_000; execution += 1) {
    const random = new Random(20261121, execution);
    const { bytes, length } = terminated(text);
    for (let changes = 1 + random.below(3); changes > 0; changes -= 1)
      bytes[random.below(length)] = random.once(3)
        ? random.below(256)
        : random.pick([...Buffer.from('"\\{}[],:a0 e')] as [number, ...number[]]);
    const answer = bodies.find(bytes, length);
    if (answer === null) continue;
    found += 1;
    if (answer.key !== keyOf({ bytes, length }) || !isJson(bytes.subarray(0, length))) wrong.push(bytes.toString('base64'));
  }
  t.same(wrong, []);
  t.ok(found > 1_000, `${found} were known`);
  t.end();
});

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

test('memory is bounded, and a kind of pod that comes between changes no answer', (t) => {
  const bodies = new RepeatedBodies(selectionOf);
  const sources = Array.from({ length: 200 }, (_, index) => terminated(text.replace('größe', 'x'.repeat(index * 1_000))));
  for (const source of [...sources, ...sources]) {
    const key = keyOf(source) ?? '';
    bodies.learn(source, key);
    bodies.learn(source, key);
    t.ok([key, undefined].includes(bodies.find(source.bytes, source.length)?.key));
  }
  const kept = sources.filter(({ bytes, length }) => bodies.find(bytes, length) !== null);
  t.ok(kept.length > 0 && kept.length < sources.length, `${kept.length} of ${sources.length} are kept`);
  t.end();
});
