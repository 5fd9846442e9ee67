/** `export containerd`: which files say which rules, and what is refused. */
import { test } from 'tap';
import { exportContainerd } from '../../src/export/containerd.ts';
import { policyOf, shown } from './policies.ts';

const path = (images: string, prefix = 'hub', name = 'a', more = ''): string =>
  `{ name: ${name}, match: { images: ${images} }, rewrite: { registry: mirror, as: path, prefix: ${prefix}, collisions: accept }${more} }`;

/** The server of each file, by its path. */
const servers = (rules: readonly string[], more = ''): Record<string, string> =>
  Object.fromEntries(
    exportContainerd(policyOf(rules, more)).files.map(({ path: file, text }) => [file, /^server = "(.*)"$/m.exec(text)?.[1] ?? '']),
  );

test('the text of a file', (t) => {
  const { files, refusals } = exportContainerd(policyOf([path('[docker.io]')]));
  t.strictSame(refusals, []);
  t.strictSame(files, [
    {
      path: 'docker.io/hosts.toml',
      text: `# Written by transship export containerd. Change the policy and export it again.
# rule a: docker.io from registry.example.com:5000/hub.
# It is the server too: when it fails, the pull fails and is tried again, and docker.io is not asked.
server = "https://registry.example.com:5000/v2/hub"
capabilities = ["pull", "resolve"]
override_path = true

[host."https://registry.example.com:5000/v2/hub"]
  capabilities = ["pull", "resolve"]
  override_path = true
`,
    },
  ]);
  t.end();
});

const hub = 'https://registry.example.com:5000/v2/hub';
const expressible: readonly (readonly [what: string, rules: readonly string[], servers: Record<string, string>, more?: string])[] = [
  ['path of a host', [path('[quay.io]')], { 'quay.io/hosts.toml': hub }],
  ['a port, as containerd finds it first', [path("['quay.io:8443']")], { 'quay.io_8443_/hosts.toml': hub }],
  ['an IPv6 address', [path("['[fd00::1]:5000']")], { '[fd00::1]_5000_/hosts.toml': hub }],
  [
    'fullName of a host',
    ['{ match: { images: [quay.io, docker.io] }, rewrite: { registry: mirror, as: fullName, prefix: p } }'],
    {
      'docker.io/hosts.toml': 'https://registry.example.com:5000/v2/p/docker.io',
      'quay.io/hosts.toml': 'https://registry.example.com:5000/v2/p/quay.io',
    },
  ],
  [
    'fullName, spelled as written, of another host than Docker Hub',
    ['{ match: { images: [quay.io] }, rewrite: { registry: mirror, as: fullName, spelling: written } }'],
    { 'quay.io/hosts.toml': 'https://registry.example.com:5000/v2/quay.io' },
  ],
  [
    'remainder of a host',
    ['{ match: { images: [quay.io] }, rewrite: { registry: mirror, as: remainder, prefix: hub } }'],
    { 'quay.io/hosts.toml': hub },
  ],
  [
    'Docker Hub as the mirror',
    ['{ match: { images: [mirror.gcr.io] }, rewrite: { registry: hub, as: path } }'],
    { 'mirror.gcr.io/hosts.toml': 'https://registry-1.docker.io/v2' },
  ],
  [
    'a registry of the node',
    ['{ match: { images: [quay.io] }, rewrite: { registry: local, as: path } }'],
    { 'quay.io/hosts.toml': 'http://localhost:30500/v2' },
  ],
  [
    'a part of a host that is decided like the whole',
    [path('[quay.io/acme]'), path('[quay.io]', 'hub', 'b')],
    { 'quay.io/hosts.toml': hub },
  ],
  [
    'every other host, without those that are excluded, and without the mirror itself',
    [path("['*']")],
    {
      '_default/hosts.toml': hub,
      'gcr.io/hosts.toml': 'https://gcr.io/v2',
      'registry.example.com_5000_/hosts.toml': 'https://registry.example.com:5000/v2',
    },
    "exclude: { images: [gcr.io, 'registry.example.com:5000'] }\n",
  ],
  [
    'a host with a port, which fullName refuses',
    ["{ match: { images: ['quay.io:443'] }, rewrite: { registry: mirror, as: fullName } }"],
    {},
  ],
  ['a pattern that an earlier rule has already', [path('[quay.io]'), path('[quay.io]', 'other', 'b')], { 'quay.io/hosts.toml': hub }],
];
for (const [what, rules, expected, more] of expressible)
  test(what, (t) => {
    t.strictSame(servers(rules, more), expected);
    t.strictSame(exportContainerd(policyOf(rules, more)).refusals, []);
    t.end();
  });

const whole = 'containerd has one mirror for a whole host, and this is a part of one';
const cannot = (pattern: string): string =>
  `rules.0.match.images.0: containerd cannot match ${pattern}: it has one mirror for a whole host`;
const credentials = 'pods get no pull secrets by it; credentials of the mirror belong to the configuration of the node';

/** What is refused, and the files of `--partial`. */
const refused: readonly (readonly [
  what: string,
  rules: readonly string[],
  refusals: readonly string[],
  files: readonly string[],
  more?: string,
])[] = [
  ['a part of a host', [path('[quay.io/acme]')], [`rules.0.match.images.0: quay.io/acme: ${whole}`], []],
  [
    'a host of which a part is decided otherwise',
    [path('[quay.io/acme]'), path('[quay.io]', 'other', 'b')],
    [`rules.0.match.images.0: quay.io/acme: ${whole}`, 'rules.1.match.images.0: quay.io: images of quay.io/acme are decided otherwise'],
    [],
  ],
  [
    'a host of which a part is excluded',
    [path('[quay.io]')],
    ['rules.0.match.images.0: quay.io: images of quay.io/acme are decided otherwise'],
    [],
    'exclude: { images: [quay.io/acme] }\n',
  ],
  [
    'a host of which some images are excluded',
    [path('[quay.io]')],
    ['rules.0.match.images.0: quay.io: quay.io/*-private of exclude of the policy comes first for some of its images'],
    [],
    "exclude: { images: ['quay.io/*-private'] }\n",
  ],
  [
    'a host that the rule itself excludes a part of',
    ["{ match: { images: [quay.io], exclude: [{ regex: '^quay\\.io/x' }] }, rewrite: { registry: mirror, as: path } }"],
    ['rules.0.match.images.0: quay.io: the expression ^quay\\.io/x of exclude of rule rule-1 comes first for some of its images'],
    [],
  ],
  [
    'a host that rules write to',
    [path("['registry.example.com:5000']", 'hub/x')],
    ['rules.0.match.images.0: registry.example.com:5000: images of registry.example.com:5000/hub/x are decided otherwise'],
    [],
  ],
  [
    'every host, when that of the mirror is not excluded',
    [path("['*']")],
    ['rules.0.match.images.0: registry.example.com:5000: images of registry.example.com:5000/hub are decided otherwise'],
    ['_default/hosts.toml', 'registry.example.com_5000_/hosts.toml'],
  ],
  [
    'what a rule for every host leaves to a later one',
    [
      `{ name: a, match: { images: ['*'], exclude: [quay.io] }, rewrite: { registry: mirror, as: path, prefix: hub, collisions: accept } }`,
      `{ name: b, match: { images: ['*'], exclude: [quay.io/acme] }, rewrite: { registry: mirror, as: path, prefix: hub, collisions: accept } }`,
    ],
    ['rules.1.match.images.0: quay.io: images of quay.io/acme are decided otherwise'],
    ['_default/hosts.toml', 'quay.io/hosts.toml', 'registry.example.com_5000_/hosts.toml'],
    "exclude: { images: ['registry.example.com:5000'] }\n",
  ],
  [
    'what a rule cannot rewrite, and excludes in part for a later one',
    [
      "{ match: { images: ['quay.io:443'], exclude: ['quay.io:*'] }, rewrite: { registry: mirror, as: fullName } }",
      path("['quay.io:443']", 'hub', 'b'),
    ],
    ['rules.0.match.images.0: quay.io:443: quay.io:* of exclude of rule rule-1 comes first for some of its images'],
    [],
  ],
  ['a star in a name', [path("['quay.io/acme-*']")], [cannot('quay.io/acme-*')], []],
  ['any port', [path("['quay.io:*']")], [cannot('quay.io:*')], []],
  ['a tag', [path("['quay.io/acme/app:1']")], [cannot('quay.io/acme/app:1')], []],
  [
    'an expression',
    ["{ match: { images: [{ regex: '^quay\\.io/(.*)$' }] }, rewrite: { as: template, template: 'registry.example.com:5000/x/$1' } }"],
    [cannot('^quay\\.io/(.*)$')],
    [],
  ],
  ...['flatten', 'escape', 'singleRepository, repository: x'].map((as): (typeof refused)[number] => [
    as,
    [`{ match: { images: [quay.io, ghcr.io] }, rewrite: { registry: mirror, as: ${as}, collisions: accept } }`],
    [`rules.0.rewrite.as: as: ${as.split(',')[0]} changes more of a name than its beginning`],
    [],
  ]),
  [
    'one image',
    ["{ match: { images: [quay.io/a/b] }, rewrite: { as: image, image: 'registry.example.com:5000/x' } }"],
    ['rules.0.rewrite.as: as: image changes more of a name than its beginning'],
    [],
  ],
  [
    'names of Docker Hub as written',
    ['{ match: { images: [quay.io, docker.io] }, rewrite: { registry: mirror, as: fullName, spelling: written } }'],
    ['rules.0.rewrite.spelling: spelling: written keeps short names of docker.io, and nodes know canonical names only'],
    ['quay.io/hosts.toml'],
  ],
  [
    'the full name of every host',
    ["{ match: { images: ['*'], exclude: ['registry.example.com:5000'] }, rewrite: { registry: mirror, as: fullName } }"],
    ["rules.0.rewrite.as: as: fullName of '*' keeps the host of each image; name the hosts instead"],
    [],
  ],
  [
    'a host that is not resolved',
    ['{ match: { images: [quay.io] }, rewrite: { registry: later, as: path } }'],
    ['rules.0.rewrite.registry: the host of registry later is not resolved; name it with --resolved-hosts'],
    [],
  ],
  [
    'conditions of pods, and what comes after them',
    [
      '{ match: { images: [quay.io], namespaces: [a] }, rewrite: { registry: mirror, as: path } }',
      path('[quay.io]', 'x', 'b'),
      path('[ghcr.io]', 'x', 'c'),
    ],
    [
      'rules.0.match.namespaces: namespaces: a node knows the image and not its pod',
      'rules.1.match.images.0: quay.io: quay.io of rule rule-1 comes first for some of its images',
    ],
    ['ghcr.io/hosts.toml'],
  ],
  [
    'labels of pods',
    ['{ match: { images: [quay.io], podLabels: { a: b } }, rewrite: { registry: mirror, as: path } }'],
    ['rules.0.match.podLabels: podLabels: a node knows the image and not its pod'],
    [],
  ],
  [
    'a rule without a rewrite, which keeps its host from later rules',
    ['{ match: { images: [quay.io] }, pullSecrets: [a] }', path("['*']", 'x', 'b')],
    ['rules.0: it only attaches pull secrets, which is a matter of pods'],
    ['_default/hosts.toml', 'quay.io/hosts.toml', 'registry.example.com_5000_/hosts.toml'],
    "exclude: { images: ['registry.example.com:5000'] }\n",
  ],
  [
    'pull secrets of a rule, and its pull policy: the mirror itself is in the rest',
    [path('[quay.io]', 'x', 'a', ', pullSecrets: [s], pullPolicy: Always')],
    [`rules.0.pullSecrets: pullSecrets: ${credentials}`, 'rules.0.pullPolicy: pullPolicy: Always is a setting of pods'],
    ['quay.io/hosts.toml'],
  ],
  [
    'pull secrets of a registry',
    ['{ match: { images: [quay.io] }, rewrite: { registry: secret, as: path } }'],
    [`registries.secret.pullSecrets: registry secret: ${credentials}`],
    ['quay.io/hosts.toml'],
  ],
];
for (const [what, rules, refusals, files, more] of refused)
  test(`refused: ${what}`, (t) => {
    const exported = exportContainerd(policyOf(rules, more));
    t.strictSame(shown(exported.refusals), refusals);
    t.strictSame(
      exported.files.map((file) => file.path),
      files,
    );
    t.end();
  });

test('a name of a rule cannot end its comment', (t) => {
  const { files } = exportContainerd(policyOf([path('[quay.io]', 'hub', '"a\\nserver = 1"')]));
  t.match(files[0]?.text, String.raw`# rule a\nserver = 1: quay.io`);
  t.end();
});
