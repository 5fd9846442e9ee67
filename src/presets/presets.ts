/** The presets of `transship init`. The forms of image names are those of the vendors' documents; names of caches are what their consoles suggest. */
import type { Preset, Source, Variable } from './preset.ts';

const host = (placeholder: string, text = 'host of the registry'): Variable => ({ text, placeholder });

const samples = [
  'nginx:1.27',
  'grafana/grafana:11.0.0',
  'quay.io/prometheus/node-exporter:v1.8.0',
  'ghcr.io/fluxcd/source-controller:v1.3.0',
  'registry.k8s.io/pause:3.10',
];

/** One cache for each source, as most registries want it. */
function caches(names: Readonly<Record<'hub' | 'quay' | 'ghcr' | 'k8s', string>>, what: string): readonly Source[] {
  const cache = (rule: string, source: string, prefix: string): Source => ({
    rule,
    images: [source],
    prefix,
    needs: `Needs ${what} ${prefix} for ${source}.`,
  });
  return [
    cache('docker-hub', 'docker.io', names.hub),
    cache('quay', 'quay.io', names.quay),
    cache('github', 'ghcr.io', names.ghcr),
    cache('kubernetes', 'registry.k8s.io', names.k8s),
  ];
}

/** The Secret that the controller copies. */
const accountSecret = (name: string): string =>
  `secret: ${name}   # kubectl create secret docker-registry ${name}, in the namespace of the release`;

export const presets: readonly Preset[] = [
  {
    name: 'harbor',
    summary: 'proxy cache projects of Harbor',
    source: 'https://goharbor.io/docs/latest/administration/configure-proxy-cache/',
    variables: { host: host('harbor.example.com') },
    host: ({ host: name = '' }) => name,
    pullSecret: 'harbor-pull',
    credentials: () => [accountSecret('harbor-account')],
    as: 'path',
    sources: caches({ hub: 'docker-hub', quay: 'quay', ghcr: 'ghcr', k8s: 'kubernetes' }, 'a proxy cache project'),
    samples,
  },
  {
    name: 'ecr-pull-through',
    summary: 'pull through cache rules of Amazon ECR',
    source: 'https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-working-pulling.html',
    variables: {
      account: { text: 'number of the account', placeholder: '111122223333' },
      region: { text: 'region of the registry', placeholder: 'eu-west-1' },
    },
    host: ({ account, region }) => `${account}.dkr.ecr.${region}.amazonaws.com`,
    pullSecret: 'ecr-pull',
    credentials: ({ region }) => ['provider: ecr', `region: ${region}`],
    as: 'path',
    sources: caches({ hub: 'docker-hub', quay: 'quay', ghcr: 'github', k8s: 'kubernetes' }, 'a pull through cache rule with the prefix'),
    samples,
  },
  {
    name: 'artifactory',
    summary: 'remote repositories of Artifactory, by the repository path method',
    source: 'https://jfrog.com/help/r/jfrog-artifactory-documentation/the-repository-path-method-for-docker',
    variables: { host: host('artifactory.example.com') },
    host: ({ host: name = '' }) => name,
    pullSecret: 'artifactory-pull',
    credentials: () => [accountSecret('artifactory-account')],
    as: 'path',
    sources: caches(
      { hub: 'docker-hub-remote', quay: 'quay-remote', ghcr: 'ghcr-remote', k8s: 'kubernetes-remote' },
      'a remote repository',
    ),
    samples,
  },
  {
    name: 'nexus',
    summary: 'proxy repositories of Nexus Repository, by path based routing',
    source: 'https://help.sonatype.com/en/docker-registry.html',
    variables: { host: host('nexus.example.com') },
    host: ({ host: name = '' }) => name,
    pullSecret: 'nexus-pull',
    credentials: () => [accountSecret('nexus-account')],
    as: 'path',
    sources: caches({ hub: 'docker-hub', quay: 'quay', ghcr: 'ghcr', k8s: 'kubernetes' }, 'path based routing, and a proxy repository'),
    samples,
  },
  {
    name: 'nexus-connector',
    summary: 'one repository of Nexus Repository behind a port or subdomain connector',
    source: 'https://help.sonatype.com/en/docker-registry.html',
    variables: { host: host('nexus.example.com:8082', 'host of the connector, with its port') },
    host: ({ host: name = '' }) => name,
    pullSecret: 'nexus-pull',
    credentials: () => [accountSecret('nexus-account')],
    as: 'path',
    sources: [
      {
        rule: 'docker-hub',
        images: ['docker.io'],
        needs: 'Needs a proxy repository of docker.io behind the connector, alone or in a group.',
      },
    ],
    samples: ['nginx:1.27', 'grafana/grafana:11.0.0'],
  },
  {
    name: 'quay',
    summary: 'proxy cache organizations of Quay',
    source: 'https://docs.projectquay.io/use_quay.html#quay-as-cache-proxy',
    variables: { host: host('quay.example.com') },
    host: ({ host: name = '' }) => name,
    isRegistryPerSource: true,
    pullSecret: null,
    credentials: null,
    as: 'path',
    sources: caches({ hub: 'docker-hub', quay: 'quay', ghcr: 'ghcr', k8s: 'kubernetes' }, 'a proxy cache organization'),
    samples,
  },
  {
    name: 'gar-remote',
    summary: 'remote repositories of Google Artifact Registry',
    source: 'https://cloud.google.com/artifact-registry/docs/repositories/remote-overview',
    variables: {
      location: { text: 'location of the repositories', placeholder: 'europe-west1' },
      project: { text: 'project of the repositories', placeholder: 'my-project' },
    },
    host: ({ location, project }) => `${location}-docker.pkg.dev/${project}`,
    pullSecret: 'gar-pull',
    credentials: () => ['provider: gar'],
    as: 'path',
    sources: caches({ hub: 'docker-hub', quay: 'quay', ghcr: 'ghcr', k8s: 'kubernetes' }, 'a remote repository'),
    samples,
  },
  {
    name: 'acr-cache',
    summary: 'cache rules of Azure Container Registry',
    source: 'https://learn.microsoft.com/azure/container-registry/artifact-cache-overview',
    variables: {
      registry: { text: 'name of the registry', placeholder: 'myregistry' },
      tenant: { text: 'tenant of the identity', placeholder: '00000000-0000-0000-0000-000000000000' },
    },
    host: ({ registry }) => `${registry}.azurecr.io`,
    pullSecret: 'acr-pull',
    credentials: ({ tenant }) => ['provider: acr', `tenantId: ${tenant}`],
    as: 'path',
    sources: caches({ hub: 'docker-hub', quay: 'quay', ghcr: 'ghcr', k8s: 'kubernetes' }, 'a cache rule to'),
    samples,
  },
  {
    name: 'gitlab-dependency-proxy',
    summary: 'the dependency proxy of a GitLab group, for Docker Hub',
    source: 'https://docs.gitlab.com/user/packages/dependency_proxy/',
    variables: { host: host('gitlab.example.com', 'host of GitLab'), group: { text: 'path of the group', placeholder: 'my-group' } },
    host: ({ host: name, group }) => `${name}/${group}/dependency_proxy/containers`,
    pullSecret: 'gitlab-pull',
    credentials: () => [
      'secret: gitlab-deploy-token   # kubectl create secret docker-registry gitlab-deploy-token, in the namespace of the release',
    ],
    as: 'path',
    sources: [{ rule: 'docker-hub', images: ['docker.io'] }],
    samples: ['nginx:1.27', 'grafana/grafana:11.0.0'],
  },
  {
    name: 'bitnami-legacy',
    summary: 'images of bitnami that were moved to bitnamilegacy',
    source: 'https://github.com/bitnami/charts/issues/35164',
    variables: {},
    host: () => 'docker.io',
    pullSecret: null,
    credentials: null,
    as: 'remainder',
    sources: [
      {
        rule: 'bitnami',
        images: ['docker.io/bitnami'],
        prefix: 'bitnamilegacy',
        needs: 'Images there get no updates: this is for the time until you have others.',
      },
    ],
    samples: ['bitnami/postgresql:16.4.0', 'docker.io/bitnami/redis:7.2.4'],
  },
  {
    name: 'air-gap',
    summary: 'everything from one registry, with the name of the source below it',
    source: 'https://kubernetes.io/docs/concepts/containers/images/',
    variables: { host: host('registry.internal.example:5000') },
    host: ({ host: name = '' }) => name,
    pullSecret: 'registry-pull',
    credentials: () => [accountSecret('registry-account')],
    as: 'fullName',
    sources: [
      {
        rule: 'everything',
        images: ['*'],
        needs: 'To fill it: transship images --policy THIS -f manifests/ -o regctl writes a script.',
      },
    ],
    samples,
  },
];

/** Presets that are example policies with tests of their own: they are printed as they are. */
export const examplePresets = {
  replicated: 'examples/replicated.yaml',
  tilt: 'examples/tilt-default-registry.yaml',
  devspace: 'examples/devspace.yaml',
  gitpod: 'examples/gitpod.yaml',
  devtron: 'examples/devtron.yaml',
} as const;
