import { test } from 'tap';
import { formatFinding } from '../../src/errors/finding.ts';
import { loadPolicy } from '../../src/config/load.ts';

const head = `apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: mirror.example }
  other: { host: other.example/team }
`;

/** Every finding of the policy: line, column, severity and a part of the message. */
type Row = readonly [title: string, text: string, findings: readonly string[]];

function rule(name: string, images: string, rest = 'rewrite: { registry: mirror, as: path }'): string {
  return `  - { name: ${name}, match: { images: ${images} }, ${rest} }\n`;
}

const shadowed: Row[] = [
  [
    'by a broader rule',
    rule('all', '[docker.io]') + rule('late', '[docker.io/library/nginx]'),
    ['8:5: warning: rule late: it is shadowed: rule all matches all of its images first'],
  ],
  ['by everything', rule('all', "['*']") + rule('late', "[quay.io, '*.example']"), ['8:5: warning: rule late: it is shadowed: rule all']],
  ['not where one image is left', rule('all', '[docker.io]') + rule('late', '[docker.io/library/nginx, quay.io]'), []],
  [
    'not by a rule with a condition',
    `  - { name: first, match: { images: [docker.io], namespaces: [a] }, rewrite: { registry: mirror, as: path } }\n${rule('late', '[docker.io]')}`,
    [],
  ],
  [
    'not by a rule with an exclude',
    `  - { name: first, match: { images: [docker.io], exclude: [docker.io/acme] }, rewrite: { registry: mirror, as: path } }\n${rule('late', '[docker.io]')}`,
    [],
  ],
  ['not by a later rule', rule('first', '[docker.io/library/nginx]') + rule('late', '[docker.io]'), []],
];

const never: Row[] = [
  [
    'its own exclude',
    '  - { name: a, match: { images: [quay.io/acme, docker.io], exclude: [quay.io] }, rewrite: { registry: mirror, as: path } }\n',
    ["7:34: warning: rule a: quay.io/acme never matches: the rule's own exclude covers it"],
  ],
  [
    'the exclude of the policy',
    `${rule('a', '[docker.io, gcr.io/never/x]')}exclude: { images: [gcr.io/never] }\n`,
    ["7:45: warning: rule a: gcr.io/never/x never matches: the policy's exclude covers it"],
  ],
  [
    'an image that is there already',
    rule('a', '[docker.io, mirror.example/hub]'),
    ['7:45: warning: rule a: mirror.example/hub is never rewritten: it is under mirror.example, where rule a writes to'],
  ],
  ['everything of any port is not all there', rule('a', "['mirror.example:*']"), []],
];

const regexes: Row[] = [
  ['not anchored', rule('a', "[{ regex: 'docker\\.io/acme' }]"), ['7:43: warning: rule a: docker\\.io/acme is not anchored']],
  [
    'one alternative not anchored',
    rule('a', "[{ regex: '^docker\\.io/|acme' }]"),
    ['7:43: warning: rule a: ^docker\\.io/|acme is not anchored'],
  ],
  [
    'an unescaped dot',
    rule('a', "[{ regex: '^docker.io/acme' }]"),
    ['7:43: warning: rule a: the dot in docker.io matches any character; write docker\\.io'],
  ],
  [
    'both, in an exclude of the policy',
    `${rule('a', '[docker.io]')}exclude: { images: [quay.io, { regex: docker.io }] }\n`,
    ['8:39: warning: docker.io is not anchored', '8:39: warning: the dot in docker.io'],
  ],
  [
    'in an exclude of a rule',
    "  - { name: a, match: { images: [docker.io], exclude: [{ regex: '-slim$' }] }, rewrite: { registry: mirror, as: path } }\n",
    ['7:65: warning: rule a: -slim$ is not anchored'],
  ],
];

const collisions: Row[] = [
  [
    'flatten',
    rule('a', '[quay.io/a/app, ghcr.io/b/app]', 'rewrite: { registry: mirror, as: flatten }'),
    ['7:49: warning: rule a: ghcr.io/b/app and quay.io/a/app (rule a) both become mirror.example/app'],
  ],
  [
    'escape',
    rule('a', '[quay.io/a/b_c, quay.io/a_b/c]', 'rewrite: { registry: mirror, as: escape }'),
    ['7:49: warning: rule a: quay.io/a_b/c and quay.io/a/b_c (rule a) both become mirror.example/quay.io_a_b_c'],
  ],
  [
    'singleRepository, in two rules',
    rule('a', '[quay.io/x/foo]', 'rewrite: { registry: mirror, as: singleRepository, repository: all }') +
      rule('b', '[quay.io/y/foo]', 'rewrite: { registry: mirror, as: singleRepository, repository: all }'),
    ['8:34: warning: rule b: quay.io/y/foo and quay.io/x/foo (rule a) both become mirror.example/all:foo-latest'],
  ],
  [
    'not on two registries',
    rule('a', '[quay.io/a/app]', 'rewrite: { registry: mirror, as: flatten }') +
      rule('b', '[ghcr.io/b/app]', 'rewrite: { registry: other, as: flatten }'),
    [],
  ],
  [
    'not for what cannot be known',
    rule(
      'a',
      "[quay.io/*/app, ghcr.io/b/app, gcr.io, { regex: '^registry\\.example/app$' }, 'x.example:*/app']",
      'rewrite: { registry: mirror, as: flatten }',
    ),
    [],
  ],
  [
    'not for one image named twice',
    rule('a', '[quay.io/a/app]', 'rewrite: { registry: mirror, as: flatten }') +
      `  - { name: b, match: { images: [quay.io/a/app, quay.io/b] }, rewrite: { registry: mirror, as: flatten } }\n`,
    [],
  ],
];

const converging: Row[] = [
  [
    'a template into the source of another rule',
    rule('a', "[{ regex: '^docker\\.io/(.*)$' }]", 'rewrite: { as: template, template: c.example/$1 }') + rule('b', '[c.example]'),
    [
      '7:78: error: rule a: docker.io/sample would become c.example/library/sample, but rule b would rewrite that again to mirror.example/library/sample; exclude the result there',
    ],
  ],
  [
    'a template into its own source',
    rule('a', "[{ regex: '^docker\\.io/(.*)$' }]", 'rewrite: { as: template, template: docker.io/x/$1 }'),
    ['would rewrite that again to docker.io/x/x/'],
  ],
  [
    'a template into the same image',
    rule('a', "[{ regex: '^docker\\.io/(.*)$' }]", 'rewrite: { as: template, template: docker.io/$1 }'),
    [],
  ],
  [
    'a rule that writes where another one reads: the target is there already',
    rule('a', '[docker.io]') + rule('b', '[mirror.example/library, quay.io]', 'rewrite: { registry: other, as: path }'),
    ['8:34: warning: rule b: mirror.example/library is never rewritten'],
  ],
  [
    'an exclude ends the chain',
    rule('a', "[{ regex: '^docker\\.io/(.*)$' }]", 'rewrite: { as: template, template: c.example/$1 }') +
      `  - { name: b, match: { images: [c.example], exclude: [c.example] }, rewrite: { registry: mirror, as: path } }\n`,
    ['8:34: warning: rule b: c.example never matches'],
  ],
  [
    'a chain under conditions that both rules have',
    "  - { name: a, match: { images: [{ regex: '^docker\\.io/(.*)$' }], namespaces: [team-*], podLabels: { app: web } }, rewrite: { as: template, template: c.example/$1 } }\n  - { name: b, match: { images: [c.example], namespaces: [team-*], podLabels: { app: web } }, rewrite: { registry: mirror, as: path } }\n",
    ['error: rule a: docker.io/sample would become c.example/library/sample, but rule b'],
  ],
  [
    'a chain in another namespace only',
    rule('a', "[{ regex: '^docker\\.io/(.*)$' }]", 'rewrite: { as: template, template: c.example/$1 }').replace(
      'match: {',
      'match: { namespaces: [team-*],',
    ) + '  - { name: b, match: { images: [c.example], namespaces: [shop] }, rewrite: { registry: mirror, as: path } }\n',
    [],
  ],
];

for (const [title, rows] of Object.entries({ shadowed, never, regexes, collisions, converging })) {
  test(`lint: ${title}`, (t) => {
    for (const [name, rules, expected] of rows) {
      const { findings, compiled } = loadPolicy(`${head}rules:\n${rules}`, 'policy.yaml');
      const lines = findings.map(formatFinding);
      t.equal(lines.length, expected.length, `${name}: ${lines.join(' | ')}`);
      for (const [index, words] of expected.entries()) t.ok(lines[index]?.includes(words), `${name}: ${lines[index]}`);
      t.equal(
        compiled === null,
        findings.some(({ severity }) => severity === 'error'),
        `${name}: an error refuses, a warning does not`,
      );
    }
    t.end();
  });
}

test('patterns of every shape are tried for convergence', (t) => {
  const patterns = [
    "'*'",
    "'docker.io:*'",
    "'*.io'",
    'docker.io/*/x',
    'quay.io/acme/app:1',
    `quay.io/acme/app@sha256:${'0a'.repeat(32)}`,
    "{ regex: '^[^a]' }",
    "'[::1]:*/x'",
  ];
  for (const pattern of patterns) {
    const text = `${head}rules:\n${rule('a', `[${pattern}]`)}${rule('b', '[mirror.example]', 'pullSecrets: [s]')}`;
    t.notOk(
      loadPolicy(text, 'policy.yaml').findings.some(({ severity }) => severity === 'error'),
      pattern,
    );
  }
  t.end();
});
