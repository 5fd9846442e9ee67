/** Wrong input: file, line and column, and what to do. */
import { test } from 'tap';
import { ImportError } from '../../src/import/source.ts';
import { formatFinding } from '../../src/errors/finding.ts';
import { imported } from './imported.ts';

const idms = (text: string): string => `kind: ImageDigestMirrorSet\nspec:\n  imageDigestMirrors:\n${text}`;

const rows: readonly (readonly [format: string, path: string, text: string, finding: RegExp])[] = [
  ['containerd', 'docker.io/hosts.toml', 'server = \n', /^docker\.io\/hosts\.toml:1:\d+: error: not TOML: /],
  ['containerd', 'hosts.toml', 'server = "https://a.example.com"\n', /^hosts\.toml:1:1: error: it is not in a folder named after a host/],
  ['containerd', 'docker.io/hosts.toml', 'server = 3\n', /^docker\.io\/hosts\.toml:1:1: error: server must be text, not the number 3/],
  [
    'containerd',
    'docker.io/hosts.toml',
    '\n[host."https://a.example.com/hub"]\n',
    /^docker\.io\/hosts\.toml:2:8: error: .*path does not begin with \/v2/,
  ],
  ['containerd', 'a.io/hosts.toml', 'capabilities = ["pul"]\n', /^a\.io\/hosts\.toml:1:18: error: pul of the host itself is no capability/],
  [
    'containerd',
    'a.io/hosts.toml',
    'server = "https://b.io"\ncapabilities = ["push"]\n',
    /:2:1: error: images of a\.io can be pulled from nowhere/,
  ],
  [
    'containerd',
    'a.io/hosts.toml',
    'host = { "https://b.io" = {} }\n',
    /:1:11: error: .*header of its table only: write \[host\."https:\/\/b\.io"\]/,
  ],
  ['containerd', 'a.io/hosts.toml', '\uFEFFserver = "https://b.io"\n', /^a\.io\/hosts\.toml:1:1: error: it begins with a byte-order mark/],
  ['containerd', 'a.io/hosts.toml', 'dial_timeout = "5"\n', /:1:1: error: dial_timeout: it is no duration/],
  ['containerd', 'a.io/hosts.toml', `a = ${'['.repeat(5000)}\n`, /^a\.io\/hosts\.toml:1:\d+: error: not TOML/],
  ['k3s', 'registries.yaml', 'mirrors: { a.io: {}, a.io: {} }\n', /^registries\.yaml:1:22: error: not YAML: Map keys must be unique/],
  ['k3s', 'registries.yaml', `mirrors: ${'['.repeat(20000)}`, /^registries\.yaml:1:\d+: error: not YAML: /],
  [
    'k3s',
    'registries.yaml',
    'mirrors:\n  a.io:\n    endpoint: [m.io]\n    rewrite: { "^a/(.*)|b/(.*)": "$1" }\n',
    /:4:\d+: error: only a rewrite of one host that begins/,
  ],
  [
    'k3s',
    'registries.yaml',
    'mirrors:\n  a.io:\n    endpoint: [m.io]\n    rewrite: { "^a(.*)": "$1x" }\n',
    /:4:\d+: error: its replacement uses \$1x, which it does not capture/,
  ],
  ['crio', 'r.conf', '[registries.search]\nregistries = ["a.io"]\n', /^r\.conf:1:2: error: it is of version 1/],
  ['crio', 'r.conf', '[[registry]]\nprefix = "a.io"\n', /^r\.conf:2:11: error: a\.io has no location, which CRI-O refuses/],
  ['crio', 'r.conf', '[[registry]]\nprefix = "*.a.io/b"\n', /^r\.conf:2:11: error: .*not of the form \*\.example\.com/],
  ['crio', 'r.conf', '[[registry]]\nlocation = "a.io"\npull-from-mirror = "all"\n', /^r\.conf:3:1: error: a\.io has pull-from-mirror/],
  [
    'crio',
    'r.conf',
    '[[registry]]\nlocation = "a.io"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "b.io"\npull-from-mirror = "all"\n',
    /^r\.conf:6:1: error: a\.io has mirror-by-digest-only, and b\.io pull-from-mirror/,
  ],
  [
    'crio',
    'r.conf',
    '[[registry]]\nlocation = "a.io"\nblocked = true\n[[registry]]\nprefix = "b.io"\nlocation = "a.io"\n',
    /^r\.conf:2:13: error: a\.io is the location of two registries, and only one has blocked/,
  ],
  ['k3s', 'registries.yaml', 'mirrors: [\n', /^registries\.yaml:2:1: error: not YAML: /],
  ['k3s', 'registries.yaml', '', /^registries\.yaml:1:1: error: it is empty/],
  [
    'k3s',
    'registries.yaml',
    'mirrors:\n  docker.io: { endpoint: m.example.com }\n',
    /^registries\.yaml:2:26: error: mirrors\.docker\.io\.endpoint must be a list, not the text/,
  ],
  [
    'k3s',
    'registries.yaml',
    'mirror: {}\n',
    /^registries\.yaml:1:9: error: mirror is no key of registries\.yaml; it has mirrors and configs/,
  ],
  [
    'k3s',
    'registries.yaml',
    'mirrors:\n  quay.io: { endpoints: [m.example.com] }\n',
    /^registries\.yaml:2:\d+: error: endpoints is no key of a mirror; it has endpoint and rewrite/,
  ],
  ['k3s', 'registries.yaml', 'mirrors:\n  docker: { endpoint: [m.example.com] }\n', /^registries\.yaml:2:11: error: the host is missing/],
  [
    'k3s',
    'registries.yaml',
    'mirrors:\n  docker.io:\n    endpoint: [m.example.com]\n    rewrite: { "(.*)-x": "$1" }\n',
    /^registries\.yaml:4:\d+: error: only a rewrite of one host that begins with \^/,
  ],
  [
    'k3s',
    'registries.yaml',
    'mirrors:\n  docker.io: { endpoint: ["https://m.example.com/x"] }\n',
    /:2:27: error: .*path does not begin with \/v2/,
  ],
  [
    'crio',
    'registries.conf',
    '[[registry]]\ninsecure = true\n',
    /^registries\.conf:1:3: error: a registry has neither prefix nor location/,
  ],
  [
    'crio',
    'registries.conf',
    '[[registry]]\nprefix = "docker.io"\nlocation = "hub"\n',
    /^registries\.conf:3:13: error: hub: hub looks like a path/,
  ],
  ['openshift', 'a.yaml', 'kind: ConfigMap\n', /^a\.yaml:1:7: error: ConfigMap cannot be imported; it has ImageDigestMirrorSet, /],
  ['openshift', 'a.yaml', '[]\n', /^a\.yaml:1:1: error: no object of Kubernetes/],
  ['openshift', 'a.yaml', '---\n', /^a\.yaml:1:1: error: no object is in it/],
  ['openshift', 'a.yaml', idms('  - { source: quay.io, mirrors: [mirror] }\n'), /^a\.yaml:4:34: error: mirror: mirror looks like a path/],
  ['openshift', 'a.yaml', idms('  - { source: quay, mirrors: [m.example.com] }\n'), /^a\.yaml:4:15: error: the host is missing/],
  [
    'kyverno',
    'a.yaml',
    'kind: ClusterPolicy\nmetadata: { name: a }\nspec: { rules: [{ name: b, validate: {} }] }\n',
    /^a\.yaml:3:17: error: rule b mutates nothing/,
  ],
  [
    'kyverno',
    'a.yaml',
    "kind: ClusterPolicy\nmetadata: { name: a }\nspec: { rules: [{ name: b, mutate: { x: '{{ to_upper(element.image) }}' } }] }\n",
    /^a\.yaml:3:36: error: rule b: only a registry before the path or the name/,
  ],
  [
    'kyverno',
    'a.yaml',
    `kind: ClusterPolicy\nmetadata: { name: a }\nspec: { rules: [{ name: b, mutate: { x: 'a/{{ images.${'{{'.repeat(300_000)}' } }] }\n`,
    /^a\.yaml:3:36: error: rule b: only a registry before the path or the name/,
  ],
  [
    'harbor-container-webhook',
    'a.yaml',
    'rules:\n  - { matches: [a], replace: "https://h.example.com" }\n',
    /^a\.yaml:2:30: error: .*write the host without a scheme/,
  ],
  [
    'harbor-container-webhook',
    'a.yaml',
    'rules:\n  - { matches: ["(?!a)"], replace: h.example.com }\n',
    /^a\.yaml:2:17: error: not an RE2 expression/,
  ],
  ['harbor-container-webhook', 'a.yaml', 'rules: *a\n', /^a\.yaml:1:1: error: not YAML: Unresolved alias/],
  [
    'harbor-container-webhook',
    'a.yaml',
    'rules:\n  - { matches: [^a], replace: h.example.com, replaceImagePullSecrets: true, authSecretName: A_b }\n',
    /^a\.yaml:2:93: error: A_b is not the name of a Secret/,
  ],
  ['harbor-container-webhook', 'a.yaml', 'rule: []\n', /^a\.yaml:1:1: error: rules is missing; it must be a list/],
  ['k3s', 'a.yaml', 'hello\n', /^a\.yaml:1:1: error: the file must be a map, not the text "hello"/],
  ['kube-image-keeper', 'a.yaml', 'kind: ImageMirror\n', /^a\.yaml:1:7: error: ImageMirror cannot be imported/],
  [
    'kube-image-keeper',
    'a.yaml',
    'kind: ImageSetMirror\nmetadata: { name: a }\nspec: { mirrors: [{ registry: mirror }] }\n',
    /^a\.yaml:3:19: error: mirror: mirror looks like a path/,
  ],
  ['imageswap', 'maps', 'default::a.example.com\nquay.io::a::b\n', /^maps:2:1: error: quay\.io::a::b: a map is KEY::VALUE/],
  ['imageswap', 'maps', '-a.io::b.example.com\n', /^maps:1:1: error: -a\.io: -a\.io is not a registry host/],
  ['imageswap', 'maps', '\ndefault::mirror\n', /^maps:2:1: error: mirror: mirror looks like a path/],
  ['imageswap', 'maps', '[EXACT]A B::c\n', /^maps:1:1: error: AB is not an image/],
];

for (const [format, path, text, finding] of rows)
  test(`${format}: ${JSON.stringify(text).slice(0, 200)}`, (t) => {
    try {
      imported(format, { [path]: text });
      t.fail('it is imported');
    } catch (error) {
      if (!(error instanceof ImportError)) throw error;
      t.match(error.findings.map(formatFinding).join('\n'), finding);
    }
    t.end();
  });
