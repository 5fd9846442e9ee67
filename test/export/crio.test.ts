/** `export crio`: the text of registries.conf, and what is refused. */
import { test } from 'tap';
import { exportCrio } from '../../src/export/crio.ts';
import { policyOf, shown } from './policies.ts';

const path = (images: string, prefix = 'hub', name = 'a'): string =>
  `{ name: ${name}, match: { images: ${images} }, rewrite: { registry: mirror, as: path, prefix: ${prefix}, collisions: accept } }`;
const head = '# Written by transship export crio. Change the policy and export it again.\n';
const entry = (comment: string, prefix: string, location: string, more = ''): string =>
  `\n# ${comment}\n[[registry]]\nprefix = "${prefix}"\nlocation = "${location}"\n${more}`;
const target = 'registry.example.com:5000';

const expressible: readonly (readonly [what: string, rules: readonly string[], text: string, more?: string])[] = [
  ['a part of a host', [path('[quay.io/acme]')], entry('rule a', 'quay.io/acme', `${target}/hub/acme`)],
  [
    'short names are those of Docker Hub',
    [path('[docker.io]')],
    `# Names without a host are those of Docker Hub, as in the policy.\nunqualified-search-registries = ["docker.io"]\n${entry('rule a', 'docker.io', `${target}/hub`)}`,
  ],
  [
    'the longest prefix decides, as the first rule does; what an earlier rule has already is left out',
    [path('[quay.io/acme]', 'x'), path('[quay.io]', 'hub', 'b'), path('[quay.io/team]', 'y', 'c')],
    entry('rule b', 'quay.io', `${target}/hub`) + entry('rule a', 'quay.io/acme', `${target}/x/acme`),
  ],
  [
    'a part that is excluded',
    [path('[quay.io]')],
    entry('rule a', 'quay.io', `${target}/hub`) + entry('from the registry itself', 'quay.io/acme', 'quay.io/acme'),
    'exclude: { images: [quay.io/acme] }\n',
  ],
  [
    'a part that the rule excludes, for a later one',
    [
      '{ name: a, match: { images: [quay.io], exclude: [quay.io/acme] }, rewrite: { registry: mirror, as: fullName } }',
      path('[quay.io]', 'b', 'b'),
    ],
    entry('rule a', 'quay.io', `${target}/quay.io`) + entry('rule b', 'quay.io/acme', `${target}/b/acme`),
  ],
  [
    'remainder of a part',
    ['{ name: a, match: { images: [quay.io/acme] }, rewrite: { registry: mirror, as: remainder, prefix: x } }'],
    entry('rule a', 'quay.io/acme', `${target}/x`),
  ],
  [
    'a registry of the node is asked without TLS',
    ['{ name: a, match: { images: [quay.io] }, rewrite: { registry: local, as: path } }'],
    entry('rule a', 'quay.io', 'localhost:30500', 'insecure = true\n'),
  ],
  [
    'another organisation of Docker Hub',
    ['{ name: a, match: { images: [quay.io/bitnami] }, rewrite: { registry: hub, as: remainder, prefix: bitnamilegacy } }'],
    entry('rule a', 'quay.io/bitnami', 'docker.io/bitnamilegacy'),
  ],
];
for (const [what, rules, text, more] of expressible)
  test(what, (t) => {
    const { files, refusals } = exportCrio(policyOf(rules, more));
    t.strictSame(refusals, []);
    t.strictSame(files, [{ path: 'registries.conf', text: head + text }]);
    t.end();
  });

const refused: readonly (readonly [what: string, rules: readonly string[], refusals: readonly string[], text: string])[] = [
  [
    'every host',
    [path("['*']")],
    ['rules.0.match.images.0: *: CRI-O has no entry for every host; name the hosts'],
    entry('rule a', 'registry.example.com:5000', `${target}/hub`) + entry('from the registry itself', `${target}/hub`, `${target}/hub`),
  ],
  [
    'a star in a name, and what may be under it',
    [
      "{ match: { images: ['quay.io/acme-*'] }, rewrite: { registry: mirror, as: flatten, collisions: accept } }",
      path('[quay.io]', 'hub', 'b'),
    ],
    [
      'rules.0.match.images.0: CRI-O cannot match quay.io/acme-*: it compares whole components of a name, and no tags',
      'rules.1.match.images.0: quay.io: quay.io/acme-* of rule rule-1 comes first for some of its images',
    ],
    '',
  ],
  [
    'a transform that changes more than the beginning: its images are not taken by the entry above',
    [
      '{ match: { images: [quay.io/acme] }, rewrite: { registry: mirror, as: flatten, collisions: accept } }',
      path('[quay.io]', 'hub', 'b'),
    ],
    ['rules.0.rewrite.as: as: flatten changes more of a name than its beginning'],
    entry('rule b', 'quay.io', `${target}/hub`) + entry('from the registry itself', 'quay.io/acme', 'quay.io/acme'),
  ],
  [
    'alternatives',
    ['{ name: a, match: { images: [quay.io] }, rewrite: { registry: mirror, as: path }, alternatives: [{ as: original }] }'],
    ['rules.0.alternatives: alternatives: only the first target is exported'],
    entry('rule a', 'quay.io', target),
  ],
];
for (const [what, rules, refusals, text] of refused)
  test(`refused: ${what}`, (t) => {
    const exported = exportCrio(policyOf(rules));
    t.strictSame(shown(exported.refusals), refusals);
    t.equal(exported.files[0]?.text, head + text);
    t.end();
  });
