/** What holds for every pod that is created, whatever JSON it is made of, under every policy. */
import assert from 'node:assert/strict';
import * as fc from '../random/fast-check.ts';
import fjp, { type Operation } from 'fast-json-patch';
import { originalImagesAnnotation } from '../../src/pod/annotations.ts';
import { isObject, list, member } from '../../src/pod/json.ts';
import { token } from '../../src/patch/pointer.ts';
import { compiledPolicy } from '../builders/arbitrary-compiled.ts';
import { json } from '../builders/arbitrary-json.ts';
import { wildPod } from '../builders/arbitrary-pod.ts';
import { reviewOf, type Json } from '../builders/pod.ts';
import { call, patched } from '../builders/webhook.ts';
import { holds } from '../image/property.ts';

const namespace = fc.constantFrom('default', 'team-a', 'shop');
const runs = { numRuns: 150 };
const recordPath = `/metadata/annotations/${token(originalImagesAnnotation)}`;

function property(check: (object: Json, call: (object: Json, more?: object) => ReturnType<typeof callOf>) => void): fc.IProperty<unknown> {
  return fc.property(compiledPolicy, wildPod, namespace, ({ policy }, object, where) => {
    check(object, (asked, more) => callOf(asked, { namespace: where, ...more }, policy));
  });
}

function callOf(object: Json, request: object, policy: Parameters<typeof call>[1]) {
  return call(reviewOf({ object, ...request }), policy);
}

holds(
  'the patch is valid and applies, and the second call changes nothing',
  property((object, ask) => {
    const after = patched(object, ask(object).patch);
    const second = ask(after);
    assert.deepEqual(second.patch, []);
    assert.deepEqual(second.admission.pullSecrets, []);
  }),
  runs,
);

holds(
  'the second call never gives another value for an audit annotation',
  property((object, ask) => {
    const first = ask(object);
    const second = ask(patched(object, first.patch));
    for (const [key, value] of Object.entries(second.response.auditAnnotations ?? {})) {
      const before = first.response.auditAnnotations?.[key];
      if (before !== undefined) assert.equal(value, before, key);
    }
  }),
  runs,
);

holds(
  'nothing but images, pull policies, pull secrets and the record differs',
  property((object, ask) => {
    assert.deepEqual(untouchable(patched(object, ask(object).patch)), untouchable(object));
  }),
  runs,
);

holds(
  'own secrets keep their places, new ones follow, none twice',
  property((object, ask) => {
    const { patch, admission } = ask(object);
    const before = secretsOf(object);
    const after = secretsOf(patched(object, patch));
    if (!Array.isArray(before))
      return assert.deepEqual(after, admission.pullSecrets.length === 0 ? before : admission.pullSecrets.map((name) => ({ name })));
    assert.ok(Array.isArray(after));
    assert.deepEqual(after.slice(0, before.length), before);
    assert.deepEqual(
      after.slice(before.length),
      admission.pullSecrets.map((name) => ({ name })),
    );
    assert.equal(new Set(admission.pullSecrets).size, admission.pullSecrets.length);
  }),
  runs,
);

holds(
  'the operations are those that a comparison of before and after finds',
  property((object, ask) => {
    const { patch } = ask(object);
    // A comparison starts at an object, which the pod need not be.
    const compared = fjp.compare({ object }, { object: patched(object, patch) });
    assert.deepEqual(sorted(asCompared(patch, object)), sorted(compared));
  }),
  runs,
);

holds(
  'an operation names a place that is ours, and never tests',
  property((object, ask) => {
    const places =
      /^\/spec\/(containers|initContainers|ephemeralContainers)\/\d+\/(image|imagePullPolicy)$|^\/spec\/volumes\/\d+\/image\/(reference|pullPolicy)$/;
    for (const { op, path } of ask(object).patch) {
      assert.notEqual(op, 'test');
      assert.ok(
        places.test(path) || [recordPath, '/metadata/annotations', '/spec/imagePullSecrets', '/spec/imagePullSecrets/-'].includes(path),
        path,
      );
      if (path.endsWith('/-')) assert.ok(Array.isArray(secretsOf(object)));
      if (path === '/metadata/annotations') assert.ok((member(member(object, 'metadata'), 'annotations') ?? null) === null);
    }
  }),
  runs,
);

holds(
  'patch and patchType both or neither, and the pod is always allowed',
  property((object, ask) => {
    const { response, patch } = ask(object);
    assert.equal(response.allowed, true);
    assert.equal(response.patchType, patch.length === 0 ? undefined : 'JSONPatch');
    assert.equal(response.patch === undefined, patch.length === 0);
  }),
  runs,
);

holds(
  'warnings are short, printable and few',
  property((object, ask) => {
    const warnings = ask(object).response.warnings ?? [];
    for (const warning of warnings) {
      assert.ok(warning.length <= 120, warning);
      assert.ok(warning.isWellFormed() && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(warning), JSON.stringify(warning));
    }
    // The API server cuts everything short beyond 4096 characters in all.
    assert.ok(warnings.join('').length <= 4096);
  }),
  runs,
);

holds(
  'audit annotations have keys that the API server accepts',
  property((object, ask) => {
    for (const [key, value] of Object.entries(ask(object).response.auditAnnotations ?? {})) {
      assert.match(key, /^([A-Za-z0-9][A-Za-z0-9_.-]*)?[A-Za-z0-9]$/);
      assert.ok(key.length <= 63 && value.length <= 512);
    }
  }),
  runs,
);

holds(
  'a dry run is answered identically',
  property((object, ask) => {
    assert.deepEqual(ask(object, { dryRun: true }).response, ask(object, { dryRun: false }).response);
  }),
  runs,
);

holds(
  'shadow mode decides and records the same, and patches nothing',
  fc.property(compiledPolicy, wildPod, namespace, ({ policy }, object, where) => {
    const body = reviewOf({ object, namespace: where });
    const [enforced, shadow] = [call(body, policy, 'enforce'), call(body, policy, 'shadow')];
    assert.deepEqual(shadow.admission.images, enforced.admission.images);
    const audited = Object.entries(shadow.response.auditAnnotations ?? {}).filter(([, value]) => value !== 'would be added');
    assert.deepEqual(Object.fromEntries(audited), enforced.response.auditAnnotations ?? {});
    assert.deepEqual(shadow.admission.pullSecrets, enforced.admission.pullSecrets);
    assert.equal(shadow.response.patch, undefined);
    assert.equal(shadow.response.patchType, undefined);
  }),
  runs,
);

const wildRequest = fc.record({
  uid: fc.string({ minLength: 1, maxLength: 256, unit: 'binary' }),
  operation: fc.oneof(fc.constantFrom('CREATE', 'UPDATE', 'DELETE', 'CONNECT'), fc.string()),
  namespace: json,
  subResource: fc.oneof(fc.constantFrom(null, '', 'ephemeralcontainers'), json),
  dryRun: json,
  object: fc.oneof(wildPod, json),
  oldObject: fc.oneof(wildPod, json),
});

holds(
  'any request gets its uid back, and a patch that applies',
  fc.property(compiledPolicy, wildRequest, ({ policy }, request) => {
    const { response, patch } = call(reviewOf(request), policy);
    assert.equal(response.uid, request.uid);
    patched(request.object, patch);
  }),
  runs,
);

function secretsOf(object: unknown): unknown {
  return member(member(object, 'spec'), 'imagePullSecrets');
}

/** The pod without what may change. Only texts count as images: what else stands there must stay. */
function untouchable(object: Json): unknown {
  const copy: unknown = structuredClone(object);
  const spec = member(copy, 'spec');
  for (const name of ['containers', 'initContainers', 'ephemeralContainers']) {
    for (const container of list(spec, name)) withoutMembers(container, 'image', 'imagePullPolicy');
  }
  for (const volume of list(spec, 'volumes')) withoutMembers(member(volume, 'image'), 'reference', 'pullPolicy');
  const metadata = member(copy, 'metadata');
  const annotations = member(metadata, 'annotations');
  if (isObject(annotations)) Reflect.deleteProperty(annotations, originalImagesAnnotation);
  if (isObject(metadata) && (annotations === null || (isObject(annotations) && Object.keys(annotations).length === 0)))
    Reflect.deleteProperty(metadata, 'annotations');
  if (isObject(spec)) Reflect.deleteProperty(spec, 'imagePullSecrets');
  return copy;
}

function withoutMembers(value: unknown, image: string, pullPolicy: string): void {
  if (!isObject(value) || typeof member(value, image) !== 'string') return;
  Reflect.deleteProperty(value, image);
  Reflect.deleteProperty(value, pullPolicy);
}

/** `-` as the index that it stands for, and `add` of a member that is there as the `replace` that it is. */
function asCompared(patch: readonly Operation[], object: Json): Operation[] {
  let end = list(member(object, 'spec'), 'imagePullSecrets').length;
  return patch.map((operation) => {
    const path = `/object${operation.path}`.replace(/-$/, () => String(end++));
    const isThere = operation.op === 'add' && fjp.getValueByPointer({ object }, path) !== undefined;
    return Object.assign({}, operation, { path }, isThere ? { op: 'replace' } : {});
  });
}

function sorted(operations: readonly Operation[]): Operation[] {
  return operations.toSorted((one, other) => (one.path < other.path ? -1 : 1));
}
