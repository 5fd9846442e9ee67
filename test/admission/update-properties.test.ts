/** What holds for every update of a pod, and for every debug container: what may not change is not touched. */
import assert from 'node:assert/strict';
import * as fc from '../random/fast-check.ts';
import { originalImagesAnnotation, parseRecord, rewrittenByAnnotation } from '../../src/pod/annotations.ts';
import { siteKey } from '../../src/pod/images.ts';
import { podFields, readPod } from '../../src/pod/pod.ts';
import { decideImage } from '../../src/rules/decide.ts';
import { token } from '../../src/patch/pointer.ts';
import { compiledPolicy } from '../builders/arbitrary-compiled.ts';
import { storedPod, type StoredPod } from '../builders/arbitrary-pod.ts';
import { reviewOf, type Json } from '../builders/pod.ts';
import { call, patched } from '../builders/webhook.ts';
import { holds } from '../image/property.ts';
import { becomes } from '../rules/policy.ts';

const runs = { numRuns: 150 };
const records: ReadonlySet<string> = new Set([
  '/metadata/annotations',
  ...[originalImagesAnnotation, rewrittenByAnnotation].map((name) => `/metadata/annotations/${token(name)}`),
]);
const containerKey = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'volume.a');
const lists = ['containers', 'initContainers', 'ephemeralContainers', 'volumes'] as const;

/** Old and new, with some of the images the same. */
const change = fc.tuple(storedPod, storedPod, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 })).map(([old, next, kept]) => ({
  old,
  next: { ...next, spec: { ...next.spec, ...Object.fromEntries(lists.map((list) => [list, keeping(old, next, { list, kept })])) } },
}));

function keeping(old: StoredPod, next: StoredPod, { list, kept }: { list: string; kept: readonly boolean[] }) {
  return (next.spec[list] ?? []).map((entry, index) => {
    const before = old.spec[list]?.find(({ name }) => name === entry.name);
    return before !== undefined && kept[index] === true ? Object.assign({}, entry, { image: before.image }) : entry;
  });
}

function updateOf(old: StoredPod, next: StoredPod, subResource: string) {
  return reviewOf({ operation: 'UPDATE', subResource, object: plain(next), oldObject: plain(old), namespace: 'default' });
}

function plain(value: StoredPod): Json {
  return JSON.parse(JSON.stringify(value));
}

/** The containers at which a patch points, with their list. */
function touched(next: StoredPod, path: string): { list: string; name: string; image: unknown } {
  const [, , list = '', index = ''] = path.split('/');
  const entry = next.spec[list]?.[Number(index)];
  assert.ok(entry !== undefined && path === `/spec/${list}/${index}/image`, path);
  return { list, name: entry.name, image: entry.image };
}

holds(
  'an update touches images of containers that differ, and the record',
  fc.property(compiledPolicy, change, ({ policy }, { old, next }) => {
    for (const { path } of call(updateOf(old, next, ''), policy).patch) {
      if (records.has(path)) continue;
      const { list, name, image } = touched(next, path);
      assert.ok(list === 'containers' || list === 'initContainers', path);
      assert.notEqual(old.spec[list]?.find((entry) => entry.name === name)?.image, image);
    }
  }),
  runs,
);

holds(
  'a record said of an image that an update brought what had been true of the image before it',
  fc.property(compiledPolicy, change, ({ policy }, { old, next }) => {
    const { admission, patch } = call(updateOf(old, next, ''), policy);
    const { originalImages } = readPod(patched(plain(next), patch), podFields([])).annotations;
    for (const { site, outcome, result } of admission.images) {
      const original = originalImages.entries.get(siteKey(site));
      if (original === undefined || outcome === 'unchanged') continue;
      const { namespace, labels } = { namespace: 'default', labels: next.metadata.labels };
      const decided = decideImage(policy.table, original, { namespace, podLabels: labels }, site.pullPolicy);
      // An image that stays as written has a record where it has alternatives.
      assert.equal(decided.alternatives.length > 0 ? becomes(decided) : decided.result, outcome === 'rewritten' ? result : site.image);
    }
  }),
  runs,
);

holds(
  'an update that changes no image has no patch',
  fc.property(compiledPolicy, storedPod, storedPod, ({ policy }, old, { metadata }) => {
    const { admission, patch } = call(updateOf(old, { ...old, metadata }, ''), policy);
    assert.deepEqual(patch, []);
    assert.ok(admission.images.every(({ outcome }) => outcome === 'unchanged'));
  }),
  runs,
);

holds(
  'a debug request touches images of new debug containers only',
  fc.property(compiledPolicy, change, ({ policy }, { old, next }) => {
    for (const { path } of call(updateOf(old, next, 'ephemeralcontainers'), policy).patch) {
      const { list, name } = touched(next, path);
      assert.equal(list, 'ephemeralContainers');
      assert.ok(!old.spec[list]?.some((entry) => entry.name === name));
    }
  }),
  runs,
);

for (const subResource of ['', 'ephemeralcontainers']) {
  holds(
    `pods/${subResource}: the second call changes nothing and tells the audit log nothing else`,
    fc.property(compiledPolicy, change, ({ policy }, { old, next }) => {
      const first = call(updateOf(old, next, subResource), policy);
      const second = call(updateOf(old, patched(next, first.patch), subResource), policy);
      assert.deepEqual(second.patch, []);
      assert.deepEqual(
        { ...first.response.auditAnnotations, ...second.response.auditAnnotations },
        { ...first.response.auditAnnotations, ...addedBy(second, first) },
      );
    }),
    runs,
  );

  holds(
    `pods/${subResource}: what an update does to an image, a create does too`,
    fc.property(compiledPolicy, change, ({ policy }, { old, next }) => {
      const created = call(reviewOf({ object: plain(next), namespace: 'default' }), policy).admission.images;
      const updated = call(updateOf(old, next, subResource), policy).admission.images;
      for (const [index, image] of updated.entries()) {
        // Secrets can be added to a new pod only.
        if (image.outcome !== 'unchanged') assert.deepEqual({ ...image, missingSecrets: [] }, created[index]);
      }
    }),
    runs,
  );
}

const limit = 256 * 1024;

function bytesOf(annotations: Readonly<Record<string, string>> = {}): number {
  return Object.entries(annotations).reduce((sum, entry) => sum + Buffer.byteLength(entry.join('')), 0);
}

/** With so many bytes of annotations left. */
function filled({ metadata, spec }: StoredPod, space: number): StoredPod {
  const annotations = { ...metadata.annotations, filler: '' };
  return { spec, metadata: { ...metadata, annotations: { ...annotations, filler: 'x'.repeat(limit - bytesOf(annotations) - space) } } };
}

function entriesOf({ metadata }: StoredPod, name: string, keys: readonly string[]): readonly (string | undefined)[] {
  const entries = parseRecord(metadata.annotations?.[name] ?? '');
  return keys.map((key) => entries.get(key));
}

// Either way: a record used to be kept beside a longer one, and the API server refused the pod; a rule used to be recorded without its image, and the
// second call took it back.
for (const operation of ['CREATE', 'UPDATE']) {
  holds(
    `${operation} near the limit of annotations: the records stay within it, and the second call takes none back`,
    fc.property(
      compiledPolicy,
      change,
      fc.dictionary(containerKey, fc.constantFrom('x@r', 'é@r')),
      fc.nat(600),
      (compiled, { old, next }, rules, space) => {
        const policy = { ...compiled.policy, revision: 'r' };
        const annotations = { ...next.metadata.annotations, [rewrittenByAnnotation]: JSON.stringify(rules) };
        const full = filled({ ...next, metadata: { ...next.metadata, annotations } }, space);
        const decide = (pod: StoredPod): ReturnType<typeof call> =>
          call(operation === 'CREATE' ? reviewOf({ object: plain(pod), namespace: 'default' }) : updateOf(old, pod, ''), policy);
        const first = decide(full);
        const once = patched(full, first.patch);
        const twice = patched(once, decide(once).patch);
        for (const { metadata } of [once, twice]) assert.ok(bytesOf(metadata.annotations) <= limit);
        const rewritten = first.admission.images.filter(({ outcome }) => outcome === 'rewritten').map(({ site }) => siteKey(site));
        for (const name of [originalImagesAnnotation, rewrittenByAnnotation])
          assert.deepEqual(entriesOf(twice, name, rewritten), entriesOf(once, name, rewritten));
      },
    ),
    runs,
  );
}

/** Annotations that the first call did not give; a key of both must have the first value. */
function addedBy(second: ReturnType<typeof call>, first: ReturnType<typeof call>): Record<string, string> {
  const known = first.response.auditAnnotations ?? {};
  return Object.fromEntries(Object.entries(second.response.auditAnnotations ?? {}).filter(([key]) => !Object.hasOwn(known, key)));
}
