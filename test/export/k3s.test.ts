/** `export k3s`: the text of registries.yaml, and what is refused beside what containerd cannot express. */
import { test } from 'tap';
import { exportK3s } from '../../src/export/k3s.ts';
import { policyOf, shown } from './policies.ts';

const path = (images: string, prefix = 'hub'): string =>
  `{ name: a, match: { images: ${images} }, rewrite: { registry: mirror, as: path, prefix: ${prefix}, collisions: accept } }`;
const head = `# Written by transship export k3s. Change the policy and export it again.
# When a mirror fails, K3s asks the host of the image. With --disable-default-registry-endpoint it does not, as with the policy.
`;

test('a mirror for each host', (t) => {
  const { files, refusals } = exportK3s(policyOf([path("[docker.io, 'reg.corp:8443']")]));
  t.strictSame(refusals, []);
  t.strictSame(files, [
    {
      path: 'registries.yaml',
      text: `${head}mirrors:
  # rule a
  "docker.io":
    endpoint:
      - "https://registry.example.com:5000/v2/hub"
  # rule a
  "reg.corp:8443":
    endpoint:
      - "https://registry.example.com:5000/v2/hub"
`,
    },
  ]);
  t.end();
});

test('parts of a host with paths of their own: no two rewrites match one path', (t) => {
  const { files, refusals } = exportK3s(
    policyOf([path('[docker.io/library]', 'official'), path('[docker.io/library/a, docker.io]').replace('name: a', 'name: b')]),
  );
  t.strictSame(refusals, []);
  t.equal(
    files[0]?.text,
    `${head}mirrors:
  # rule b
  "docker.io":
    endpoint:
      - "https://registry.example.com:5000/v2"
    rewrite:
      # rule b
      '^([^l].*|l(?:|[^i].*|i(?:|[^b].*|b(?:|[^r].*|r(?:|[^a].*|a(?:|[^r].*|r(?:|[^y].*|y(?:[^/:@].*))))))))$': 'hub/$1'
      # rule a
      '^library((?:/(?:.+))?)$': 'official/library$1'
`,
  );
  t.end();
});

test('nothing to say is no mirror', (t) => {
  t.equal(
    exportK3s(policyOf(['{ match: { images: [quay.io/a] }, rewrite: { registry: mirror, as: path } }'])).files[0]?.text,
    `${head}mirrors: {}\n`,
  );
  t.end();
});

test('every other host, without those that stay: they have their own endpoint with its port', (t) => {
  const { files, refusals } = exportK3s(
    policyOf(
      ["{ name: a, match: { images: ['*'] }, rewrite: { registry: plain, as: path, prefix: hub, collisions: accept } }"],
      'exclude: { images: [docker.io, registry.example.org] }\n',
    ),
  );
  t.strictSame(refusals, []);
  t.equal(
    files[0]?.text,
    `${head}mirrors:
  # rule a
  "*":
    endpoint:
      - "https://registry.example.org/v2/hub"
  # from the registry itself
  "docker.io":
    endpoint:
      - "https://registry-1.docker.io:443"
  # from the registry itself
  "registry.example.org":
    endpoint:
      - "https://registry.example.org:443"
`,
  );
  t.end();
});

const refused: readonly (readonly [what: string, rules: readonly string[], refusals: readonly string[], more?: string])[] = [
  [
    'every host, where one with a port stays',
    [path("['*']")],
    ['rules.0.match.images.0: *: K3s has no entry that keeps registry.example.com:5000 from it'],
    "exclude: { images: ['registry.example.com:5000'] }\n",
  ],
  [
    'a part of a host in another registry',
    [path('[quay.io/a]').replace('mirror', 'local'), path('[quay.io]').replace('name: a', 'name: b')],
    [
      'rules.0.match.images.0: quay.io/a: K3s has one registry for a whole host, and this is a part of one',
      'rules.1.match.images.0: quay.io: images of quay.io/a are decided otherwise',
    ],
  ],
  [
    'a part of a host',
    [path('[quay.io/a]')],
    ['rules.0.match.images.0: quay.io/a: K3s has one registry for a whole host, and this is a part of one'],
  ],
];
for (const [what, rules, refusals, more] of refused)
  test(`refused: ${what}`, (t) => {
    t.strictSame(shown(exportK3s(policyOf(rules, more)).refusals), refusals);
    t.end();
  });
