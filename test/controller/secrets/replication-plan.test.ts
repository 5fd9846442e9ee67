/** The replication plan: each situation as a row, and properties over random clusters, carried out on a model of the API server. */
import { deepEqual, ok } from 'node:assert/strict';

import * as fc from '../../random/fast-check.ts';
import { test } from 'tap';

import { policySchema } from '../../../src/config/schema.ts';
import type { LabelSelector, RewritePolicy } from '../../../src/policy/types.ts';
import { contentOf, patchOf, secretOf, type Content, type CopyWithContent } from '../../../src/controller/secrets/copy.ts';
import { matchesSelector } from '../../../src/policy/label-selector.ts';
import { Retention } from '../../../src/controller/secrets/retention.ts';
import { seenSecret, type SecretObject } from '../../../src/controller/secrets/seen-secret.ts';
import { labelValue, ownerOf } from '../../../src/cluster/copy-labels.ts';
import { desiredCopies, stepFor, type CopySource, type ReplicationStep } from '../../../src/controller/secrets/replication-plan.ts';
import { isTarget, type TargetNamespace, type TargetScope } from '../../../src/controller/secrets/target-namespaces.ts';
import { keyOf } from '../../../src/cluster/object-store.ts';
import { holds } from '../../image/property.ts';

const scope: TargetScope = {
  namespace: 'release',
  optIn: 'OptIn',
  optInValues: ['enabled', 'shadow'],
  optOutValues: ['disabled', 'of-another-release'],
  excludedNamespaces: ['left-out'],
};
const owner = 'release.transship-controller';
const old = contentOf('b2xk');
const fresh = contentOf('bmV3');

const policyOf = (registries: object) => policySchema.parse({ apiVersion: 'transship.dev/v1', kind: 'RewritePolicy', registries });
const mirror = { host: 'reg.example.com', pullSecrets: ['regcred'], credentials: { secret: 'source' } };
const namespace = (name: string, rewrite?: string, isTerminating = false): TargetNamespace => ({
  name,
  labels: rewrite === undefined ? {} : { 'transship.dev/rewrite': rewrite },
  isTerminating,
});

interface State extends CopySource {
  readonly namespaces: readonly TargetNamespace[];
  readonly copies: readonly SecretObject[];
}

/** What is to be done with each Secret that has something to be done with. */
function plan(
  { namespaces, copies, ...source }: State,
  where: TargetScope = scope,
): Map<string, Exclude<ReplicationStep, { verb: 'none' }>> {
  const desired = desiredCopies(source, namespaces, where);
  const present = new Map(copies.map((secret) => [keyOf(secret), secret]));
  const isLiving = (name: string): boolean => namespaces.some((candidate) => candidate.name === name && !candidate.isTerminating);
  const steps = [...new Set([...desired.keys(), ...present.keys()])].flatMap((key) => {
    const step = stepFor(desired.get(key), present.get(key), { ...source, scope: where, owner, isLiving });
    return step.verb === 'none' ? [] : [[key, step] as const];
  });
  return new Map(steps);
}

/** As the API server has it afterwards. */
function patched(present: SecretObject, desired: CopyWithContent): SecretObject {
  const { metadata } = patchOf(desired, owner, present) as { metadata: Record<'labels' | 'annotations', Record<string, string | null>> };
  const merged = (what: 'labels' | 'annotations'): Record<string, string> =>
    Object.fromEntries(
      Object.entries({ ...present.metadata?.[what], ...metadata[what] }).filter((entry): entry is [string, string] => entry[1] !== null),
    );
  const written = seenSecret({ ...secretOf(desired, owner), ...(present.immutable !== undefined && { immutable: present.immutable }) });
  return { ...written, metadata: { ...(present.metadata as object), labels: merged('labels'), annotations: merged('annotations') } };
}

/** A copy as the watch keeps it. */
function copy(at: string, content: Content, more: CopyDetails = {}): SecretObject {
  const [inNamespace = '', name = ''] = at.split('/');
  const { deleting = false, source = 'release/source', named = at, adopt = false, labels = {}, ...fields } = more;
  const desired = { namespace: inNamespace, name, registry: 'mirror', source, content, labels: {}, annotations: {} };
  const secret = seenSecret(secretOf(desired, owner));
  const { 'transship.dev/copy': _, ...annotations } = secret.metadata?.annotations ?? {};
  return {
    ...secret,
    metadata: {
      ...(secret.metadata as object),
      uid: `uid-${at}`,
      resourceVersion: '7',
      ...(deleting && { deletionTimestamp: new Date(0) }),
      labels: { ...secret.metadata?.labels, ...labels },
      annotations: {
        ...annotations,
        ...(named !== null && { 'transship.dev/copy': named }),
        ...(adopt && { 'transship.dev/adopt': 'true' }),
      },
    },
    ...fields,
  };
}

interface CopyDetails extends Partial<SecretObject> {
  readonly deleting?: boolean;
  readonly source?: string;
  /** What it says that it is; null for a copy of version 0.1.0, which says nothing. */
  readonly named?: string | null;
  readonly adopt?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
}

test('situations', async (t) => {
  const shop = namespace('shop', 'enabled');
  const rows: [situation: string, state: Partial<State>, steps: Record<string, ReplicationStep['verb']>][] = [
    ['opted in, no copy', { namespaces: [shop] }, { 'shop/regcred': 'create' }],
    ['opted in, a good copy', { namespaces: [shop], copies: [copy('shop/regcred', fresh)] }, {}],
    ['an old copy', { namespaces: [shop], copies: [copy('shop/regcred', old)] }, { 'shop/regcred': 'update' }],
    [
      'a copy of another source with the same content',
      { namespaces: [shop], copies: [copy('shop/regcred', fresh, { source: 'release/else' })] },
      { 'shop/regcred': 'update' },
    ],
    [
      'a copy of another type',
      { namespaces: [shop], copies: [copy('shop/regcred', fresh, { type: 'Opaque' })] },
      { 'shop/regcred': 'replace' },
    ],
    [
      'an old immutable copy',
      { namespaces: [shop], copies: [copy('shop/regcred', old, { immutable: true })] },
      { 'shop/regcred': 'replace' },
    ],
    ['a good immutable copy', { namespaces: [shop], copies: [copy('shop/regcred', fresh, { immutable: true })] }, {}],
    ['a copy that is being deleted', { namespaces: [shop], copies: [copy('shop/regcred', old, { deleting: true })] }, {}],
    ['not opted in, a copy', { namespaces: [namespace('shop')], copies: [copy('shop/regcred', fresh)] }, { 'shop/regcred': 'release' }],
    [
      'not opted in, a copy that is being deleted',
      { namespaces: [namespace('shop')], copies: [copy('shop/regcred', fresh, { deleting: true })] },
      {},
    ],
    [
      'a name that the policy does not have any more',
      { namespaces: [shop], copies: [copy('shop/regcred', fresh), copy('shop/former', fresh)] },
      { 'shop/former': 'release' },
    ],
    ['a namespace that is being deleted', { namespaces: [namespace('shop', 'enabled', true)], copies: [copy('shop/regcred', old)] }, {}],
    ['a namespace that is not known', { namespaces: [], copies: [copy('shop/regcred', old)] }, {}],
    ['no content, no copy', { namespaces: [shop], content: () => null }, {}],
    ['no content, a copy', { namespaces: [shop], copies: [copy('shop/regcred', old)], content: () => null }, {}],
    [
      'no content, not opted in',
      { namespaces: [namespace('shop')], copies: [copy('shop/regcred', old)], content: () => null },
      { 'shop/regcred': 'release' },
    ],
    [
      'two names',
      { namespaces: [shop], policy: policyOf({ mirror: { ...mirror, pullSecrets: ['one', 'two'] } }) },
      { 'shop/one': 'create', 'shop/two': 'create' },
    ],
    [
      'a registry without credentials',
      { namespaces: [shop], policy: policyOf({ mirror: { host: 'a.example.com', pullSecrets: ['regcred'] } }) },
      {},
    ],
    [
      'a source under the name of the copy',
      { namespaces: [namespace('release'), shop], policy: policyOf({ mirror: { ...mirror, pullSecrets: ['source'], namespaces: ['*'] } }) },
      { 'shop/source': 'create' },
    ],
    [
      'the source of another registry',
      {
        namespaces: [namespace('release')],
        policy: policyOf({
          mirror: { ...mirror, namespaces: ['*'] },
          other: { ...mirror, pullSecrets: ['other'], credentials: { secret: 'regcred' } },
        }),
      },
      {},
    ],
  ];
  for (const [situation, state, steps] of rows) {
    const planned = plan({ policy: policyOf({ mirror }), content: () => fresh, namespaces: [], copies: [], ...state });
    t.same(Object.fromEntries([...planned].map(([key, { verb }]) => [key, verb])), steps, situation);
  }
});

test('a Secret with the labels of a copy that was not written here: once deleted within 0.2 s, for ever against a replicator', async (t) => {
  const shop = namespace('shop', 'enabled');
  const team = namespace('team');
  const rows: [situation: string, copies: SecretObject[], steps: Record<string, ReplicationStep['verb']>][] = [
    ['a copy that was applied to another namespace', [copy('team/regcred', fresh, { named: 'shop/regcred' })], { 'team/regcred': 'leave' }],
    ['a backup under another name', [copy('shop/backup', fresh, { named: 'shop/regcred' })], { 'shop/backup': 'leave' }],
    ['one where a copy should be', [copy('shop/regcred', old, { named: 'team/regcred' })], { 'shop/regcred': 'leave' }],
    ['one with the right content where a copy should be', [copy('shop/regcred', fresh, { named: 'team/regcred' })], { 'shop/regcred': 'leave' }],
    ['a copy of version 0.1.0', [copy('shop/regcred', fresh, { named: null })], { 'shop/regcred': 'update' }],
    ['a copy of version 0.1.0 that is not wanted any more', [copy('shop/former', fresh, { named: null })], { 'shop/former': 'leave' }],
    ['a copy of version 0.1.0, copied to another namespace', [copy('team/regcred', fresh, { named: null })], { 'team/regcred': 'leave' }],
    ['one that its owner offers', [copy('shop/regcred', old, { named: 'team/regcred', adopt: true })], { 'shop/regcred': 'update' }],
    ['one that its owner offers, of another type', [copy('shop/regcred', old, { named: 'x/y', adopt: true, type: 'Opaque' })], { 'shop/regcred': 'replace' }],
    ['one that is offered where none is wanted', [copy('team/regcred', old, { named: 'x/y', adopt: true })], { 'team/regcred': 'leave' }],
    ['a copy of another controller', [copy('shop/regcred', old, { labels: { 'transship.dev/owner': 'other' } })], { 'shop/regcred': 'leave' }],
  ]; // prettier-ignore
  for (const [situation, copies, steps] of rows) {
    const planned = plan({ policy: policyOf({ mirror }), content: () => fresh, namespaces: [shop, team], copies });
    const { 'shop/regcred': created, ...others } = Object.fromEntries([...planned].map(([key, { verb }]) => [key, verb]));
    t.same({ ...others, ...(created !== 'create' && { 'shop/regcred': created }) }, steps, situation);
  }
});

test('content of a retained copy', async (t) => {
  const copies = [copy('shop/former', old)];
  const namespaces = [namespace('shop', 'enabled')];
  const refreshed = (policy: RewritePolicy, content: Content | null = fresh): string | null | undefined => {
    const step = plan({ policy, content: () => content, namespaces, copies }).get('shop/former');
    return step?.verb === 'release' ? (step.refreshed?.content.hash ?? null) : undefined;
  };
  t.equal(refreshed(policyOf({ mirror })), fresh.hash, 'a token goes on being renewed');
  t.equal(refreshed(policyOf({ mirror }), null), null, 'the registry has no content');
  t.equal(refreshed(policyOf({ mirror: { host: 'a.example.com' } })), null, 'the registry has no credentials any more');
  t.equal(refreshed(policyOf({})), null, 'there is no such registry any more');
});

test('how long a copy stays that is not wanted any more', async (t) => {
  let now = 0;
  let asked = 0;
  let isNamed = true;
  const retention = new Retention(300_000, () => now);
  const decide = () =>
    retention.decide('shop/former', async () => {
      asked += 1;
      return isNamed;
    });
  t.same(await decide(), { result: 'retained', delay: 300_000, isNewlyNamed: false });
  now = 299_999;
  t.same(await decide(), { result: 'retained', delay: 1, isNewlyNamed: false }, 'webhooks may still give its name to new pods');
  t.equal(asked, 0, 'so pods are not examined yet');
  now = 300_000;
  t.match(await decide(), { result: 'retained', isNewlyNamed: true });
  now += 299_999;
  t.match(await decide(), { result: 'retained', isNewlyNamed: false });
  t.equal(asked, 1, 'a plan does not list pods again');
  isNamed = false;
  now += 600_000;
  t.same(await decide(), { result: 'released' });
  retention.forget('shop/former');
  t.match(await decide(), { result: 'retained', delay: 300_000 }, 'wanted and not wanted again: the time begins anew');
});

test('labels and annotations of the policy', async (t) => {
  const namespaces = [namespace('shop', 'enabled')];
  const copyAnnotations = { 'argocd.argoproj.io/sync-options': 'Prune=false', long: 'x'.repeat(999) };
  const policy = policyOf({ mirror: { ...mirror, copyLabels: { team: 'a' }, copyAnnotations } });
  const created = plan({ policy, content: () => fresh, namespaces, copies: [] }).get('shop/regcred');
  if (created?.verb !== 'create') throw new Error('nothing is created');
  const secret = secretOf(created.desired, owner);
  t.match(secret.metadata, { labels: { team: 'a' }, annotations: { 'argocd.argoproj.io/sync-options': 'Prune=false' } });
  const fields = { 'f:metadata': { 'f:labels': { '.': {}, 'f:team': {} }, 'f:annotations': { 'f:long': {} } } };
  const managedFields = [
    { manager: 'transship-controller', fieldsV1: fields },
    { manager: 'kubectl-edit', time: new Date(5), fieldsV1: fields },
  ];
  const present = seenSecret({ ...secret, metadata: { ...(secret.metadata as object), managedFields } });
  t.equal(present.lastWriter, 'kubectl-edit');
  t.same([...plan({ policy, content: () => fresh, namespaces, copies: [present] })], [], 'nothing to do');
  const removed = plan({ policy: policyOf({ mirror }), content: () => fresh, namespaces, copies: [present] }).get('shop/regcred');
  if (removed?.verb !== 'update') throw new Error('they are not removed');
  t.match(patchOf(removed.desired, owner, removed.present), { metadata: { labels: { team: null }, annotations: { long: null } } });
  t.notOk(
    JSON.stringify(patchOf(removed.desired, owner, removed.present)).includes('sync-options'),
    'only what is known to be ours is removed',
  );
});

test('label selectors, as Kubernetes evaluates them', async (t) => {
  const rows: [selector: LabelSelector, matching: Record<string, string>[], others: Record<string, string>[]][] = [
    [{ matchLabels: { team: 'a', tier: 'x' } }, [{ team: 'a', tier: 'x', more: '' }], [{ team: 'a' }, { team: 'b', tier: 'x' }, {}]],
    [{ matchExpressions: [{ key: 'team', operator: 'In', values: ['a', 'b'] }] }, [{ team: 'b' }], [{ team: 'c' }, {}]],
    [{ matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['a'] }] }, [{ team: 'b' }, {}], [{ team: 'a' }]],
    [{ matchExpressions: [{ key: 'team', operator: 'Exists' }] }, [{ team: '' }], [{ tea: 'a' }]],
    [{ matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] }, [{}], [{ team: '' }]],
    [{ matchLabels: { team: 'a' }, matchExpressions: [{ key: 'x', operator: 'DoesNotExist' }] }, [{ team: 'a' }], [{ team: 'a', x: '' }]],
    [{ matchExpressions: [{ key: '__proto__', operator: 'Exists' }] }, [], [{}]],
  ];
  for (const [selector, matching, others] of rows) {
    for (const labels of matching) t.ok(matchesSelector(selector, labels), `${JSON.stringify(selector)} ${JSON.stringify(labels)}`);
    for (const labels of others) t.notOk(matchesSelector(selector, labels), `${JSON.stringify(selector)} ${JSON.stringify(labels)}`);
  }
  const selected = { name: 'team-b', labels: { team: 'b' }, isTerminating: false };
  const namespaceSelector = { matchLabels: { team: 'b' } };
  t.ok(isTarget(selected, { namespaceSelector }, scope), 'whether it is opted in or not');
  t.ok(isTarget(selected, { namespaceSelector, namespaces: ['other'] }, scope), 'either is enough');
  t.ok(isTarget(namespace('other'), { namespaceSelector, namespaces: ['other'] }, scope));
  t.notOk(isTarget(namespace('team-b', 'enabled'), { namespaceSelector }, scope), 'opting in does not widen it');
});

test('a provider is named as the source', async (t) => {
  const policy = policyOf({ mirror: { ...mirror, credentials: { provider: 'ecr', region: 'eu-west-1' } } });
  const desired = desiredCopies({ policy, content: () => fresh }, [namespace('shop', 'enabled')], scope);
  t.equal(desired.get('shop/regcred')?.source, 'ecr');
});

test('namespaces that get the secrets of a registry', async (t) => {
  const rows: [name: string, rewrite: string | undefined, namespaces: string[] | undefined, optIn: boolean, optOut: boolean][] = [
    ['shop', 'enabled', undefined, true, true],
    ['shop', 'shadow', undefined, true, true],
    ['shop', 'disabled', undefined, false, false],
    ['shop', undefined, undefined, false, true],
    ['shop', 'yes', undefined, false, true],
    ['shop', 'of-another-release', undefined, false, false],
    ['left-out', 'enabled', undefined, false, false],
    ['kube-system', 'enabled', undefined, false, false],
    ['release', 'enabled', undefined, false, false],
    ['shop', undefined, ['team-*'], false, false],
    ['team-a', undefined, ['team-*'], true, true],
    ['team-a', 'disabled', ['team-*'], true, true],
    ['xteam-a', 'enabled', ['team-*'], false, false],
    ['kube-system', undefined, ['*'], true, true],
    ['kube-node-lease', undefined, ['*'], false, false],
    ['release', undefined, ['*'], true, true],
  ];
  for (const [name, rewrite, namespaces, optIn, optOut] of rows) {
    const what = `${name} ${rewrite ?? ''} ${namespaces?.join() ?? ''}`;
    t.equal(isTarget(namespace(name, rewrite), { namespaces }, scope), optIn, `OptIn: ${what}`);
    t.equal(isTarget(namespace(name, rewrite), { namespaces }, { ...scope, optIn: 'OptOut' }), optOut, `OptOut: ${what}`);
  }
});

test('labels that any name of a registry gives', async (t) => {
  t.equal(labelValue('mirror'), 'mirror');
  t.equal(ownerOf({ namespace: 'release', leaseName: 'transship-controller' }), owner);
});

holds(
  'a label is valid whatever the name is',
  fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) =>
    /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(labelValue(text)),
  ),
);
holds(
  'two names have two labels',
  fc.property(fc.string(), fc.string(), (a, b) => a === b || labelValue(a) !== labelValue(b)),
);

const names = fc.constantFrom('a', 'b', 'c', 'release', 'kube-system');
const secrets = fc.constantFrom('one', 'two', 'three');
const arbitraryNamespaces = fc.uniqueArray(
  fc.tuple(names, fc.constantFrom('enabled', 'shadow', 'disabled', undefined), fc.boolean()).map((parts) => namespace(...parts)),
  { selector: ({ name }) => name },
);
const arbitraryPolicy = fc
  .uniqueArray(
    fc.record({ name: secrets, namespaces: fc.constantFrom(undefined, ['*'], ['a', 'b']), source: secrets, has: fc.boolean() }),
    {
      selector: ({ name }) => name,
    },
  )
  .map((entries) => ({
    policy: policyOf(
      Object.fromEntries(
        entries.map(({ name, namespaces, source }) => [
          `registry-${name}`,
          { host: 'reg.example.com', pullSecrets: [name], credentials: { secret: source }, ...(namespaces && { namespaces }) },
        ]),
      ),
    ),
    content: (registry: string) => (entries.find(({ name, has }) => has && registry === `registry-${name}`) ? fresh : null),
  }));
/** Everything that is in the model: ours, and those of others under the same names. */
const arbitrarySecrets = fc.uniqueArray(
  fc.record({
    at: fc.tuple(names, secrets).map((parts) => parts.join('/')),
    ours: fc.boolean(),
    named: fc.constantFrom('itself', 'itself', null, 'a/other'),
    content: fc.constantFrom(old, fresh),
    type: fc.constantFrom('kubernetes.io/dockerconfigjson', 'Opaque'),
    immutable: fc.boolean(),
  }),
  { selector: ({ at }) => at },
);

holds(
  'carried out, a plan leaves nothing to do but what is refused, and touches nothing of others',
  fc.property(
    arbitraryNamespaces,
    arbitraryPolicy,
    arbitrarySecrets,
    fc.constantFrom('OptIn', 'OptOut'),
    (namespaces, { policy, content }, existing, optIn) => {
      const ours = new Map(
        existing
          .filter((secret) => secret.ours)
          .map(({ at, content: held, type, immutable, named }) => [
            at,
            copy(at, held, { type, immutable, named: named === 'itself' ? at : named }),
          ]),
      );
      const foreign = new Set(existing.filter((secret) => !secret.ours).map(({ at }) => at));
      const next = () => plan({ policy, content, namespaces, copies: [...ours.values()] }, { ...scope, optIn });
      const left = new Set(
        [...ours].flatMap(([key, { metadata }]) => (metadata?.annotations?.['transship.dev/copy'] === key ? [] : [key])),
      );
      // A Secret whose type is wrong goes in the first round, and is made anew in the second.
      for (let round = 0; round < 2; round++) {
        for (const [key, step] of next()) {
          ok(step.verb === 'create' || ours.has(key), `${step.verb} of ${key}, which is not ours`);
          ok(step.verb !== 'create' || !ours.has(key), `${key} is there and created again`);
          ok(step.verb !== 'release' || !left.has(key), `${key} names another Secret and is deleted`);
          if (step.verb === 'release' || step.verb === 'replace') ours.delete(key);
          else if (step.verb === 'update') ours.set(key, patched(step.present, step.desired));
          // The API server refuses to create what is there.
          else if (step.verb === 'create' && !foreign.has(key)) ours.set(key, seenSecret(secretOf(step.desired, owner)));
        }
      }
      const rest = [...next()].filter(([key, { verb }]) => verb !== 'leave' && !(verb === 'create' && foreign.has(key)));
      deepEqual(rest, []);
    },
  ),
  { numRuns: 500 },
);
