/** A policy with most of what can be compiled, and spellings of images that it decides about. */
export const broadPolicy = `
apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: 'Mirror.example.com:5000/hub', pullSecrets: [mirror-pull, more] }
  vendor: { host: vendor.example.com, pullSecrets: [vendor-pull] }
  one: { host: one.example.com }
exclude: { images: [docker.io/library/registry, { regex: ':never$' }] }
rules:
  - { name: attach, match: { images: [vendor.example.com/shown] }, pullSecrets: [attached] }
  - { name: team, match: { images: [quay.io/team], namespaces: ['team-*'] }, rewrite: { registry: one, as: escape } }
  - { name: labelled, match: { images: [quay.io/labelled], podLabels: { app: shop } }, rewrite: { registry: one, as: flatten } }
  - { name: "vendor's “proxy”", match: { images: [quay.io/acme, 'ghcr.io/*/x-*'], exclude: [quay.io/acme/public] }, onMissingSecret: keep,
      rewrite: { registry: vendor, as: fullName, prefix: proxy, spelling: written }, pullSecrets: [own] }
  - { name: pinned, match: { images: ['docker.io/library/pinned:1'] }, rewrite: { as: image, image: 'one.example.com/pinned:2' } }
  - { name: rest, match: { images: ['reg.example:*'] }, rewrite: { registry: one, as: remainder, prefix: rest } }
  - { name: single, match: { images: [gcr.io/single] }, rewrite: { registry: one, as: singleRepository, repository: dev/all } }
  - { name: hub, match: { images: [docker.io, { regex: '^k8s\\.gcr\\.io/(pause|etcd)' }] }, rewrite: { registry: mirror, as: path }, pullPolicy: derive }
`;

/** So many rules that they are kept by host. */
const fillers = Array.from(
  { length: 150 },
  (_, index) => `  - { name: filler-${index}, match: { images: [filler-${index}.example] }, rewrite: { registry: one, as: path } }\n`,
);
export const largePolicy = broadPolicy.replace('rules:\n', `rules:\n${fillers.join('')}`);

const digest = `sha256:${'0a'.repeat(32)}`;
export const names = [
  'nginx',
  'library/nginx',
  'docker.io/nginx',
  'docker.io/library/nginx',
  'index.docker.io/nginx',
  'INDEX.docker.IO/nginx',
  'Docker.io/a/b',
  'registry',
  'pinned',
  'acme/app',
  'a/b/c/d',
  'localhost/a',
  'localhost:5000/a',
  'localhost',
  'docker.io:443/x',
  'docker.io:443/library/nginx',
  'quay.io/acme/app',
  'Quay.IO/acme/app',
  'quay.io:443/acme/app',
  'quay.io/acme',
  'quay.io/acmeapp',
  'quay.io/acme/public',
  'quay.io/acme/public/x',
  'ghcr.io/a/x-y',
  'ghcr.io/a/y',
  'ghcr.io/a/b/x-y',
  'ghcr.io/a/x-',
  'reg.example/a/b',
  'reg.example:8443/a',
  'reg.example',
  'reg.examplex/a',
  'gcr.io/single/app',
  'gcr.io/single',
  'k8s.gcr.io/pause',
  'k8s.gcr.io/pausing',
  'k8s.gcr.io/other',
  'mirror.example.com:5000/hub/library/nginx',
  'MIRROR.example.com:5000/hub/x',
  'mirror.example.com/hub/x',
  'vendor.example.com/proxy/x',
  'vendor.example.com/shown/x',
  'vendor.example.com/x',
  'one.example.com/pinned',
  'quay.io/labelled/app',
  'quay.io/team/app',
  '[::1]/a',
  '[::1]:5000/a',
  'foo_bar.baz/x',
  'a--b.io/x',
  'xn--a.example/x',
];
export const suffixes = ['', ':1', ':never', `@${digest}`, `:1@${digest}`, `:${'t'.repeat(128)}`];
export const invalid = [
  'Nginx',
  'https://quay.io/acme/app',
  'nginx:',
  'nginx:-1',
  `nginx:${'t'.repeat(129)}`,
  'nginx@sha256:0a',
  `nginx@md5:${'0a'.repeat(16)}`,
  'a//b',
  '0a'.repeat(32),
  `nginx@${digest.toUpperCase()}`,
  `docker.io/${'a'.repeat(248)}`,
  `docker.io/${'a'.repeat(247)}`,
  `quay.io/acme/${'a'.repeat(250)}`,
  'auto',
  'a_/b',
  '-a/b',
  'quay.io/acme/app:1:2',
  'quay.io/Acme/app',
  '${IMAGE}',
  'é/nginx',
  `x_y.z/${'a'.repeat(250)}`,
  'a'.repeat(2000),
  '$(x)',
];
