import * as fc from '../../random/fast-check.ts';
import { test } from 'tap';
import { referenceOf } from '../../../src/image/reference.ts';
import { transforms } from '../../../src/policy/transform/transforms.ts';
import { becomes, decider, type PolicyInput, type RuleInput } from '../../rules/policy.ts';

const digest = `sha256:${'0a'.repeat(32)}`;
const other = `sha256:${'1b'.repeat(32)}`;

/** One rule, and what it makes of images. `refused` with a part of the reason where it makes nothing. */
interface Transformation {
  readonly title: string;
  readonly images?: RuleInput['match']['images'];
  readonly rewrite: NonNullable<RuleInput['rewrite']>;
  readonly rows: readonly (readonly [image: string, result: string | { readonly refused: string }])[];
}

const registries: PolicyInput['registries'] = {
  mirror: { host: 'mirror.example:5000' },
  harbor: { host: 'harbor.example.com/cache' },
  proxy: { host: 'proxy.replicated.com' },
};

const namesKept: Transformation[] = [
  {
    title: 'path: another host, the same path',
    rewrite: { registry: 'mirror', as: 'path' },
    rows: [
      ['quay.io/acme/app:1', 'mirror.example:5000/acme/app:1'],
      ['nginx', 'mirror.example:5000/library/nginx'],
      ['nginx:1.27', 'mirror.example:5000/library/nginx:1.27'],
      ['docker.io/nginx:1.27', 'mirror.example:5000/library/nginx:1.27'],
      ['index.docker.io/library/nginx', 'mirror.example:5000/library/nginx'],
      [`nginx@${digest}`, `mirror.example:5000/library/nginx@${digest}`],
      [`nginx:1.27@${digest}`, `mirror.example:5000/library/nginx:1.27@${digest}`],
      ['localhost:5000/x:2', 'mirror.example:5000/x:2'],
      ['[::1]:5000/x', 'mirror.example:5000/x'],
      ['Quay.IO/acme/app', 'mirror.example:5000/acme/app'],
    ],
  },
  {
    title: 'path below a prefix and a registry with a path',
    rewrite: { registry: 'harbor', as: 'path', prefix: 'team/hub' },
    rows: [
      ['nginx:1', 'harbor.example.com/cache/team/hub/library/nginx:1'],
      ['quay.io/a/b/c', 'harbor.example.com/cache/team/hub/a/b/c'],
    ],
  },
  {
    title: 'path as written, as DevSpace does: two spellings of one image stay two',
    rewrite: { registry: 'mirror', as: 'path', spelling: 'written' },
    rows: [
      ['nginx:1', 'mirror.example:5000/nginx:1'],
      ['docker.io/nginx:1', 'mirror.example:5000/nginx:1'],
      ['library/nginx:1', 'mirror.example:5000/library/nginx:1'],
      ['docker.io/library/nginx:1', 'mirror.example:5000/library/nginx:1'],
      ['quay.io/acme/app', 'mirror.example:5000/acme/app'],
    ],
  },
  {
    title: 'fullName: the host becomes part of the path',
    rewrite: { registry: 'proxy', as: 'fullName', prefix: 'proxy/my-app' },
    rows: [
      ['quay.io/acme/app:1', 'proxy.replicated.com/proxy/my-app/quay.io/acme/app:1'],
      ['nginx:1.27', 'proxy.replicated.com/proxy/my-app/docker.io/library/nginx:1.27'],
      ['index.docker.io/nginx', 'proxy.replicated.com/proxy/my-app/docker.io/library/nginx'],
      ['Quay.IO/acme/app', 'proxy.replicated.com/proxy/my-app/quay.io/acme/app'],
      [`ghcr.io/acme/app:1@${digest}`, `proxy.replicated.com/proxy/my-app/ghcr.io/acme/app:1@${digest}`],
      ['localhost/app', 'proxy.replicated.com/proxy/my-app/localhost/app'],
      [
        'registry:5000/image',
        { refused: 'the source host registry:5000 has a port, which cannot be inside a path; use as: path with a prefix' },
      ],
      ['[::1]/image', { refused: 'the source host [::1] is an IPv6 address' }],
    ],
  },
  {
    title: 'fullName as written, as Replicated does',
    rewrite: { registry: 'proxy', as: 'fullName', prefix: 'proxy/my-app', spelling: 'written' },
    rows: [
      ['redis', 'proxy.replicated.com/proxy/my-app/redis'],
      ['library/redis', 'proxy.replicated.com/proxy/my-app/library/redis'],
      ['docker.io/redis', 'proxy.replicated.com/proxy/my-app/docker.io/redis'],
      ['index.docker.io/library/redis:7', 'proxy.replicated.com/proxy/my-app/index.docker.io/library/redis:7'],
      [`quay.io/acme/app@${digest}`, `proxy.replicated.com/proxy/my-app/quay.io/acme/app@${digest}`],
    ],
  },
];

const namesShortened: Transformation[] = [
  {
    title: 'flatten: only the last component, as KOTS and dropImageRepo do',
    rewrite: { registry: 'mirror', as: 'flatten', prefix: 'somebigbank' },
    rows: [
      ['quay.io/someorg/debian:0.1', 'mirror.example:5000/somebigbank/debian:0.1'],
      ['nginx', 'mirror.example:5000/somebigbank/nginx'],
      ['docker.io/library/redis:6.2', 'mirror.example:5000/somebigbank/redis:6.2'],
      [`quay.io/a/b/c:1@${digest}`, `mirror.example:5000/somebigbank/c:1@${digest}`],
    ],
  },
  {
    title: 'escape: the familiar name as one component, as default_registry does',
    rewrite: { registry: 'mirror', as: 'escape' },
    rows: [
      ['docker.io/alpine', 'mirror.example:5000/alpine'],
      ['library/alpine:3', 'mirror.example:5000/alpine:3'],
      ['bitnami/redis', 'mirror.example:5000/bitnami_redis'],
      ['gcr.io/foo/bar:1', 'mirror.example:5000/gcr.io_foo_bar:1'],
      ['localhost:1234/foo/bar', 'mirror.example:5000/localhost_1234_foo_bar'],
      ['Quay.IO/acme/app', 'mirror.example:5000/quay.io_acme_app'],
      [`quay.io/acme/app:1@${digest}`, `mirror.example:5000/quay.io_acme_app:1@${digest}`],
      [`quay.io/${'a'.repeat(240)}/${'b'.repeat(10)}`, { refused: '255' }],
    ],
  },
  {
    title: 'singleRepository: told apart by tag, as single_name does',
    rewrite: { registry: 'mirror', as: 'singleRepository', repository: 'dev/all', prefix: 'x' },
    rows: [
      ['quay.io/acme/app:1', 'mirror.example:5000/x/dev/all:app-1'],
      ['nginx', 'mirror.example:5000/x/dev/all:nginx-latest'],
      ['nginx:1.27', 'mirror.example:5000/x/dev/all:nginx-1.27'],
      [`nginx@${digest}`, `mirror.example:5000/x/dev/all@${digest}`],
      [`nginx:1.27@${digest}`, `mirror.example:5000/x/dev/all:nginx-1.27@${digest}`],
      [`nginx:${'t'.repeat(122)}`, `mirror.example:5000/x/dev/all:nginx-${'t'.repeat(122)}`],
      [`nginx:${'t'.repeat(123)}`, { refused: '129 characters' }],
    ],
  },
];

const namesMapped: Transformation[] = [
  {
    title: 'remainder: what follows the matched pattern, as a prefix map does',
    images: ['quay.io/devtron', 'public.ecr.aws/docker/library', 'ghcr.io', { regex: '^gcr\\.io/[a-z]+-prod/' }],
    rewrite: { registry: 'harbor', as: 'remainder', prefix: 'devtron' },
    rows: [
      ['quay.io/devtron/dashboard:1', 'harbor.example.com/cache/devtron/dashboard:1'],
      ['public.ecr.aws/docker/library/redis:7', 'harbor.example.com/cache/devtron/redis:7'],
      ['ghcr.io/a/b:1', 'harbor.example.com/cache/devtron/a/b:1'],
      [`gcr.io/shop-prod/app@${digest}`, `harbor.example.com/cache/devtron/app@${digest}`],
      ['quay.io/devtron:1', 'harbor.example.com/cache/devtron:1'],
    ],
  },
  {
    title: 'remainder of the pattern itself needs a path to end at',
    images: ['quay.io/devtron'],
    rewrite: { registry: 'mirror', as: 'remainder' },
    rows: [
      ['quay.io/devtron/dashboard', 'mirror.example:5000/dashboard'],
      ['quay.io/devtron:1', { refused: 'nothing follows the matched pattern' }],
    ],
  },
  {
    title: 'image: exactly one image, as an EKCO override',
    images: ['docker.io/library/registry:2.8', 'quay.io/acme'],
    rewrite: { as: 'image', image: 'reg.example.com/registry:2.9' },
    rows: [
      ['registry:2.8', 'reg.example.com/registry:2.9'],
      ['quay.io/acme/app', 'reg.example.com/registry:2.9'],
      ['reg.example.com/registry:2.8', 'reg.example.com/registry:2.8'],
    ],
  },
  {
    title: 'image without tag and digest: those of the pod',
    rewrite: { as: 'image', image: 'reg.example.com/app' },
    rows: [
      ['quay.io/acme/app', 'reg.example.com/app'],
      ['quay.io/acme/app:1', 'reg.example.com/app:1'],
      [`quay.io/acme/app:1@${digest}`, `reg.example.com/app:1@${digest}`],
    ],
  },
  {
    title: 'template: a whole reference from captures',
    images: [{ regex: '^docker\\.io/library/(?P<name>[^:@]+)' }],
    rewrite: { as: 'template', template: 'reg.example.com/hub/$1' },
    rows: [
      ['nginx', 'reg.example.com/hub/nginx'],
      ['nginx:1.27', 'reg.example.com/hub/nginx:1.27'],
      [`nginx:1.27@${digest}`, `reg.example.com/hub/nginx:1.27@${digest}`],
    ],
  },
  {
    title: 'template by name, with its own tag',
    images: [{ regex: '^docker\\.io/library/(?P<name>[^:@]+)' }],
    rewrite: { as: 'template', template: 'reg.example.com/${name}-${1}:stable' },
    rows: [
      ['nginx:1.27', 'reg.example.com/nginx-nginx:stable'],
      [`nginx@${digest}`, `reg.example.com/nginx-nginx:stable@${digest}`],
    ],
  },
  {
    title: 'template with the whole rest of the reference',
    images: [{ regex: '^docker\\.io/(.*)$' }],
    rewrite: { as: 'template', template: 'reg.example.com/$1' },
    rows: [
      ['nginx:1.27', 'reg.example.com/library/nginx:1.27'],
      [`bitnami/redis:7@${digest}`, `reg.example.com/bitnami/redis:7@${digest}`],
    ],
  },
  {
    title: 'template that would change the digest, or makes no reference',
    images: [{ regex: '^quay\\.io/(pinned|Upper|up)' }],
    rewrite: { as: 'template', template: `reg.example.com/app@${other}` },
    rows: [
      [`quay.io/pinned/app@${digest}`, { refused: 'changes the digest' }],
      // The tag was lost where the template had the digest already.
      [`quay.io/pinned/app:1@${other}`, `reg.example.com/app:1@${other}`],
      ['quay.io/up', `reg.example.com/app@${other}`],
    ],
  },
  {
    title: 'template: two dollars are one, and one in a name is no reference',
    images: [{ regex: '^quay\\.io/' }],
    rewrite: { as: 'template', template: 'reg.example.com/a$$b' },
    rows: [['quay.io/app', { refused: '"reg.example.com/a$b" is not an image reference' }]],
  },
];

for (const { title, images = ['*'], rewrite, rows } of [...namesKept, ...namesShortened, ...namesMapped]) {
  test(title, (t) => {
    const decide = decider({ registries, rules: [{ name: 'only', match: { images }, rewrite }] });
    for (const [image, expected] of rows) {
      const decision = decide(image);
      if (typeof expected === 'string') t.equal(becomes(decision), expected, image);
      else t.match(decision, { outcome: 'refused', rule: 'only', result: null, reason: expected.refused }, image);
    }
    t.end();
  });
}

const repository = fc
  .tuple(fc.constantFrom('quay.io', 'docker.io'), fc.array(fc.constantFrom('a', 'b', 'a_b', 'app'), { minLength: 1, maxLength: 3 }))
  .map(([host, path]) => `${host}/${path.join('/')}`);

for (const record of transforms) {
  if (record.writesTo !== 'registry') continue;
  const rewrite = { registry: 'mirror', as: record.as, ...(record.as === 'singleRepository' ? { repository: 'all' } : {}) };
  const decide = decider({ registries, rules: [{ match: { images: ['quay.io', 'docker.io'] }, rewrite }] });
  const meet = ([one, two]: readonly [string, string]): boolean => {
    const [a, b] = [decide(one), decide(two)];
    const [first, second] = [referenceOf(one), referenceOf(two)];
    return first?.host === second?.host && first?.name !== second?.name && a.result === b.result;
  };
  test(`${record.as} ${record.isLossy ? 'gives two repositories of a host' : 'never gives two repositories of a host'} one name`, (t) => {
    const pairs = fc.tuple(repository, repository);
    const run = fc.check(
      fc.property(pairs, (pair) => !meet(pair)),
      { numRuns: 3000 },
    );
    t.equal(run.failed, record.isLossy, String(run.counterexample));
    t.end();
  });
}
