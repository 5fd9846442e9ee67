import { test } from 'tap';
import type { ImageDecision, PodContext } from '../../src/rules/decision.ts';
import { decider, type PolicyInput, type RuleInput } from './policy.ts';

const digest = `sha256:${'0a'.repeat(32)}`;

interface Row {
  readonly image: string;
  readonly pod?: Partial<PodContext>;
  readonly is: { readonly [Key in keyof ImageDecision]?: ImageDecision[Key] | RegExp };
}

function fits(expected: unknown, actual: unknown): boolean {
  return expected instanceof RegExp && typeof actual === 'string' && expected.test(actual);
}

/** What the row asks about; an expression that fits stands for the text it fits. */
function shown(decision: ImageDecision, is: Row['is']): object {
  const keys = Object.keys(is) as (keyof ImageDecision)[];
  return Object.fromEntries(keys.map((key) => [key, fits(is[key], decision[key]) ? is[key] : decision[key]]));
}

function table(title: string, policy: PolicyInput, rows: readonly Row[], hosts: Readonly<Record<string, string>> = {}): void {
  test(title, (t) => {
    const decide = decider(policy, hosts);
    for (const { image, pod, is } of rows) t.strictSame(shown(decide(image, pod), is), is, `${image} ${JSON.stringify(pod ?? {})}`);
    t.end();
  });
}

const mirror = { mirror: { host: 'mirror.example' } };
const toMirror: RuleInput['rewrite'] = { registry: 'mirror', as: 'path' };

table(
  'images that are no references are left byte-identical',
  { registries: mirror, rules: [{ match: { images: ['*'] }, rewrite: toMirror }] },
  [
    {
      image: 'Not/An Image',
      is: { outcome: 'invalid', image: 'Not/An Image', result: null, rule: null, reason: /^not an image reference: / },
    },
    { image: '', is: { outcome: 'invalid', reason: /empty/ } },
    { image: ' nginx', is: { outcome: 'invalid', reason: /white space/ } },
  ],
);

table('an empty policy touches nothing', {}, [
  {
    image: 'nginx:1',
    is: { outcome: 'no-rule', rule: null, result: null, pullSecrets: [], reason: 'no rule matches it', pullPolicy: 'keep' },
  },
]);

table(
  'the first rule that matches decides',
  {
    registries: mirror,
    rules: [
      { name: 'special', match: { images: ['quay.io/acme/app'] }, rewrite: { ...toMirror, prefix: 'special' } },
      { name: 'all', match: { images: ['quay.io'] }, rewrite: toMirror },
      { match: { images: ['ghcr.io'] }, rewrite: toMirror },
    ],
  },
  [
    {
      image: 'quay.io/acme/app:1',
      is: {
        rule: 'special',
        result: 'mirror.example/special/acme/app:1',
        outcome: 'rewritten',
        reason: 'rule special matches quay.io/acme/app (path)',
      },
    },
    { image: 'quay.io/acme/apps:1', is: { rule: 'all', result: 'mirror.example/acme/apps:1' } },
    { image: 'ghcr.io/x/y', is: { rule: 'rule-3' } },
  ],
);

table(
  'exclusions of the policy win; those of a rule only make it pass',
  {
    registries: { mirror: { host: 'mirror.example' }, keep: { host: 'reg.example.com', pullSecrets: ['reg-secret'] } },
    exclude: { images: ['reg.example.com', 'docker.io/library/busybox', { regex: '^quay\\.io/never/' }, 'facade.example:*'] },
    rules: [
      {
        name: 'first',
        match: { images: ['quay.io', 'docker.io'], exclude: ['quay.io/acme/public', 'docker.io/library/*-slim', { regex: ':dev$' }] },
        rewrite: toMirror,
      },
      { name: 'second', match: { images: ['quay.io/acme'] }, rewrite: { ...toMirror, prefix: 'second' } },
      { name: 'third', match: { images: ['*'], exclude: ['quay.io', 'docker.io'] }, rewrite: { ...toMirror, prefix: 'third' } },
    ],
  },
  [
    {
      image: 'reg.example.com/app',
      is: { outcome: 'excluded', rule: null, pullSecrets: ['reg-secret'], reason: 'the policy excludes reg.example.com' },
    },
    { image: 'busybox:1', is: { outcome: 'excluded', reason: /docker.io\/library\/busybox/ } },
    { image: 'busyboxes:1', is: { outcome: 'rewritten', rule: 'first' } },
    { image: 'quay.io/never/x', is: { outcome: 'excluded' } },
    { image: 'facade.example:31750/remote/id', is: { outcome: 'excluded' } },
    { image: 'quay.io/acme/app', is: { rule: 'first' } },
    { image: 'quay.io/acme/public/x', is: { rule: 'second', result: 'mirror.example/second/acme/public/x' } },
    {
      image: 'python-slim',
      is: {
        outcome: 'no-rule',
        rule: null,
        reason: 'no rule matches it; rule first excludes docker.io/library/*-slim; rule third excludes docker.io',
      },
    },
    { image: 'app:dev', is: { outcome: 'no-rule', reason: /rule first excludes :dev\$/ } },
    { image: 'gcr.io/x/y', is: { rule: 'third' } },
  ],
);

table(
  'conditions on the namespace and on labels of the pod',
  {
    registries: mirror,
    rules: [
      { name: 'team', match: { images: ['*'], namespaces: ['team-*', 'shop'] }, rewrite: { ...toMirror, prefix: 'team' } },
      {
        name: 'labelled',
        match: { images: ['*'], podLabels: { app: 'web', 'app.kubernetes.io/part-of': 'shop' } },
        rewrite: { ...toMirror, prefix: 'labelled' },
      },
      {
        name: 'both',
        match: { images: ['*'], namespaces: ['*-prod'], podLabels: { app: 'web' } },
        rewrite: { ...toMirror, prefix: 'both' },
      },
    ],
  },
  [
    { image: 'nginx', pod: { namespace: 'team-a' }, is: { rule: 'team' } },
    { image: 'nginx', pod: { namespace: 'shop' }, is: { rule: 'team' } },
    { image: 'nginx', pod: { namespace: 'shop-2' }, is: { outcome: 'no-rule' } },
    { image: 'nginx', pod: { podLabels: { app: 'web', 'app.kubernetes.io/part-of': 'shop', more: 'x' } }, is: { rule: 'labelled' } },
    { image: 'nginx', pod: { podLabels: { app: 'web' } }, is: { outcome: 'no-rule' } },
    { image: 'nginx', pod: { podLabels: { app: 'web', 'app.kubernetes.io/part-of': 'shops' } }, is: { outcome: 'no-rule' } },
    { image: 'nginx', pod: { namespace: 'x-prod', podLabels: { app: 'web' } }, is: { rule: 'both' } },
    {
      image: 'nginx',
      pod: { namespace: 'x-prod' },
      // It said "no rule matches it", and hid that three rules name the image.
      is: {
        outcome: 'no-rule',
        code: 'conditions-not-met',
        reason:
          'no rule matches it; rule team names it, but not namespace x-prod; rule labelled names it, but the pod has no label app (wanted: web); rule both names it, but the pod has no label app (wanted: web)',
        nearMisses: [
          { rule: 'team', condition: 'namespaces', namespace: 'x-prod' },
          { rule: 'labelled', condition: 'podLabels', label: 'app', wanted: 'web', found: null },
          { rule: 'both', condition: 'podLabels', label: 'app', wanted: 'web', found: null },
        ],
      },
    },
    {
      image: 'nginx',
      pod: { podLabels: { app: 'shop' } },
      is: { code: 'conditions-not-met', reason: /rule labelled names it, but the pod's label app is shop \(wanted: web\)/ },
    },
    {
      image: 'nginx',
      pod: { podLabels: { app: 'web', 'app.kubernetes.io/part-of': 'shop' } },
      is: { code: 'rule-matched', nearMisses: [{ rule: 'team', condition: 'namespaces', namespace: 'default' }] },
    },
  ],
);

table(
  'near misses are bounded: a policy may have a rule for each of a thousand namespaces',
  {
    registries: mirror,
    rules: Array.from({ length: 1000 }, (_, index) => ({
      name: `team-${index}`,
      match: { images: ['docker.io', 'docker.io/library/nginx'], namespaces: [`team-${index}`] },
      rewrite: toMirror,
    })),
  },
  [
    {
      image: 'nginx',
      is: {
        reason:
          'no rule matches it; rule team-0 names it, but not namespace default; rule team-1 names it, but not namespace default; rule team-2 names it, but not namespace default; and so do others',
      },
    },
    { image: 'quay.io/a', is: { code: 'no-rule-matches', reason: 'no rule matches it', nearMisses: [] } },
  ],
);

table(
  'a label that every object inherits is no label of the pod',
  { registries: mirror, rules: [{ name: 'odd', match: { images: ['*'], podLabels: { toString: 'x' } }, rewrite: toMirror }] },
  [
    { image: 'nginx', is: { outcome: 'no-rule' } },
    { image: 'nginx', pod: { podLabels: { toString: 'x' } }, is: { rule: 'odd' } },
  ],
);

const withSecrets: PolicyInput = {
  registries: {
    proxy: { host: 'proxy.example', pullSecrets: ['proxy-secret', 'shared'] },
    team: { host: 'proxy.example/team', pullSecrets: ['team-secret', 'shared'] },
    direct: { host: 'direct.example:5000', pullSecrets: ['direct-secret'] },
    open: { host: 'open.example' },
  },
  exclude: { images: ['direct.example:5000/never'] },
  rules: [
    { name: 'team', match: { images: ['quay.io/team'] }, rewrite: { registry: 'team', as: 'path' }, pullSecrets: ['extra', 'shared'] },
    { name: 'proxy', match: { images: ['quay.io'] }, rewrite: { registry: 'proxy', as: 'path' } },
    { name: 'open', match: { images: ['ghcr.io'] }, rewrite: { registry: 'open', as: 'path' } },
    { name: 'only-secrets', match: { images: ['docker.io', 'direct.example:5000/private'] }, pullSecrets: ['hub-secret'] },
    { name: 'override', match: { images: ['gcr.io/x'] }, rewrite: { as: 'image', image: 'elsewhere.example/x', registry: 'direct' } },
  ],
};

table('pull secrets follow the registry that the image finally points at', withSecrets, [
  { image: 'quay.io/acme/app', is: { result: 'proxy.example/acme/app', pullSecrets: ['proxy-secret', 'shared'] } },
  {
    image: 'quay.io/team/app',
    is: { result: 'proxy.example/team/team/app', pullSecrets: ['proxy-secret', 'shared', 'team-secret', 'extra'] },
  },
  { image: 'ghcr.io/a/b', is: { outcome: 'rewritten', pullSecrets: [] } },
  {
    image: 'proxy.example/acme/app',
    is: { outcome: 'already-there', rule: null, pullSecrets: ['proxy-secret', 'shared'], reason: 'it is already under proxy.example' },
  },
  { image: 'Proxy.Example/team/app', is: { outcome: 'already-there', pullSecrets: ['proxy-secret', 'shared', 'team-secret'] } },
  { image: 'direct.example:5000/x', is: { outcome: 'no-rule', pullSecrets: ['direct-secret'] } },
  { image: 'direct.example/x', is: { outcome: 'no-rule', pullSecrets: [] } },
  { image: 'direct.example:5000/never/x', is: { outcome: 'excluded', pullSecrets: ['direct-secret'] } },
  {
    image: 'nginx',
    is: {
      outcome: 'already-there',
      rule: 'only-secrets',
      result: null,
      pullSecrets: ['hub-secret'],
      reason: 'rule only-secrets only attaches pull secrets',
    },
  },
  {
    image: 'direct.example:5000/private/x',
    is: { outcome: 'already-there', rule: 'only-secrets', pullSecrets: ['direct-secret', 'hub-secret'] },
  },
  { image: 'gcr.io/x:1', is: { result: 'elsewhere.example/x:1', pullSecrets: ['direct-secret'] } },
]);

table(
  'what is under a target is already there, component by component',
  {
    registries: { prefixed: { host: 'gcr.io/foo' }, bare: { host: 'myreg.com' } },
    rules: [
      { name: 'prefixed', match: { images: ['quay.io', 'gcr.io'] }, rewrite: { registry: 'prefixed', as: 'path', prefix: 'bar' } },
      { name: 'bare', match: { images: ['*'], exclude: ['gcr.io'] }, rewrite: { registry: 'bare', as: 'fullName' } },
    ],
  },
  [
    { image: 'gcr.io/foo/bar/x:1', is: { outcome: 'already-there', reason: 'it is already under gcr.io/foo/bar' } },
    { image: 'gcr.io/foo/bar', is: { outcome: 'already-there' } },
    { image: 'gcr.io/foo/barber/x:1', is: { outcome: 'rewritten', result: 'gcr.io/foo/bar/foo/barber/x:1' } },
    { image: 'gcr.io/foobar/x:1', is: { outcome: 'rewritten', result: 'gcr.io/foo/bar/foobar/x:1' } },
    { image: 'myreg.com/x', is: { outcome: 'already-there' } },
    { image: 'MYREG.com/x', is: { outcome: 'already-there' } },
    { image: 'myreg.com.evil.io/x', is: { outcome: 'rewritten', result: 'myreg.com/myreg.com.evil.io/x' } },
    { image: 'myreg.community/x', is: { outcome: 'rewritten' } },
  ],
);

table(
  'an exact override is there at that tag only',
  {
    rules: [
      {
        name: 'pin',
        match: { images: ['reg.example/x', 'docker.io/library/x'] },
        rewrite: { as: 'image', image: `reg.example/x:2@${digest}` },
      },
    ],
  },
  [
    { image: 'x', is: { result: `reg.example/x:2@${digest}` } },
    { image: 'reg.example/x:1', is: { result: `reg.example/x:2@${digest}` } },
    { image: `reg.example/x:2@${digest}`, is: { outcome: 'already-there', rule: null } },
    { image: 'reg.example/x:2', is: { outcome: 'rewritten' } },
  ],
);

table(
  'a result that another rule would rewrite again is refused, with both rules named',
  {
    registries: { a: { host: 'a.example', pullSecrets: ['a-secret'] }, b: { host: 'b.example' } },
    rules: [
      {
        name: 'one',
        match: { images: [{ regex: '^docker\\.io/(.*)$' }] },
        rewrite: { as: 'template', template: 'c.example/$1', registry: 'a' },
      },
      { name: 'two', match: { images: ['c.example'] }, rewrite: { registry: 'b', as: 'path' } },
      {
        name: 'same',
        match: { images: [{ regex: '^d\\.example/(.*)$' }] },
        rewrite: { as: 'template', template: 'd.example/$1' },
        pullSecrets: ['d-secret'],
      },
    ],
  },
  [
    {
      image: 'nginx:1',
      is: {
        outcome: 'refused',
        rule: 'one',
        result: null,
        pullSecrets: [],
        reason: 'rule one would make c.example/library/nginx:1, but rule two would rewrite that again to b.example/library/nginx:1',
      },
    },
    { image: 'c.example/x', is: { outcome: 'rewritten', result: 'b.example/x' } },
    {
      image: 'd.example/x:1',
      is: { outcome: 'already-there', rule: 'same', result: null, pullSecrets: ['d-secret'], reason: 'rule same gives the same image' },
    },
  ],
);

table(
  'pull policy goes with what is rewritten',
  {
    registries: mirror,
    rules: [
      { name: 'present', match: { images: ['docker.io'] }, rewrite: toMirror, pullPolicy: 'IfNotPresent' },
      { name: 'derive', match: { images: ['quay.io'] }, rewrite: toMirror, pullPolicy: 'derive' },
      { name: 'always', match: { images: ['ghcr.io'] }, rewrite: toMirror, pullPolicy: 'Always' },
      { name: 'keep', match: { images: ['gcr.io'] }, rewrite: toMirror },
    ],
  },
  [
    { image: 'nginx', is: { pullPolicy: 'IfNotPresent' } },
    { image: 'quay.io/a/b', is: { pullPolicy: 'derive' } },
    { image: 'ghcr.io/a/b', is: { pullPolicy: 'Always' } },
    { image: 'gcr.io/a/b', is: { pullPolicy: 'keep' } },
    { image: 'mirror.example/a/b', is: { outcome: 'already-there', pullPolicy: 'keep' } },
  ],
);

const discovered: PolicyInput = {
  registries: {
    dev: { hostFrom: { localRegistryHosting: true }, pullSecrets: ['dev-secret'] },
    node: { host: 'localhost:30500', hostFrom: { service: { namespace: 'x', name: 'y', port: 5000 } } },
    hub: { host: 'docker.io', pullSecrets: ['hub-secret'] },
  },
  rules: [
    { name: 'dev', match: { images: ['docker.io'] }, rewrite: { registry: 'dev', as: 'path' } },
    { name: 'node', match: { images: ['quay.io'] }, rewrite: { registry: 'node', as: 'path' } },
  ],
};

table('a rule whose host is not resolved yet is refused with the reason, and the fallback is used where there is one', discovered, [
  {
    image: 'nginx',
    is: {
      outcome: 'refused',
      rule: 'dev',
      result: null,
      pullSecrets: ['hub-secret'],
      reason:
        'rule dev is not active yet: the host of registry dev is not resolved; give the registry a host: to use until then (on the command line: --resolved-hosts)',
    },
  },
  { image: 'quay.io/a/b:1', is: { outcome: 'rewritten', result: 'localhost:30500/a/b:1' } },
]);

table(
  'resolved hosts win over the fallback, and bring the secrets of their registry',
  discovered,
  [
    { image: 'nginx', is: { outcome: 'rewritten', result: 'localhost:5001/library/nginx', pullSecrets: ['dev-secret'] } },
    { image: 'quay.io/a/b:1', is: { result: 'localhost:31234/a/b:1' } },
    { image: 'localhost:30500/a/b', is: { outcome: 'no-rule' } },
  ],
  { dev: 'localhost:5001', node: 'localhost:31234', hub: 'ignored.example' },
);
