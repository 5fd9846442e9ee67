/** Genuine policies that fuzzing begins with. */
import { readdirSync, readFileSync } from 'node:fs';
import { loadPolicy } from '../../src/config/load.ts';
import type { CompiledPolicy } from '../../src/rules/compile.ts';

const examples = new URL('../../examples/', import.meta.url);
const corpus = new URL('../corpus/reviews/policy.yaml', import.meta.url);

/** All parts of the language in one file, those included that no example needs. */
const everything = `apiVersion: transship.dev/v1
kind: RewritePolicy
warnings: rewrites
registries:
  mirror: { host: mirror.example.com/hub, pullSecrets: [mirror-pull, second] }
  node: { hostFrom: { service: { namespace: transship, name: local, port: registry, via: localhost } }, host: 'localhost:30500' }
  kep: { hostFrom: { localRegistryHosting: true } }
exclude:
  images: [reg.example.com, { regex: '^docker\\.io/library/(alpine|busybox)[:@]' }]
rules:
  - name: captured
    match: { images: [{ regex: '^quay\\.io/([^/]+)/(.+)$' }] }
    rewrite: { as: template, template: 'mirror.example.com/quay/$1/$2' }
    pullPolicy: derive
  - name: single
    match: { images: ['ghcr.io/*/app', 'docker.io/acme'], exclude: [ghcr.io/acme/app], namespaces: [team-*, shop], podLabels: { app: shop } }
    rewrite: { registry: node, as: singleRepository, repository: dev/all }
  - name: fixed
    match: { images: ['registry.k8s.io/pause:3.10'] }
    rewrite: { as: image, image: 'mirror.example.com/hub/pause' }
    pullPolicy: Always
  - name: secrets
    match: { images: [gcr.io] }
    pullSecrets: [extra]
  - name: escaped
    match: { images: ['*.azurecr.io', 'eu.gcr.io'] }
    rewrite: { registry: mirror, as: escape, prefix: esc }
  - name: hub
    match: { images: [docker.io] }
    rewrite: { registry: mirror, as: fullName, spelling: written }
    pullPolicy: IfNotPresent
tests:
  - { image: 'quay.io/acme/app:1', becomes: 'mirror.example.com/quay/acme/app:1', rule: captured }
`;

const texts = readdirSync(examples).flatMap((file) => (file.endsWith('.yaml') ? [readFileSync(new URL(file, examples), 'utf8')] : []));

export const policyTexts: readonly [string, ...string[]] = [everything, readFileSync(corpus, 'utf8'), ...texts];

export const policies: readonly [CompiledPolicy, ...CompiledPolicy[]] = [compiled(everything), ...policyTexts.slice(1).map(compiled)];

function compiled(text: string): CompiledPolicy {
  const { compiled: policy, findings } = loadPolicy(text, 'policy.yaml');
  if (policy === null) throw new Error(`a policy to begin with is refused: ${JSON.stringify(findings)}`);
  return policy;
}
