/** What `doctor` reads of the controller's copies: which are wanted, and the state of each. Without a cluster. */
import type { V1Namespace, V1Secret } from '@kubernetes/client-node';
import t from 'tap';
import { readCopies } from '../../src/inspect/doctor/copies.ts';
import { policyOf } from '../../src/inspect/policy.ts';
import type { ClusterView } from '../../src/inspect/view.ts';
import { policyText, release } from './facts.ts';

const namespace = (name: string, labels: Record<string, string> = {}, phase = 'Active'): V1Namespace => ({
  metadata: { name, labels, creationTimestamp: new Date('2026-01-01') },
  status: { phase },
});
const shop = namespace('shop', { 'transship.dev/rewrite': 'enabled' });
const config = (password: string, more = ''): string =>
  Buffer.from(`{"auths":{"mirror.example.com":{"username":"a","password":"${password}"}}}${more}`).toString('base64');
interface More {
  readonly type?: string;
  readonly namespace?: string;
  readonly annotations?: Record<string, string>;
}
const secret = (name: string, encoded: string, { type = 'kubernetes.io/dockerconfigjson', ...metadata }: More = {}): V1Secret => ({
  metadata: { name, ...metadata },
  type,
  data: { '.dockerconfigjson': encoded },
});
const isCopy = { 'transship.dev/copy': 'shop/mirror-pull' };
const policy = (registry: string): string => policyText.replace(/^registries: .*$/m, `registries: { mirror: { ${registry} } }`);
const copied = policy('host: mirror.example.com, pullSecrets: [mirror-pull], credentials: { secret: source }');

interface Objects {
  /** By `namespace/name`; null for one that may not be read. */
  readonly secrets?: Readonly<Record<string, V1Secret | null>>;
  readonly copies?: readonly V1Secret[] | null;
  readonly events?: readonly object[] | null;
}

function viewOf({ secrets = {}, copies = [], events = [] }: Objects): ClusterView {
  const view: Pick<ClusterView, 'get' | 'list'> = {
    get: async <T extends object>(path: string) => {
      const [, of, name] = /namespaces\/([^/]+)\/secrets\/([^/]+)$/.exec(path) ?? [];
      return secrets[`${of}/${name}`] as T | null | undefined;
    },
    list: async <T>(path: string) => (path.endsWith('/events') ? events : copies) as readonly T[] | null,
  };
  return view as ClusterView;
}

const source = { 'images/source': secret('source', config('right')) };
const copyOf = (encoded: string, annotations = isCopy): V1Secret => secret('mirror-pull', encoded, { annotations, namespace: 'shop' });

const rows: readonly (readonly [says: string, objects: Objects, ...states: string[]])[] = [
  ['no Secret of the name', { secrets: source }, 'absent'],
  ['a copy', { secrets: source, copies: [copyOf(config('right'))] }, 'current'],
  ['a copy of an older content', { secrets: source, copies: [copyOf(config('old'))] }, 'stale'],
  ['a Secret of somebody else', { secrets: { ...source, 'shop/mirror-pull': secret('mirror-pull', config('other')) } }, 'foreign'],
  [
    'a Secret of somebody else that says the same in other words',
    { secrets: { ...source, 'shop/mirror-pull': secret('mirror-pull', config('right', ' ')) } },
    'equivalent',
  ],
  [
    'a Secret from which a kubelet reads nothing',
    { secrets: { ...source, 'shop/mirror-pull': secret('mirror-pull', config('right'), { type: 'Opaque' }) } },
    'foreign',
  ],
  [
    'a copy of the copy of another namespace',
    { secrets: source, copies: [copyOf(config('old'), { 'transship.dev/copy': 'other/mirror-pull' })] },
    'foreign',
  ],
];

for (const [says, objects, ...states] of rows)
  t.test(says, async (tt) => {
    const { wanted } = await readCopies(viewOf(objects), release, policyOf({ ...release, policy: { ...release.policy!, text: copied } }), [
      shop,
    ]);
    tt.strictSame(
      wanted?.map(({ state }) => state),
      states,
    );
  });

const namespaces = [shop, namespace('pay', { team: 'pay' }), namespace('gone', { 'transship.dev/rewrite': 'enabled' }, 'Terminating')];
const targets: readonly (readonly [says: string, registry: string, ...expected: string[]])[] = [
  ['the namespaces that are opted in', 'credentials: { secret: source }', 'shop'],
  ['those that the registry names', 'credentials: { secret: source }, namespaces: [p*]', 'pay'],
  ['those that the registry selects', 'credentials: { secret: source }, namespaceSelector: { matchLabels: { team: pay } }', 'pay'],
  ['none without credentials', 'pullPolicy: keep'],
];
for (const [says, registry, ...expected] of targets)
  t.test(`copies are wanted in ${says}`, async (tt) => {
    const text = policy(`host: mirror.example.com, pullSecrets: [mirror-pull]${registry.startsWith('credentials') ? `, ${registry}` : ''}`);
    const found = await readCopies(
      viewOf({ secrets: source }),
      release,
      policyOf({ ...release, policy: { ...release.policy!, text } }),
      namespaces,
    );
    tt.strictSame(
      found.wanted?.map((each) => each.namespace),
      expected,
    );
  });

t.test('what may not be read is null, and a source that cannot be copied says why', async (tt) => {
  const loaded = policyOf({ ...release, policy: { ...release.policy!, text: copied } });
  const read = (objects: Objects) => readCopies(viewOf(objects), release, loaded, [shop]);
  tt.match(await read({ secrets: source, copies: null }), { wanted: null });
  tt.match(await read({ secrets: { 'images/source': null } }), { wanted: null, sources: null });
  tt.match(await read({ secrets: { ...source, 'shop/mirror-pull': null } }), { wanted: null });
  tt.match(await read({ secrets: source, events: null }), { events: null, sources: [{ problem: null }] });
  tt.match(await read({}), { sources: [{ problem: 'Secret images/source does not exist' }] });
  const unusable = secret('source', config('right'), { type: 'Opaque' });
  tt.match(await read({ secrets: { 'images/source': unusable } }), { sources: [{ problem: /source/ }] });
  tt.match(await readCopies(viewOf({ secrets: source }), release, loaded, null), { wanted: null });
  const events = [{ reason: 'CopyDisputed', note: 'a' }, { reason: 'Scheduled' }];
  tt.match((await read({ secrets: source, events })).events, [{ note: 'a' }]);
  tt.strictSame(await readCopies(viewOf({}), release, null, [shop]), { wanted: [], sources: [], events: [] });
});
