/** What each format becomes: the images that come of it, and the comments about what differs. */
import { test } from 'tap';
import { comments, imagesOf, imported } from './imported.ts';

interface Row {
  readonly what: string;
  readonly format: string;
  readonly files: Readonly<Record<string, string>>;
  /** Of an image, or an image and a namespace: what a pod gets, and the alternatives. */
  readonly becomes: readonly (readonly [image: string, ...images: string[]])[];
  readonly namespace?: string;
  readonly notes?: readonly RegExp[];
}

const hosts = (text: string, folder = 'docker.io'): Readonly<Record<string, string>> => ({ [`${folder}/hosts.toml`]: text });
const kuik = (kind: string, name: string, spec: string): string =>
  `apiVersion: kuik.enix.io/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name}, namespace: shop }\nspec: ${spec}\n`;
const kyverno = (rule: string): string =>
  `apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: { name: replace }\nspec:\n  rules:\n    - name: one\n${rule}`;
const openshift = (kind: string, list: string, mirrors: string): string =>
  `apiVersion: config.openshift.io/v1\nkind: ${kind}\nmetadata: { name: a }\nspec:\n  ${list}:\n${mirrors}`;
const sample = String.raw`{{ regex_replace_all('^(localhost/|(?:[a-z0-9]+\\.)+[a-z0-9]+/)?(.*)$', '{{element.image}}', 'myregistry.corp.com/$2' )}}`;

const rows: readonly Row[] = [
  {
    what: 'mirrors in the order of the file, the server last; what stays in the configuration of nodes',
    format: 'containerd',
    files: hosts(
      'server = "https://registry-1.docker.io"\n[host."https://b.example.com/v2/hub"]\n  override_path = true\n  ca = "b.crt"\n[host."http://a.example.com"]\n  capabilities = ["pull"]\n',
    ),
    becomes: [['nginx:1', 'b.example.com/hub/library/nginx:1', 'a.example.com/library/nginx:1', 'nginx:1']],
    notes: [
      /ca of https:\/\/b\.example\.com\/v2\/hub/,
      /a\.example\.com for digests only/,
      /asks a\.example\.com without TLS/,
      /a new pod gets the first/,
    ],
  },
  {
    what: 'the mirror as the only server',
    format: 'containerd',
    files: hosts('server = "https://m.example.com"\n'),
    becomes: [['nginx:1', 'm.example.com/library/nginx:1']],
  },
  {
    what: 'every other host, a folder with a port, and a host that stays',
    format: 'containerd',
    files: {
      ...hosts('[host."https://m.example.com"]\n', '_default'),
      ...hosts('server = "https://p.example.com"\n', 'reg.corp_5000_'),
      ...hosts('server = "https://gcr.io"\n', 'gcr.io'),
    },
    becomes: [
      ['quay.io/a/b:1', 'm.example.com/a/b:1', 'quay.io/a/b:1'],
      ['reg.corp:5000/a/b:1', 'p.example.com/a/b:1'],
      ['gcr.io/a/b:1', 'gcr.io/a/b:1'],
    ],
    notes: [/From the registry itself: gcr\.io/],
  },
  {
    what: 'a mirror that may not be pulled from is none',
    format: 'containerd',
    files: hosts('[host."https://m.example.com"]\n  capabilities = ["push"]\n'),
    becomes: [['nginx:1', 'nginx:1']],
  },
  {
    what: 'endpoints, and rewrites of a part',
    format: 'k3s',
    files: {
      'registries.yaml':
        'mirrors:\n  docker.io:\n    endpoint: ["https://m.example.com:5000", "https://other.example.com/v2/x"]\n    rewrite:\n      "^rancher/(.*)": "mirrored/rancher/$1"\n      "^library/(nginx|redis)$": "official/$1-pinned"\nconfigs:\n  "m.example.com:5000": { auth: { username: u, password: secret-password } }\n',
    },
    becomes: [
      ['rancher/pause:3.6', 'm.example.com:5000/mirrored/rancher/pause:3.6', 'other.example.com/x/mirrored/rancher/pause:3.6'],
      ['nginx:1', 'm.example.com:5000/official/nginx-pinned:1', 'other.example.com/x/official/nginx-pinned:1'],
      ['grafana/grafana:11', 'm.example.com:5000/grafana/grafana:11', 'other.example.com/x/grafana/grafana:11'],
    ],
    notes: [/--disable-default-registry-endpoint/, /in no order/, /Credentials of m\.example\.com:5000 are not copied/],
  },
  {
    what: 'credentials in the older place',
    format: 'k3s',
    files: {
      'registries.yaml':
        'mirrors:\n  quay.io: { endpoint: [m.example.com] }\nauths:\n  "https://m.example.com": { username: u, password: p }\n',
    },
    becomes: [['quay.io/a/b:1', 'm.example.com/a/b:1']],
    notes: [/Credentials of https:\/\/m\.example\.com are not copied/],
  },
  {
    what: 'every other host',
    format: 'k3s',
    files: {
      'registries.yaml': 'mirrors:\n  "*": { endpoint: [m.example.com] }\n  gcr.io: { endpoint: ["https://gcr.io:443"] }\n  quay.io:\n',
    },
    becomes: [
      ['nginx:1', 'm.example.com/library/nginx:1'],
      ['gcr.io/a/b:1', 'gcr.io/a/b:1'],
      ['quay.io/a/b:1', 'quay.io/a/b:1'],
    ],
  },
  {
    what: 'the host itself before a mirror, and with a rewrite; a host with a file of its own, which the mirror of * is not for',
    format: 'k3s',
    files: {
      'registries.yaml':
        'mirrors:\n  "*": { endpoint: [m.example.com] }\n  quay.io: { endpoint: [quay.io, m.example.com] }\n  ghcr.io: { endpoint: [ghcr.io], rewrite: { "^acme/(.*)": "mirrored/$1" } }\nconfigs:\n  gcr.io: { tls: { insecure_skip_verify: true } }\n  "m.example.com": {}\n',
    },
    becomes: [
      ['quay.io/a/b:1', 'quay.io/a/b:1'],
      ['ghcr.io/acme/b:1', 'ghcr.io/mirrored/b:1'],
      ['gcr.io/a/b:1', 'gcr.io/a/b:1'],
      ['docker.io/a/b:1', 'm.example.com/a/b:1'],
    ],
    notes: [/only after the registry itself are left out: those of quay\.io/, /the mirror of \* is not for gcr\.io\./],
  },
  {
    what: 'capabilities in any case and none, a file that containerd does not read, hosts in the order of their headers',
    format: 'containerd',
    files: {
      'quay.io/hosts.toml':
        'server = "https://no.example.com"\ncapabilities = ["push"]\n[host."https://b.example.com".header]\n  a = "b"\n[host."https://a.example.com"]\r\n  capabilities = []\n[host."https://b.example.com"]\n  capabilities = ["Pull", "Resolve"]\n',
      'r.example.com:5000/hosts.toml': 'server = "https://wrong.example.com"\n',
      'r.example.com_5000_/hosts.toml': 'server = "https://right.example.com"\n',
      'index.docker.io/hosts.toml': 'server = "https://wrong.example.com"\n',
    },
    becomes: [
      ['quay.io/a/b:1', 'b.example.com/a/b:1', 'a.example.com/a/b:1'],
      ['r.example.com:5000/a:1', 'right.example.com/a:1'],
      ['nginx:1', 'nginx:1'],
    ],
    notes: [/does not read r\.example\.com:5000\/hosts\.toml/, /does not read index\.docker\.io\/hosts\.toml/],
  },
  {
    what: 'the first of two prefixes, a blocked source with mirrors, what stays below a domain, aliases',
    format: 'crio',
    files: {
      'registries.conf':
        '[[registry]]\nlocation = "quay.io/a"\nblocked = true\n[[registry.mirror]]\nlocation = "m.example.com/a"\n[[registry]]\nprefix = "quay.io/a"\nlocation = "no.example.com"\n[[registry]]\nprefix = "*.corp"\nlocation = "m.example.com/corp"\n[[registry]]\nlocation = "a.b.corp/x"\n[aliases]\n"fedora" = "r.example.com/fedora"\n',
      'registries.conf.d/a.conf': '[[registry]]\nprefix = "gcr.io"\nlocation = "first.example.com"\n',
      'registries.conf.d/b.conf': '[[registry]]\nprefix = "gcr.io"\nlocation = "last.example.com"\n',
    },
    becomes: [
      ['quay.io/a/b:1', 'm.example.com/a/b:1'],
      ['a.b.corp/x/y:1', 'a.b.corp/x/y:1'],
      ['a.b.corp/z/y:1', 'm.example.com/corp/z/y:1'],
      ['gcr.io/a:1', 'last.example.com/a:1'],
    ],
    notes: [/quay\.io\/a itself is blocked/, /Aliases .* fedora \(r\.example\.com\/fedora\)/],
  },
  {
    what: 'several sets of one source in one order, and a set without a mirror, which is none',
    format: 'openshift',
    files: {
      'sets.yaml': openshift(
        'ImageTagMirrorSet',
        'imageTagMirrors',
        '    - { source: quay.io, mirrors: [b.corp, c.corp] }\n    - { source: quay.io, mirrors: [a.corp, b.corp] }\n    - { source: quay.io/none, mirrors: [quay.io/none], mirrorSourcePolicy: NeverContactSource }\n',
      ),
    },
    becomes: [['quay.io/none/x:1', 'a.corp/none/x:1', 'b.corp/none/x:1', 'c.corp/none/x:1', 'quay.io/none/x:1']],
  },
  {
    what: 'the longest prefix first, what stays, and mirrors',
    format: 'crio',
    files: {
      'registries.conf':
        'unqualified-search-registries = ["quay.io", "docker.io"]\n[[registry]]\nprefix = "docker.io"\nlocation = "m.example.com/hub"\n[[registry]]\nlocation = "docker.io/library/registry"\n[[registry]]\nlocation = "quay.io/acme"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m.example.com/acme"\ninsecure = true\n',
    },
    becomes: [
      ['nginx:1', 'm.example.com/hub/library/nginx:1'],
      ['registry:2', 'registry:2'],
      ['quay.io/acme/app:1', 'm.example.com/acme/app:1', 'quay.io/acme/app:1'],
      ['quay.io/other/app:1', 'quay.io/other/app:1'],
    ],
    notes: [/looked for in quay\.io, docker\.io/, /with a digest there/, /without TLS.*m\.example\.com\/acme/],
  },
  {
    what: 'mirrors for digests, and a source that is not asked',
    format: 'openshift',
    files: {
      'sets.yaml': openshift(
        'ImageDigestMirrorSet',
        'imageDigestMirrors',
        '    - { source: quay.io/release, mirrors: [a.corp/r, b.corp/r], mirrorSourcePolicy: NeverContactSource }\n    - { source: quay.io, mirrors: [a.corp/quay] }\n',
      ),
    },
    becomes: [
      ['quay.io/release/x:1', 'a.corp/r/x:1', 'b.corp/r/x:1'],
      ['quay.io/acme/x:1', 'a.corp/quay/acme/x:1', 'quay.io/acme/x:1'],
    ],
    notes: [/Only for pulls by digest/, /not asked there either/, /asked last there/],
  },
  {
    what: 'a list of kubectl; one source with a set for digests and one for tags; hosts below a domain',
    format: 'openshift',
    files: {
      'list.yaml': JSON.stringify({
        kind: 'List',
        items: [
          { kind: 'ImageDigestMirrorSet', spec: { imageDigestMirrors: [{ source: 'quay.io', mirrors: ['a.corp/quay'] }] } },
          { kind: 'ImageTagMirrorSet', spec: { imageTagMirrors: [{ source: 'quay.io', mirrors: ['a.corp/quay'] }] } },
          { kind: 'ImageTagMirrorSet', spec: { imageTagMirrors: [{ source: '*.redhat.io', mirrors: ['a.corp/rh'] }] } },
          { kind: 'ImageContentSourcePolicy', spec: { repositoryDigestMirrors: [{ source: 'gcr.io/a', mirrors: ['a.corp/g'] }] } },
        ],
      }),
    },
    becomes: [
      ['quay.io/x/y:1', 'a.corp/quay/x/y:1', 'quay.io/x/y:1'],
      ['registry.redhat.io/x/y:1', 'a.corp/rh/x/y:1', 'registry.redhat.io/x/y:1'],
      ['gcr.io/a/b:1', 'a.corp/g/b:1', 'gcr.io/a/b:1'],
    ],
    notes: [/Only for pulls by tag/],
  },
  {
    what: 'the sample, with containers and init containers',
    format: 'kyverno',
    files: {
      'policy.yaml': kyverno(`      match: { any: [{ resources: { kinds: [Pod] } }] }
      mutate:
        foreach:
          - list: request.object.spec.containers
            patchStrategicMerge: { spec: { containers: [{ name: '{{ element.name }}', image: ${JSON.stringify(sample)} }] } }
    - name: two
      preconditions: { all: [{ key: '{{ request.object.spec.initContainers[] || \`[]\` | length(@) }}', operator: GreaterThanOrEquals, value: 1 }] }
      mutate:
        foreach:
          - patchesJson6902: |-
              - op: replace
                path: /spec/initContainers/{{ elementIndex }}/image
                value: ${JSON.stringify(sample)}
`),
    },
    becomes: [
      ['nginx:1', 'myregistry.corp.com/nginx:1'],
      ['quay.io/a/b:1', 'myregistry.corp.com/a/b:1'],
      ['myregistry.corp.com/a:1', 'myregistry.corp.com/a:1'],
    ],
    notes: [/debug containers and image volumes/],
  },
  {
    what: 'the path of an image, in some namespaces; what is not imported',
    format: 'kyverno',
    files: {
      'policy.yaml':
        kyverno(`      match: { any: [{ resources: { kinds: [Pod], namespaces: [shop], selector: { matchLabels: { a: b } } } }] }
      exclude: { any: [{ clusterRoles: [x] }] }
      preconditions: { all: [{ key: a, operator: Equals, value: b }] }
      mutate:
        foreach:
          - patchStrategicMerge: { spec: { containers: [{ image: 'r.corp.com:5000/proxy/{{ images.containers."{{element.name}}".path }}:{{images.containers."{{element.name}}".tag}}' }] } }
`),
    },
    namespace: 'shop',
    becomes: [['nginx:1', 'r.corp.com:5000/proxy/library/nginx:1']],
    notes: [/exclude of Kyverno's rule one/, /preconditions of Kyverno's rule one/, /only namespaces are imported/],
  },
  {
    what: 'names and expressions, in order; checks and secrets',
    format: 'harbor-container-webhook',
    files: {
      'config.yaml': `rules:
  - { name: Ubuntu, matches: ['^docker.io/(library/)?ubuntu:.*$'], replace: harbor.example.com/ubuntu-proxy, authSecretName: check }
  - name: hub
    matches: ['^docker.io', '^quay.io/acme/']
    excludes: ['^docker.io/library/registry']
    replace: harbor.example.com/dockerhub-proxy
    checkUpstream: true
    replaceImagePullSecrets: true
    authSecretName: harbor-pull
`,
    },
    becomes: [
      ['ubuntu:24.04', 'harbor.example.com/ubuntu-proxy/library/ubuntu:24.04'],
      ['nginx:1', 'harbor.example.com/dockerhub-proxy/library/nginx:1'],
      ['quay.io/acme/app:1', 'harbor.example.com/dockerhub-proxy/acme/app:1'],
      ['registry:2', 'registry:2'],
    ],
    notes: [/check is for the check/, /only when the registry has it/, /harbor-pull takes the place/],
  },
  {
    what: 'mirrors of a set, by priority, in its namespace',
    format: 'kube-image-keeper',
    files: {
      'set.yaml': kuik(
        'ImageSetMirror',
        'cache',
        `{ priority: -1, imageFilter: { include: ['.*'], exclude: ['quay.io/secret/.+'] }, mirrors: [{ registry: b.example.com, priority: 2 }, { registry: a.example.com, path: /mirror/, priority: 1, credentialSecret: { name: pull } }] }`,
      ),
    },
    namespace: 'shop',
    becomes: [
      ['nginx:1', 'a.example.com/mirror/library/nginx:1', 'b.example.com/library/nginx:1', 'nginx:1'],
      ['quay.io/secret/x:1', 'quay.io/secret/x:1'],
    ],
    notes: [/ImageSetMirror cache/, /Credentials are in pull/, /first rule decides/],
  },
  {
    what: 'places with the same images: those of the first are taken',
    format: 'kube-image-keeper',
    files: {
      'set.yaml': kuik(
        'ReplicatedImageSet',
        'same',
        `{ upstreams: [{ registry: docker.io, path: /nginxinc/u, priority: 30, imageFilter: { include: ['/nginxinc/u:1.*'] } }, { registry: quay.io, path: /nginx/u, priority: 10 }, { registry: public.ecr.aws, path: /nginx/u, priority: 20 }] }`,
      ),
    },
    namespace: 'shop',
    becomes: [
      ['nginxinc/u:1', 'quay.io/nginx/u:1', 'nginxinc/u:1'],
      ['public.ecr.aws/nginx/u:1', 'quay.io/nginx/u:1', 'public.ecr.aws/nginx/u:1'],
      ['quay.io/nginx/u:1', 'quay.io/nginx/u:1'],
    ],
    notes: [/asks the host of the image first/, /The imageFilter of docker\.io\/nginxinc\/u is not imported/],
  },
  {
    what: 'a map file, as its documentation has it',
    format: 'imageswap',
    files: {
      'maps.conf': `default::default.example.com
docker.io::my.example.com/mirror-
docker.io/library::harbor.example.com/library
gitlab.com::registry.example.com/gitlab
#gcr.io:: # This is a comment
cool.io::
noswap_wildcards::twr.io, walrus.io
[EXACT]ghcr.io/fantasy/coolstuff:v1.0::my-local-registry.com/patched-coolstuff:latest
[REPLACE]quay.io/team-*::my.example.com/teams
`,
    },
    becomes: [
      ['ghcr.io/fantasy/coolstuff:v1.0', 'my-local-registry.com/patched-coolstuff:latest'],
      ['ghcr.io/fantasy/coolstuff:v2', 'default.example.com/fantasy/coolstuff:v2'],
      ['nginx:1', 'harbor.example.com/library/nginx:1'],
      ['grafana/grafana:11', 'my.example.com/mirror-docker.io/grafana/grafana:11'],
      ['gitlab.com/a/b:1', 'registry.example.com/gitlab/a/b:1'],
      ['quay.io/team-a/b:1', 'my.example.com/teams/b:1'],
      ['cool.io/a:1', 'cool.io/a:1'],
      ['edge.twr.io/a:1', 'edge.twr.io/a:1'],
    ],
    notes: [/Not swapped: cool\.io/, /whole names of hosts here: twr\.io, walrus\.io/, /keeps names as written/],
  },
  {
    what: 'a default that ends with a dash, and none',
    format: 'imageswap',
    files: { 'maps.conf': 'default::my.example.com/m-\n' },
    becomes: [['quay.io/a/b:1', 'my.example.com/m-quay.io/a/b:1']],
  },
  {
    what: 'without a default',
    format: 'imageswap',
    files: { 'maps.conf': 'quay.io : m.example.com\n' },
    becomes: [['quay.io/a:1', 'm.example.com/a:1']],
    notes: [/nothing without a default/],
  },
];

for (const { what, format, files, becomes, namespace, notes = [] } of rows)
  test(`${format}: ${what}`, (t) => {
    const made = imported(format, files);
    for (const [image, ...images] of becomes) t.strictSame(imagesOf(made, image, namespace), images, `${image}\n${made.text}`);
    for (const note of notes) t.match(comments(made), note);
    t.notMatch(made.text, /secret-password/);
    t.ok(made.policy.policy.tests.length > 0 || made.policy.rules.length === 0, 'it has tests');
    t.end();
  });
