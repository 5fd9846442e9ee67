import { test } from 'tap';

import { readControllerOptions, type ControllerFlags } from '../../src/cli/controller-options.ts';
import { readServeOptions, type ServeOptions } from '../../src/cli/serve-options.ts';
import { ciValues, render, skipWithoutHelm, type Values } from './chart.ts';

/** Those with a webhook: of the others the only Deployment, if any, is the controller's. */
const hasWebhook = (values: Values): boolean => values['engine'] !== 'admissionPolicy';

/** The options that `transship serve` reads from the Deployment's arguments. Throws UsageError for an argument it does not have. */
async function serveOptions(values: Values): Promise<ServeOptions> {
  const [command, ...args]: readonly string[] = (await render(values)).one('Deployment')['spec'].template.spec.containers[0].args;
  if (command !== 'serve') throw new Error(`the container runs ${command}`);
  return readServeOptions(args, {});
}

test('serve takes the arguments of the Deployment', { skip: skipWithoutHelm }, async (t) => {
  t.match(await serveOptions({}), {
    policy: '/etc/transship/policy/policy.yaml',
    tls: { certFile: '/etc/transship/tls/tls.crt', keyFile: '/etc/transship/tls/tls.key' },
    host: '0.0.0.0',
    port: 8443,
    metricsPort: 9464,
    clientCa: null,
    resolvedHosts: null,
    logLevel: 'info',
    reviewCache: true,
    // The grace period that the chart asks for is reckoned with it.
    drainSeconds: 10,
  });
  const values = {
    listenAddress: '::',
    ports: { https: 1, metrics: 2 },
    tls: { clientCA: { configMap: 'a' } },
    resolvedHosts: { configMap: 'b' },
    logLevel: 'silent',
    reviewCache: false,
  };
  t.match(await serveOptions(values), {
    host: '::',
    port: 1,
    metricsPort: 2,
    clientCa: '/etc/transship/client-ca/ca.crt',
    resolvedHosts: '/etc/transship/hosts/hosts.yaml',
    logLevel: 'silent',
    reviewCache: false,
  });
  for (const [file, more] of ciValues) if (hasWebhook(more)) await t.resolves(serveOptions(more), file);
});

/** The same for the controller; undefined when there is none. */
async function controllerOptions(values: Values): Promise<ControllerFlags | undefined> {
  const deployment = (await render(values)).objects.find(
    ({ kind, metadata }) => kind === 'Deployment' && metadata?.name === 'transship-controller',
  );
  if (deployment === undefined) return undefined;
  const [command, ...args]: readonly string[] = deployment['spec'].template.spec.containers[0].args;
  if (command !== 'controller') throw new Error(`the container runs ${command}`);
  return readControllerOptions(args, {});
}

const registry = (fields: object) => ({ rewritePolicy: { inline: { registries: { one: { host: 'r.example.com', ...fields } } } } });
const withCredentials = registry({ pullSecrets: ['pull'], credentials: { secret: 'source' } });
const withHostFrom = registry({ hostFrom: { localRegistryHosting: true } });
const noCertificates = { tls: { mode: 'certManager' } };

const featureRows: readonly (readonly [says: string, values: Values, features: readonly string[] | undefined])[] = [
  ['the certificate by default', {}, ['certificates']],
  ['nothing to do, no controller', noCertificates, undefined],
  ['credentials', { ...withCredentials, ...noCertificates }, ['secrets']],
  ['hostFrom', { ...withHostFrom, ...noCertificates }, ['hosts']],
  ['hosts that somebody else resolves', { ...withHostFrom, ...noCertificates, resolvedHosts: { configMap: 'own' } }, undefined],
  [
    'both, and the certificate',
    {
      rewritePolicy: {
        inline: JSON.stringify({
          apiVersion: 'transship.dev/v1',
          kind: 'RewritePolicy',
          ...registry({ pullSecrets: ['p'], credentials: { secret: 's' }, hostFrom: { localRegistryHosting: true } }).rewritePolicy.inline,
        }),
      },
    },
    ['certificates', 'secrets', 'hosts'],
  ],
  ['a policy that cannot be seen', { ...noCertificates, rewritePolicy: { existingConfigMap: 'own' } }, undefined],
  [
    'unless said',
    { ...noCertificates, rewritePolicy: { existingConfigMap: 'own' }, controller: { features: { secrets: true, hosts: true } } },
    ['secrets', 'hosts'],
  ],
  ['a local registry', { ...noCertificates, localRegistry: { enabled: true } }, ['hosts']],
];

test('the controller is rendered for the enabled features, with valid arguments', { skip: skipWithoutHelm }, async (t) => {
  for (const [says, values, features] of featureRows) t.same((await controllerOptions(values))?.features, features, says);
  const values = {
    ...withHostFrom,
    optIn: { mode: 'OptOut', otherValues: ['blue'] },
    excludeNamespaces: ['a', 'b'],
    tls: { controller: { certificateLifetime: '30d', caLifetime: '60d', bundleDelay: '1m', reloadDelay: '2m' } },
    listenAddress: '::',
    logLevel: 'debug',
  };
  t.match(await controllerOptions(values), {
    policy: '/etc/transship/policy/policy.yaml',
    namespace: 'images',
    optIn: 'OptOut',
    optInValues: ['enabled', 'shadow'],
    optOutValues: ['disabled', 'blue'],
    excludedNamespaces: ['a', 'b'],
    leaseName: 'transship-controller',
    hostsConfigMap: 'transship-hosts',
    certificates: {
      tlsSecret: 'transship-tls',
      service: 'transship',
      webhookConfiguration: 'transship',
      certificateLifetime: 30 * 86_400_000,
      caLifetime: 60 * 86_400_000,
      bundleDelay: 60_000,
      reloadDelay: 120_000,
    },
    host: '::',
    port: 9464,
    kubeconfig: null,
    logLevel: 'debug',
  });
  t.equal((await serveOptions(values)).resolvedHosts, '/etc/transship/hosts/hosts.yaml', 'the webhook reads what it resolves');
});
