/** The neighbours, each with the nearest that it has to the one rule. Their source is not here: `--peers` names a folder of executables. */
import { dirname } from 'node:path';
import { mirror, source, type Peer } from './peer.ts';

const quoted = source.replaceAll('.', '\\.');
const controllerRuntime = 'answers with the difference between two encodings of the whole pod';

export const peers: readonly Peer[] = [
  {
    name: 'kubenab',
    repository: 'https://github.com/jfrog/kubenab',
    path: '/mutate',
    versions: ['v1beta1'],
    launch: ({ ports: [port], certificate }) => ({
      args: ['-tls-cert', certificate.certFile, '-tls-key', certificate.keyFile],
      env: {
        PORT: String(port),
        DOCKER_REGISTRY_URL: mirror,
        REPLACE_REGISTRY_URL: 'false',
        WHITELIST_REGISTRIES: mirror,
        WHITELIST_NAMESPACES: 'kube-system',
      },
    }),
    differences: [
      'one prefix for every image, no rules',
      'no ephemeral containers, no image volumes',
      'admission.k8s.io/v1beta1 only; its responses have no uid',
      'the name as it is written, not normalized',
    ],
  },
  {
    name: 'tugger',
    repository: 'https://github.com/jainishshah17/tugger',
    path: '/mutate',
    versions: ['v1beta1'],
    launch: ({ ports: [port], certificate }) => ({
      args: ['-port', String(port), '-tls-cert', certificate.certFile, '-tls-key', certificate.keyFile],
      env: { DOCKER_REGISTRY_URL: mirror, WHITELIST_REGISTRIES: mirror, WHITELIST_NAMESPACES: 'kube-system' },
    }),
    differences: [
      'one prefix for every image here; its policy file has expressions',
      'no ephemeral containers, no image volumes',
      'admission.k8s.io/v1beta1 only; its responses have no uid',
      'also writes an annotation for each image, and a label',
    ],
  },
  {
    name: 'pod-image-swap-webhook',
    repository: 'https://github.com/Bonial-International-GmbH/pod-image-swap-webhook',
    path: '/mutate-v1-pod',
    versions: ['v1'],
    launch: ({ folder, certificate, kubeconfig }) => ({
      args: [],
      files: { 'config.yaml': JSON.stringify({ replace: [{ prefix: source, replacement: `${mirror}/${source}` }] }) },
      env: { PISW_CONFIG_PATH: `${folder}/config.yaml`, PISW_CERT_DIR: dirname(certificate.certFile), KUBECONFIG: kubeconfig },
      port: 9443,
    }),
    differences: ['prefixes of text, no components', 'no ephemeral containers, no image volumes', controllerRuntime],
  },
  {
    name: 'harbor-container-webhook',
    repository: 'https://github.com/indeedeng/harbor-container-webhook',
    path: '/webhook-v1-pod',
    versions: ['v1'],
    launch: ({ folder, ports: [port, probes, metrics], certificate, kubeconfig }) => ({
      args: ['-config', `${folder}/config.yaml`],
      files: {
        'config.yaml': JSON.stringify({
          port,
          certDir: dirname(certificate.certFile),
          healthAddr: `127.0.0.1:${probes}`,
          metricsAddr: `127.0.0.1:${metrics}`,
          rules: [{ name: 'vendor', matches: [`^${quoted}/`], replace: `${mirror}/${source}`, checkUpstream: false }],
        }),
      },
      env: { KUBECONFIG: kubeconfig },
    }),
    differences: [
      'without its check that the image exists, which asks the registry',
      'no ephemeral containers, no image volumes',
      'a tag beside a digest is lost',
      controllerRuntime,
    ],
  },
  {
    name: 'mutating-registry-webhook',
    repository: 'https://github.com/flemzord/mutating-registry-webhook',
    path: '/mutate-v1-pod',
    versions: ['v1'],
    launch: ({ ports: [, probes], certificate, kubeconfig }) => ({
      args: [
        `--webhook-cert-path=${dirname(certificate.certFile)}`,
        `--health-probe-bind-address=127.0.0.1:${probes}`,
        '--metrics-bind-address=0',
      ],
      env: { KUBECONFIG: kubeconfig },
      port: 9443,
    }),
    objects: [
      {
        path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
        body: {
          metadata: { name: 'registryrewriterules.dev.flemzord.fr' },
          spec: {
            group: 'dev.flemzord.fr',
            scope: 'Cluster',
            names: { kind: 'RegistryRewriteRule', plural: 'registryrewriterules', singular: 'registryrewriterule' },
            versions: [
              {
                name: 'v1alpha1',
                served: true,
                storage: true,
                subresources: { status: {} },
                schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
              },
            ],
          },
        },
      },
      {
        path: '/apis/dev.flemzord.fr/v1alpha1/registryrewriterules',
        body: {
          apiVersion: 'dev.flemzord.fr/v1alpha1',
          kind: 'RegistryRewriteRule',
          metadata: { name: 'vendor' },
          spec: { rules: [{ match: `^${quoted}/(.*)$`, replace: `${mirror}/${source}/$1` }] },
        },
      },
    ],
    differences: [
      'rules are objects that it watches',
      'no image volumes',
      'its log is that of development, its default',
      controllerRuntime,
    ],
  },
  {
    name: 'imageswap',
    repository: 'https://github.com/phenixblue/imageswap-webhook',
    path: '/',
    versions: ['v1'],
    launch: ({ folder, ports: [port], certificate }) => ({
      args: ['--bind', `127.0.0.1:${port}`, '--certfile', certificate.certFile, '--keyfile', certificate.keyFile],
      files: { 'maps.conf': `default::\n${source}::${mirror}/${source}\n` },
      env: { IMAGESWAP_MAPS_FILE: `${folder}/maps.conf` },
    }),
    differences: [
      'a map by registry',
      'Python, two workers of two threads; memory is that of three processes, and what they share counts in each',
      'reads its map for each image',
      'no ephemeral containers, no image volumes',
    ],
  },
];
