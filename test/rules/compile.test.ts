import { test } from 'tap';
import { compiled, type PolicyInput, type RuleInput } from './policy.ts';

const registries = { mirror: { host: 'mirror.example' } };

function rule(parts: Partial<RuleInput>): PolicyInput {
  return { registries, rules: [{ match: { images: ['docker.io'] }, rewrite: { registry: 'mirror', as: 'path' }, ...parts }] };
}

const rewrite = ['rules', 0, 'rewrite'];

test('errors of a policy, with their path', (t) => {
  const table: [title: string, policy: PolicyInput, path: (string | number)[], words: string][] = [
    [
      'host with a scheme',
      { registries: { a: { host: 'https://a.example' } } },
      ['registries', 'a', 'host'],
      'host of registry a: write the host without a scheme: a.example',
    ],
    ['host that is a path', { registries: { a: { host: 'team' } } }, ['registries', 'a', 'host'], 'looks like a path'],
    [
      'pattern without a host',
      rule({ match: { images: ['quay.io', 'nginx'] } }),
      ['rules', 0, 'match', 'images', 1],
      'write docker.io/library/nginx',
    ],
    [
      'exclude of a rule',
      rule({ match: { images: ['*'], exclude: ['nginx'] } }),
      ['rules', 0, 'match', 'exclude', 0],
      'write docker.io/library/nginx',
    ],
    ['exclude of the policy', { exclude: { images: ['quay.io', 'quay.io/'] } }, ['exclude', 'images', 1], 'write quay.io'],
    ['lookahead', rule({ match: { images: [{ regex: '^(?!quay)' }] } }), ['rules', 0, 'match', 'images', 0], 'RE2 has no lookaround'],
    [
      'unknown registry',
      rule({ rewrite: { registry: 'miror', as: 'path' } }),
      [...rewrite, 'registry'],
      'registry miror is not defined; did you mean mirror?',
    ],
    [
      'unknown registry, none alike',
      rule({ rewrite: { registry: 'harbor', as: 'path' } }),
      [...rewrite, 'registry'],
      'registries has mirror',
    ],
    [
      'unknown registry of an image rule',
      rule({ rewrite: { as: 'image', image: 'a.example/x', registry: 'harbor' } }),
      [...rewrite, 'registry'],
      'registry harbor is not defined',
    ],
    [
      'no registries at all',
      { rules: [{ match: { images: ['*'] }, rewrite: { registry: 'a', as: 'path' } }] },
      [...rewrite, 'registry'],
      'registries is empty',
    ],
    [
      'a registry that every object inherits',
      rule({ rewrite: { registry: 'constructor', as: 'path' } }),
      [...rewrite, 'registry'],
      'registry constructor is not defined',
    ],
    [
      'image that is none',
      rule({ rewrite: { as: 'image', image: 'Not An Image' } }),
      [...rewrite, 'image'],
      'Not An Image is not an image reference',
    ],
    [
      'template over names',
      rule({ rewrite: { as: 'template', template: 'a.example/$1' } }),
      [...rewrite, 'template'],
      '{ regex: … }; docker.io is a name',
    ],
    [
      'capture by number',
      rule({ match: { images: [{ regex: '^(a)' }] }, rewrite: { as: 'template', template: 'a.example/$1-$2' } }),
      [...rewrite, 'template'],
      'the template uses $2',
    ],
    [
      'capture by name',
      rule({ match: { images: [{ regex: '^(?P<a>a)' }, { regex: '^b' }] }, rewrite: { as: 'template', template: 'a.example/${a}' } }),
      [...rewrite, 'template'],
      'the template uses $a',
    ],
    [
      'capture by an inherited name',
      rule({ match: { images: [{ regex: '^a' }] }, rewrite: { as: 'template', template: 'a.example/${toString}' } }),
      [...rewrite, 'template'],
      'the template uses $toString',
    ],
    [
      'two rules of one name',
      {
        registries,
        rules: [
          { name: 'a', match: { images: ['*'] } },
          { name: 'a', match: { images: ['*'] } },
        ],
      },
      ['rules', 1, 'name'],
      'another rule is called a',
    ],
    [
      'a name given to a rule without one',
      { registries, rules: [{ match: { images: ['*'] } }, { name: 'rule-1', match: { images: ['*'] } }] },
      ['rules', 1, 'name'],
      'another rule is called rule-1',
    ],
    [
      'two sources of one Secret',
      {
        registries: {
          a: { host: 'a.example', pullSecrets: ['x', 's'], credentials: { secret: 'a-source' } },
          b: { host: 'b.example', pullSecrets: ['s'], credentials: { secret: 'b-source' } },
          c: { host: 'c.example', pullSecrets: ['s'] },
        },
      },
      ['registries', 'b', 'pullSecrets', 0],
      'registry a fills Secret s already',
    ],
  ];
  for (const [title, policy, path, words] of table) {
    const { problems } = compiled(policy);
    t.equal(problems.length, 1, `${title}: ${problems.map(({ message }) => message).join('; ')}`);
    t.strictSame({ severity: problems[0]?.severity, path: problems[0]?.path }, { severity: 'error', path }, title);
    t.ok(problems[0]?.message.includes(words), `${title}: ${problems[0]?.message}`);
  }
  t.end();
});

test('every mistake is reported, not only the first', (t) => {
  const { problems } = compiled({
    registries: { a: { host: 'a' } },
    exclude: { images: ['nginx'] },
    rules: [
      { match: { images: ['redis'], exclude: ['x'] }, rewrite: { registry: 'b', as: 'path' } },
      { match: { images: ['redis'] }, rewrite: { as: 'image', image: '?' } },
    ],
  });
  t.equal(problems.length, 7);
  t.end();
});

test('captures that every expression has', (t) => {
  const { problems } = compiled({
    rules: [
      {
        match: { images: [{ regex: '^a\\.example/(?P<rest>.*)$' }, { regex: '^b\\.example/x(?P<rest>.*)$' }] },
        rewrite: { as: 'template', template: 'c.example/$0${1}${rest}$$' },
      },
    ],
  });
  t.strictSame(problems, []);
  t.end();
});
