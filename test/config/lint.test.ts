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

function rule(name: string, images: string, rest = 'rewrite: { registry: mirror, as: path, collisions: accept }'): string {
  return `  - { name: ${name}, match: { images: ${images} }, ${rest} }\n`;
}

const shadowed: Row[] = [
  [
    'by a broader rule',
    rule('all', '[docker.io]') + rule('late', '[docker.io/library/nginx]'),
    ['8:5: warning: rule late: it is shadowed: rule all matches all of its images first'],
  ],
  [
    'by everything',
    rule('all', "['*', other.example]") + rule('late', "[quay.io, '*.example']"),
    ['8:5: warning: rule late: it is shadowed: rule all'],
  ],
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
    'not for other ports and hosts that fit no more than one image',
    rule('a', '[quay.io/a/app, quay.io/b/web]', 'rewrite: { registry: mirror, as: flatten }'),
    [],
  ],
  [
    'not for one image named twice',
    rule('a', '[quay.io/a/app]', 'rewrite: { registry: mirror, as: flatten }') +
      `  - { name: b, match: { images: [quay.io/a/app, quay.io/a/web] }, rewrite: { registry: mirror, as: flatten } }\n`,
    [],
  ],
  [
    'not for two tags, which stay two',
    rule('a', "['quay.io/a/app:1', 'quay.io/b/app:2']", 'rewrite: { registry: mirror, as: flatten }'),
    [],
  ],
  [
    'for two images with one tag',
    rule('a', "['quay.io/a/app:1', 'quay.io/b/app:1']", 'rewrite: { registry: mirror, as: flatten }'),
    ['quay.io/b/app and quay.io/a/app (rule a) both become mirror.example/app'],
  ],
  [
    'not where the author says that it is meant',
    rule('a', '[quay.io/a/app, ghcr.io/b/app, gcr.io]', 'rewrite: { registry: mirror, as: flatten, collisions: accept }'),
    [],
  ],
  [
    'not for rules that make one image of all',
    rule('a', '[quay.io/a/app, ghcr.io/b/app, gcr.io]', 'rewrite: { as: image, image: mirror.example/app }'),
    [],
  ],
];

/** What a policy for a whole host or for everything loses; it was silent about these. */
const meeting: Row[] = [
  [
    'flatten of a host',
    rule('a', '[quay.io]', 'rewrite: { registry: mirror, as: flatten }'),
    [
      '7:34: warning: rule a: two images may collide: quay.io/team-b/app and quay.io/team-a/app (rule a) would both become mirror.example/app',
    ],
  ],
  [
    'flatten of organisations',
    rule('a', '[docker.io/library, docker.io/bitnami]', 'rewrite: { registry: mirror, as: flatten }'),
    ['7:53: warning: rule a: two images may collide: docker.io/bitnami/app and docker.io/library/app (rule a)'],
  ],
  [
    'flatten of a host and of an image elsewhere',
    rule('a', '[quay.io/a]', 'rewrite: { registry: mirror, as: flatten }') +
      rule('b', '[docker.io/library/nginx]', 'rewrite: { registry: mirror, as: flatten }'),
    ['8:34: warning: rule b: two images may collide: docker.io/library/nginx and quay.io/a/nginx (rule a)'],
  ],
  [
    'singleRepository of everything',
    rule('a', "['*', mirror.example, other.example]", 'rewrite: { registry: mirror, as: singleRepository, repository: all }').replace(
      'mirror.example, ',
      '',
    ),
    ['two images may collide: quay.io/team-b/app and quay.io/team-a/app (rule a) would both become mirror.example/all:app-latest'],
  ],
  [
    'escape',
    rule('a', '[quay.io]', 'rewrite: { registry: mirror, as: escape }'),
    ['quay.io/team/a_app and quay.io/team_a/app (rule a) would both become mirror.example/quay.io_team_a_app'],
  ],
  [
    'path of two hosts',
    rule('a', '[docker.io]', 'rewrite: { registry: mirror, as: path }') + rule('b', '[quay.io]', 'rewrite: { registry: mirror, as: path }'),
    [
      '8:34: warning: rule b: two images may collide: quay.io/team-a/app and docker.io/team-a/app (rule a) would both become mirror.example/team-a/app',
    ],
  ],
  [
    'path of hosts with a star',
    rule('a', "['*.gcr.io']", 'rewrite: { registry: mirror, as: path }'),
    ['7:34: warning: rule a: two images may collide'],
  ],
  [
    'remainder of two prefixes',
    rule('a', '[quay.io/a, ghcr.io/b]', 'rewrite: { registry: mirror, as: remainder, prefix: x }'),
    ['ghcr.io/b/app and quay.io/a/app (rule a) would both become mirror.example/x/app'],
  ],
  [
    'templates',
    rule('a', "[{ regex: '^quay\\.io/(.*)$' }, { regex: '^ghcr\\.io/(.*)$' }]", 'rewrite: { as: template, template: mirror.example/x/$1 }'),
    ['would both become mirror.example/x/team-a/app'],
  ],
  ['not: path of one host', rule('a', '[docker.io]', 'rewrite: { registry: mirror, as: path }'), []],
  [
    'not: path of two hosts with prefixes',
    rule('a', '[docker.io]', 'rewrite: { registry: mirror, as: path, prefix: hub }') +
      rule('b', '[quay.io]', 'rewrite: { registry: mirror, as: path, prefix: quay }'),
    [],
  ],
  ['not: fullName of everything', rule('a', "['*', other.example]", 'rewrite: { registry: mirror, as: fullName }'), []],
  [
    'not: what an earlier rule or an exclude takes away',
    rule('all', '[quay.io]') +
      `  - { name: b, match: { images: [ghcr.io/a, ghcr.io/b], exclude: [ghcr.io/b/app] }, rewrite: { registry: mirror, as: flatten } }\n`,
    [],
  ],
  [
    'not: two addresses of one registry',
    rule('a', '[registry.k8s.io, k8s.gcr.io, gcr.io/google-containers]', 'rewrite: { registry: mirror, as: remainder }'),
    [],
  ],
];

const patterns: Row[] = [
  [
    'an official image taken for an organisation',
    rule('a', '[docker.io/nginx]'),
    ['7:34: warning: rule a: docker.io/nginx is the organisation nginx; the official image is docker.io/library/nginx'],
  ],
  [
    'the same in an exclude of the policy and of the rule',
    '  - { name: a, match: { images: [docker.io], exclude: [docker.io/redis] }, rewrite: { registry: mirror, as: path } }\nexclude: { images: [docker.io/registry] }\n',
    ['7:56: warning: rule a: docker.io/redis is the organisation redis', '8:21: warning: docker.io/registry is the organisation registry'],
  ],
  ['an organisation', rule('a', '[docker.io/bitnami, docker.io/nginx/*, docker.io/library]'), []],
  ['an organisation beside the image', rule('a', '[docker.io/traefik, docker.io/library/traefik]'), []],
  [
    'an image taken for a host with any port',
    rule('a', "['nginx:*']"),
    ['7:34: warning: rule a: nginx:* is a host named nginx with any port; for the image write docker.io/library/nginx'],
  ],
  ['hosts with any port', rule('a', "['localhost:*', 'kind-registry:*', 'reg.example:*', '[::1]:*']"), []],
  [
    'an expression in plain text',
    rule('a', '[docker.io/.*]'),
    [
      "7:34: warning: rule a: .* is plain text here, not an expression; write docker.io, which matches everything under it, or { regex: '^docker\\.io/' }",
    ],
  ],
  [
    'a component that no repository has',
    rule('a', "[quay.io/acme/-app, 'quay.io/a*-']"),
    ['quay.io/acme/-app matches nothing', 'quay.io/a*- matches nothing'],
  ],
  ['components with stars', rule('a', "[quay.io/acme/app-*, 'quay.io/*.js/x', 'quay.io/a.*']"), []],
  [
    'two stars',
    rule('a', "['quay.io/**/app']"),
    ['7:34: warning: rule a: ** is one component, as * is, and a pattern matches everything under it; write quay.io/*/app or { regex: … }'],
  ],
  [
    "another address of Docker Hub's",
    rule('a', '[registry-1.docker.io/library]'),
    [
      '7:34: warning: rule a: registry-1.docker.io/library matches only images that are written with that host; for all of Docker Hub write docker.io/library',
    ],
  ],
  ['the website', rule('a', '[hub.docker.com]'), ['hub.docker.com is the website; images of Docker Hub are in docker.io, write docker.io']],
  ['its pages', rule('a', '[hub.docker.com/_/nginx, hub.docker.com/r/acme/app]'), ['docker.io/library/nginx', 'write docker.io/acme/app']],
  ['both addresses', rule('a', '[docker.io, registry-1.docker.io, registry.hub.docker.com]'), []],
  ['the old address, which is the same', rule('a', '[index.docker.io/library/nginx]'), []],
];

const misread: Row[] = [
  ...(
    [
      [
        '^nginx',
        'matches hosts that begin with nginx, since a canonical name begins with its host; for the image write ^docker\\.io/library/nginx',
      ],
      ['^https://', '^https:// matches nothing: a canonical name has no scheme; write ^docker\\.io/'],
      ['^quay\\.io//acme', 'a component between two slashes is empty'],
      [
        '^quay\\.io/acme/app$',
        'matches only images without tag and digest, which are part of the text; write ^quay\\.io/acme/app(?:[:@]|$)',
      ],
      ['', 'the expression "" matches every image; write "*"'],
      ['^nginx(:|@|$)', 'for the image write ^docker\\.io/library/nginx'],
      ['^(?:redis|r[e]x\\.io/x):1', 'hosts that begin with redis'],
      ['^library/', '^library/ matches nothing: a canonical name begins with its host; write ^docker\\.io/library/'],
      ['^library/(.*)$', '^library/ matches nothing'],
      ['^bitnami/redis', 'write ^docker\\.io/bitnami/redis'],
      ['^(library|quay\\\\.io)/', '^library/ matches nothing'],
      ['^index\\.docker\\.io/', 'images of Docker Hub are in docker.io; write ^docker\\.io/'],
      ['^docker\\.io/nginx(:|$)', '^docker\\.io/nginx is the organisation nginx; the official image is ^docker\\.io/library/nginx'],
      ['^ghcr\\.io/Acme/', 'matches nothing: a repository name is lower case'],
    ] as const
  ).map(([expression, words]): Row => [
    expression,
    rule('a', `[{ regex: '${expression}' }]`, 'pullSecrets: [x]'),
    [`7:43: warning: rule a: `, words].slice(1),
  ]),
  ...[
    '^docker\\.io/library/(.*)$',
    '^([^/]+)/(.*)$',
    '^localhost:5000/',
    '^quay\\.io',
    '^(quay|ghcr)\\.io/',
    '^docker\\.io/nginx/',
    '^docker\\.io/redis-',
    '^.*/nginx',
    '^registry:5000/x',
    '^(?i)nginx',
  ].map((expression): Row => [`fine: ${expression}`, rule('a', `[{ regex: '${expression}' }]`, 'pullSecrets: [x]'), []]),
];

const ownRegistry: Row[] = [
  [
    'with a prefix',
    rule('a', "['*']", 'rewrite: { registry: mirror, as: fullName, prefix: proxy }'),
    [
      '7:34: warning: rule a: * also matches images of your own registry: mirror.example/team/app would become mirror.example/proxy/mirror.example/team/app; add mirror.example to exclude',
      'other.example',
    ],
  ],
  [
    'excluded',
    `${rule('a', "['*']", 'rewrite: { registry: mirror, as: fullName, prefix: proxy }')}exclude: { images: [mirror.example, other.example] }\n`,
    [],
  ],
  [
    'named, so that it is meant',
    rule('a', "['*', mirror.example, other.example]", 'rewrite: { registry: mirror, as: fullName, prefix: proxy }'),
    [],
  ],
];

const failing: Row[] = [
  [
    'the full name of a host with a port',
    rule('a', "['reg.example:5000', 'localhost:*', docker.io]", 'rewrite: { registry: mirror, as: fullName }'),
    [
      '7:34: warning: rule a: images of reg.example:5000 cannot be rewritten: the source host reg.example:5000 has a port, which cannot be inside a path; use as: path with a prefix, or as: template',
      'images of localhost:* cannot be rewritten',
    ],
  ],
  ['as path', rule('a', "['reg.example:5000']", 'rewrite: { registry: mirror, as: path, prefix: reg }'), []],
  ['the remainder of an organisation', rule('a', '[quay.io/acme]', 'rewrite: { registry: mirror, as: remainder }'), []],
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

for (const [title, rows] of Object.entries({
  shadowed,
  never,
  regexes,
  collisions,
  meeting,
  patterns,
  misread,
  ownRegistry,
  failing,
  converging,
})) {
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

test('an expression with very many ways to begin is looked at no further than a few', (t) => {
  for (const [expression, most] of [
    [`^${'(|a)'.repeat(40)}nginx`, 3],
    [`^${'('.repeat(500)}nginx${')'.repeat(500)}`, 1],
    [`^(${'a|'.repeat(100)}nginx)`, 0],
  ] as const) {
    const { findings } = loadPolicy(`${head}rules:\n${rule('a', `[{ regex: '${expression}' }]`, 'pullSecrets: [x]')}`, 'policy.yaml');
    t.ok(findings.length <= most, expression.slice(0, 20));
  }
  t.end();
});

test('patterns of every shape are tried for convergence', (t) => {
  const shapes = [
    "'*'",
    "'docker.io:*'",
    "'*.io'",
    'docker.io/*/x',
    'quay.io/acme/app:1',
    `quay.io/acme/app@sha256:${'0a'.repeat(32)}`,
    "{ regex: '^[^a]' }",
    "'[::1]:*/x'",
  ];
  for (const pattern of shapes) {
    const text = `${head}rules:\n${rule('a', `[${pattern}]`)}${rule('b', '[mirror.example]', 'pullSecrets: [s]')}`;
    t.notOk(
      loadPolicy(text, 'policy.yaml').findings.some(({ severity }) => severity === 'error'),
      pattern,
    );
  }
  t.end();
});
