/**
 * Random policies and images over a small world of hosts and names, so that rules match, overlap, exclude and rewrite into
 * each other's sources often.
 */
import * as fc from '../random/fast-check.ts';
import type { PolicyInput, RuleInput } from './policy.ts';

const hosts = ['docker.io', 'quay.io', 'gcr.io', 'localhost:5000', 'mirror.example', 'proxy.example:8443'] as const;
const components = ['library', 'nginx', 'acme', 'app', 'team-a'] as const;
const tags = ['1', 'latest', '1.27-alpine', 'T'.repeat(127)] as const;
const digests = [`sha256:${'0a'.repeat(32)}`, `sha512:${'1b'.repeat(64)}`] as const;
const namespaces = ['default', 'team-a', 'kube-system'] as const;

const host = fc.constantFrom(...hosts);
const component = fc.constantFrom(...components);
const path = fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const suffix = fc
  .tuple(fc.constantFrom('', ...tags.map((tag) => `:${tag}`)), fc.constantFrom('', '', ...digests.map((digest) => `@${digest}`)))
  .map((parts) => parts.join(''));

/** Short, canonical and shouted spellings. */
export const image: fc.Arbitrary<string> = fc
  .tuple(
    fc.oneof(
      fc.constantFrom('', 'docker.io/', 'index.docker.io/', 'Quay.IO/'),
      host.map((name) => `${name}/`),
    ),
    path,
    suffix,
  )
  .map((parts) => parts.join(''));

const namePattern = fc.oneof(
  { weight: 1, arbitrary: fc.constant('*') },
  { weight: 3, arbitrary: fc.constantFrom(...hosts, 'localhost:*', '*.example', 'proxy.example:*') },
  { weight: 4, arbitrary: fc.tuple(host, path).map(([name, rest]) => `${name}/${rest}`) },
  { weight: 2, arbitrary: fc.tuple(host, component).map(([name, rest]) => `${name}/*/${rest}`) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(host, path, fc.constantFrom(...tags), fc.boolean())
      .map(([name, rest, tag, short]) => `${name}/acme/${rest}:${short ? '1' : tag}`),
  },
);

const expression = fc.oneof(
  fc.constantFrom(
    '^docker\\.io/library/(.*)$',
    '^quay\\.io/acme/([^:@]*)',
    'acme/(app|nginx)()',
    '^([^/]+)/(.*)$',
    '(^docker\\.io|^quay\\.io)/(.+)',
    '^gcr\\.io/([a-z-]+)',
  ),
  host.map((name) => `^${name.replaceAll('.', '\\.')}/(.*)$`),
);
export const pattern = fc.oneof({ weight: 4, arbitrary: namePattern }, { weight: 1, arbitrary: expression.map((regex) => ({ regex })) });

const registryName = fc.constantFrom('a', 'b', 'c');
const prefix = fc.option(fc.constantFrom('acme', 'proxy/my-app', 'library', 'team-a/nginx'), { nil: undefined });
const spelling = fc.constantFrom('canonical' as const, 'written' as const);
const secrets = fc.uniqueArray(fc.constantFrom('one', 'two', 'three'), { maxLength: 2 });

function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as T;
}

type Rewrite = NonNullable<RuleInput['rewrite']>;

const named: fc.Arbitrary<Rewrite> = fc.oneof(
  fc.record({ as: fc.constantFrom('path' as const, 'fullName' as const), registry: registryName, prefix, spelling }),
  fc.record({ as: fc.constantFrom('flatten' as const, 'escape' as const, 'remainder' as const), registry: registryName, prefix }),
  fc.record({
    as: fc.constant('singleRepository' as const),
    registry: registryName,
    prefix,
    repository: fc.constantFrom('all', 'dev/all'),
  }),
  fc.record({
    as: fc.constant('image' as const),
    image: fc.tuple(host, path, fc.constantFrom('', ':1')).map((parts) => `${parts[0]}/${parts[1]}${parts[2]}`),
    registry: fc.option(registryName, { nil: undefined }),
  }),
);

const template: fc.Arbitrary<Rewrite> = fc.record({
  as: fc.constant('template' as const),
  template: fc.oneof(
    fc.constantFrom('mirror.example/hub/$1', 'quay.io/acme/${1}', 'docker.io/$1', 'gcr.io/$1:1', 'mirror.example/$1-x', '$0'),
    host.map((name) => `${name}/$1`),
  ),
  registry: fc.option(registryName, { nil: undefined }),
});

type Alternative = NonNullable<RuleInput['alternatives']>[number];

function alternatives(targets: fc.Arbitrary<Rewrite>): fc.Arbitrary<Alternative[]> {
  const original = fc.constant({ as: 'original' as const });
  const target = fc.oneof({ weight: 4, arbitrary: targets.map(defined) }, { weight: 1, arbitrary: original });
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant<Alternative[]>([]) },
    { weight: 1, arbitrary: fc.array(target, { minLength: 1, maxLength: 3 }) },
  );
}

function conditions(images: fc.Arbitrary<NonNullable<RuleInput['match']['images']>>): fc.Arbitrary<RuleInput['match']> {
  return fc
    .record({
      images,
      exclude: fc.array(pattern, { maxLength: 1 }),
      namespaces: fc.option(fc.constantFrom<string[]>(['team-*'], ['default', 'kube-*']), { nil: undefined, freq: 4 }),
      podLabels: fc.option(fc.constant<Record<string, string>>({ app: 'shop' }), { nil: undefined, freq: 5 }),
    })
    .map(defined);
}

const rule: fc.Arbitrary<RuleInput> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      match: conditions(fc.array(pattern, { minLength: 1, maxLength: 3 })),
      rewrite: named.map(defined),
      alternatives: alternatives(named),
      pullSecrets: secrets,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      match: conditions(
        fc.array(
          expression.map((regex) => ({ regex })),
          { minLength: 1, maxLength: 2 },
        ),
      ),
      rewrite: template.map(defined),
      alternatives: alternatives(fc.oneof(template, named)),
      pullSecrets: secrets,
    }),
  },
  { weight: 1, arbitrary: fc.record({ match: conditions(fc.array(pattern, { minLength: 1, maxLength: 2 })), pullSecrets: secrets }) },
);

const registry = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      host: fc.oneof(
        host,
        fc.tuple(host, component).map((parts) => parts.join('/')),
      ),
      pullSecrets: secrets,
    }),
  },
  { weight: 1, arbitrary: fc.record({ hostFrom: fc.constant({ localRegistryHosting: true as const }), pullSecrets: secrets }) },
);

export const policy: fc.Arbitrary<PolicyInput> = fc.record({
  registries: fc.record({ a: registry, b: registry, c: registry }),
  exclude: fc.record({ images: fc.array(pattern, { maxLength: 1 }) }),
  rules: fc.array(rule, { minLength: 1, maxLength: 5 }),
});

export const context = fc.record({
  namespace: fc.constantFrom(...namespaces),
  podLabels: fc.constantFrom({}, { app: 'shop' }, { app: 'other' }),
});
