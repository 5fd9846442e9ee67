/** The replication plan: each situation as a row, and properties over random clusters, carried out on a model of the API server. */
import { deepEqual, ok } from 'node:assert/strict';

import * as fc from 'fast-check';
import { test } from 'tap';

import { policySchema } from '../../../src/config/schema.ts';
import { contentOf, secretOf, withoutContent, type Content, type SecretObject } from '../../../src/controller/secrets/copy.ts';
import { labelValue, ownerOf } from '../../../src/controller/labels.ts';
import { planReplication, type ReplicationState, type ReplicationStep } from '../../../src/controller/secrets/replication-plan.ts';
import { isTarget, type TargetNamespace, type TargetScope } from '../../../src/controller/secrets/target-namespaces.ts';
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
const namespace = (name: string, rewrite?: string, isTerminating = false): TargetNamespace => ({ name, rewrite, isTerminating });

/** A copy as the watch keeps it. */
function copy(at: string, content: Content, more: Partial<SecretObject> & { deleting?: boolean; source?: string } = {}): SecretObject {
  const [inNamespace = '', name = ''] = at.split('/');
  const { deleting = false, source = 'release/source', ...fields } = more;
  const secret = secretOf({ namespace: inNamespace, name, registry: 'mirror', source, content }, content, { owner });
  Object.assign(secret.metadata ?? {}, { uid: `uid-${at}`, resourceVersion: '7' }, deleting ? { deletionTimestamp: new Date(0) } : {});
  return { ...withoutContent(secret), ...fields };
}

test('situations', async (t) => {
  const shop = namespace('shop', 'enabled');
  const rows: [situation: string, state: Partial<ReplicationState>, steps: Record<string, ReplicationStep['verb']>][] = [
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
      { 'shop/regcred': 'delete' },
    ],
    [
      'an old immutable copy',
      { namespaces: [shop], copies: [copy('shop/regcred', old, { immutable: true })] },
      { 'shop/regcred': 'delete' },
    ],
    ['a good immutable copy', { namespaces: [shop], copies: [copy('shop/regcred', fresh, { immutable: true })] }, {}],
    ['a copy that is being deleted', { namespaces: [shop], copies: [copy('shop/regcred', old, { deleting: true })] }, {}],
    ['not opted in, a copy', { namespaces: [namespace('shop')], copies: [copy('shop/regcred', fresh)] }, { 'shop/regcred': 'delete' }],
    [
      'not opted in, a copy that is being deleted',
      { namespaces: [namespace('shop')], copies: [copy('shop/regcred', fresh, { deleting: true })] },
      {},
    ],
    [
      'a name that the policy does not have any more',
      { namespaces: [shop], copies: [copy('shop/regcred', fresh), copy('shop/former', fresh)] },
      { 'shop/former': 'delete' },
    ],
    ['a namespace that is being deleted', { namespaces: [namespace('shop', 'enabled', true)], copies: [copy('shop/regcred', old)] }, {}],
    ['a namespace that is not known', { namespaces: [], copies: [copy('shop/regcred', old)] }, {}],
    ['no content, no copy', { namespaces: [shop], content: () => null }, {}],
    ['no content, a copy', { namespaces: [shop], copies: [copy('shop/regcred', old)], content: () => null }, {}],
    [
      'no content, not opted in',
      { namespaces: [namespace('shop')], copies: [copy('shop/regcred', old)], content: () => null },
      { 'shop/regcred': 'delete' },
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
    const plan = planReplication({ policy: policyOf({ mirror }), content: () => fresh, namespaces: [], copies: [], ...state }, scope);
    t.same(Object.fromEntries([...plan.steps].map(([key, { verb }]) => [key, verb])), steps, situation);
  }
});

test('a provider is named as the source', async (t) => {
  const policy = policyOf({ mirror: { ...mirror, credentials: { provider: 'ecr', region: 'eu-west-1' } } });
  const { desired } = planReplication({ policy, content: () => fresh, namespaces: [namespace('shop', 'enabled')], copies: [] }, scope);
  t.equal(desired.get('shop/regcred')?.source, 'ecr');
});

test('who gets the secrets of a registry', async (t) => {
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
  fc.record({ name: names, rewrite: fc.constantFrom('enabled', 'shadow', 'disabled', undefined), isTerminating: fc.boolean() }),
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
        existing.filter((secret) => secret.ours).map(({ at, content: held, type, immutable }) => [at, copy(at, held, { type, immutable })]),
      );
      const foreign = new Set(existing.filter((secret) => !secret.ours).map(({ at }) => at));
      const plan = () => planReplication({ policy, content, namespaces, copies: [...ours.values()] }, { ...scope, optIn });
      // A Secret whose type is wrong goes in the first round, and is made anew in the second.
      for (let round = 0; round < 2; round++) {
        for (const [key, step] of plan().steps) {
          ok(step.verb === 'create' || ours.has(key), `${step.verb} of ${key}, which is not ours`);
          ok(step.verb !== 'create' || !ours.has(key), `${key} is there and created again`);
          if (step.verb === 'delete') ours.delete(key);
          // The API server refuses to create what is there.
          else if (!foreign.has(key)) ours.set(key, withoutContent(secretOf(step.desired, step.content, { owner })));
        }
      }
      const left = [...plan().steps].filter(([key, { verb }]) => !(verb === 'create' && foreign.has(key)));
      deepEqual(left, []);
    },
  ),
  { numRuns: 500 },
);
