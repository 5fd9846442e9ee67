/** Random policies that configuration of a node can often say, and images of the same small world. */
import * as fc from '../random/fast-check.ts';
import type { PolicyInput } from '../rules/policy.ts';

const hosts = ['docker.io', 'quay.io', 'gcr.io', 'reg.example:8443', 'mirror.example'] as const;
const components = ['library', 'acme', 'app'] as const;
const path = fc.array(fc.constantFrom(...components), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));

export const images: fc.Arbitrary<string> = fc
  .tuple(
    fc.oneof(
      fc.constant(''),
      fc.constantFrom(...hosts, 'other.example', 'proxy.example:5000', 'localhost:5000').map((host) => `${host}/`),
    ),
    fc.oneof({ weight: 4, arbitrary: path }, { weight: 1, arbitrary: path.map((rest) => `hub/${rest}`) }),
    fc.constantFrom('', ':1', `@sha256:${'0a'.repeat(32)}`, `:1@sha256:${'0a'.repeat(32)}`),
  )
  .map((parts) => parts.join(''));

const pattern = fc.oneof(
  { weight: 1, arbitrary: fc.constant('*') },
  { weight: 8, arbitrary: fc.constantFrom(...hosts) },
  { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...hosts), path).map((parts) => parts.join('/')) },
  { weight: 1, arbitrary: fc.constantFrom('quay.io/*/app', 'quay.io/acme/app:1', '*.example', 'reg.example:*') },
);
const few = fc.array(pattern, { minLength: 0, maxLength: 1 });

const rule = fc.record({
  match: fc.record({ images: fc.array(pattern, { minLength: 1, maxLength: 2 }), exclude: few }),
  rewrite: fc.record({
    as: fc.constantFrom('path' as const, 'fullName' as const, 'remainder' as const),
    registry: fc.constantFrom('a', 'b', 'c'),
    prefix: fc.constantFrom('hub', 'acme/x'),
  }),
});

const exclude = fc.oneof(
  fc.constant<string[]>([]),
  fc.array(fc.constantFrom<string[]>('mirror.example', 'proxy.example:5000', 'localhost:5000', 'gcr.io'), { maxLength: 4 }),
);

export const policies: fc.Arbitrary<PolicyInput> = fc
  .tuple(exclude, fc.array(rule, { minLength: 1, maxLength: 3 }))
  .map(([excluded, rules]) => ({
    registries: { a: { host: 'mirror.example' }, b: { host: 'proxy.example:5000/x' }, c: { host: 'localhost:5000' } },
    exclude: { images: excluded },
    rules: rules.map((each, index) => ({ name: `rule-${index}`, ...each })),
  }));
