/** The flags of `controller`: what each becomes, from words and from the environment, and what is said of those that cannot be used. */
import { readFile } from 'node:fs/promises';

import { test } from 'tap';

import { readControllerOptions } from '../../src/cli/controller-options.ts';
import { createControllerMetrics } from '../../src/controller/metrics.ts';

const needed = ['--policy', 'policy.yaml', '--namespace', 'release'];

test('defaults', async (t) => {
  t.same(readControllerOptions(needed, {}), {
    fallbackDryRun: false,
    breaker: { isEnabled: true, pods: 3, window: 120_000, interval: 180_000 },
    verifyConfigMap: 'transship-verify',
    policy: 'policy.yaml',
    namespace: 'release',
    features: ['secrets', 'hosts'],
    disabledFeatures: [],
    policyConfigMap: null,
    deployment: null,
    optIn: 'OptIn',
    optInValues: ['enabled', 'shadow'],
    optOutValues: ['disabled'],
    excludedNamespaces: [],
    hostsConfigMap: 'transship-hosts',
    pullSecretRetention: 5 * 60_000,
    leaseName: 'transship-controller',
    leaseSeconds: 15,
    certificates: {
      tlsSecret: 'transship-tls',
      service: 'transship',
      webhookConfiguration: 'transship',
      certificateLifetime: 90 * 86_400_000,
      caLifetime: 365 * 86_400_000,
      bundleDelay: 60_000,
      reloadDelay: 150_000,
    },
    admissionPolicy: { name: 'transship', shadowValue: 'shadow', matchConditions: [], failurePolicy: 'Ignore', partial: false },
    host: '127.0.0.1',
    port: 9464,
    kubeconfig: null,
    logLevel: 'info',
  });
});

test('a flag wins over the environment, which wins over the default', async (t) => {
  const env = {
    TRANSSHIP_NAMESPACE: 'from-env',
    TRANSSHIP_OPT_IN: 'OptOut',
    TRANSSHIP_EXCLUDE_NAMESPACES: 'a, b,',
    TRANSSHIP_POLICY: 'env.yaml',
    TRANSSHIP_RELOAD_DELAY: '2m',
    TRANSSHIP_KUBECONFIG: '/k',
  };
  const options = readControllerOptions(
    ['--namespace', 'from-flag', '--features', 'hosts, certificates', '--certificate-lifetime', '45s', '--ca-lifetime', '12h'],
    env,
  );
  t.match(options, {
    namespace: 'from-flag',
    optIn: 'OptOut',
    excludedNamespaces: ['a', 'b'],
    policy: 'env.yaml',
    features: ['hosts', 'certificates'],
    kubeconfig: '/k',
  });
  t.match(options.certificates, { certificateLifetime: 45_000, caLifetime: 43_200_000, reloadDelay: 120_000 });
});

test('what cannot be used is named, with what it takes', async (t) => {
  const rows: [args: string[], message: RegExp][] = [
    [['--namespace', 'a'], /--policy FILE is missing; name a policy file/],
    [['--policy', 'a'], /--namespace NAME is missing/],
    [
      [...needed, '--features', 'secrets,cookies'],
      /--features takes secrets, hosts, certificates, fallback, policies, verify, not "cookies"/,
    ],
    [[...needed, '--features', ''], /--features is empty; name at least one feature/],
    [
      [...needed, '--features', 'policies', '--opt-in-values', 'a,b,shadow'],
      /--opt-in-values has 2 values beside that of --shadow-value; .* exactly one/,
    ],
    [[...needed, '--features', 'policies', '--opt-in-values', 'shadow'], /--opt-in-values has 0 values beside that of --shadow-value/],
    [[...needed, '--failure-policy', 'fail'], /--failure-policy takes Ignore or Fail, not "fail"; did you mean Fail\?/],
    [[...needed, '--match-condition', 'true'], /--match-condition takes a match condition as NAME=EXPRESSION, not "true"/],
    [[...needed, '--partial=yes'], /--partial takes no value; write --partial alone/],
    [[...needed, '--opt-in', 'optin'], /--opt-in takes OptIn or OptOut, not "optin"; did you mean OptIn\?/],
    [[...needed, '--port', '65536'], /--port takes a whole number from 0 to 65535/],
    [[...needed, '--lease-seconds', '2'], /--lease-seconds takes a whole number from 3/],
    [[...needed, '--bundle-delay', '60'], /--bundle-delay takes a time such as 45s/],
    [[...needed, '--bundle-delay', '0s'], /--bundle-delay takes a time/],
    [[...needed, '--log-level', 'loud'], /--log-level takes one of trace/],
    [[...needed, '--hosts'], /unknown flag --hosts; /],
  ];
  for (const [args, message] of rows) t.throws(() => readControllerOptions(args, {}), { code: 'USAGE', message }, args.join(' '));
});

test('the reference has every metric', async (t) => {
  const page = await readFile(new URL('../../docs/reference/controller.md', import.meta.url), 'utf8');
  for (const metric of createControllerMetrics().registry.getMetricsAsArray()) {
    if (metric.name.startsWith('transship_')) t.match(page, `| \`${metric.name}\` |`);
  }
});
