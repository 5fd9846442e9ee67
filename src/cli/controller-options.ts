/** The flags of `controller` by what they configure. */
import type { ControllerOptions } from '../controller/options.ts';
import { OperatorError } from '../errors/operator-error.ts';
import type { LogLevel } from '../observe/log-levels.ts';
import { optOutValue } from '../pod/labels.ts';
import { matchConditions } from './admission-policy-flags.ts';
import { controllerFlags } from './controller-flags.ts';
import { refuseSharedValues } from './opt-in-values.ts';
import { readFlags, type Environment, type Given } from './read-flags.ts';

export type ControllerFlags = ControllerOptions & { readonly logLevel: LogLevel };

/** @throws OperatorError (USAGE) */
export function readControllerOptions(args: readonly string[], env: Environment): ControllerFlags {
  return controllerOptions(readFlags(controllerFlags, args, env).values);
}

/** @throws OperatorError (USAGE) when no feature is enabled, or one cannot do with the values */
export function controllerOptions(values: Given<typeof controllerFlags>['values']): ControllerFlags {
  if (values.features.length === 0) throw new OperatorError('USAGE', '--features is empty', 'name at least one feature');
  const enforced = values['opt-in-values'].filter((value) => value !== values['shadow-value']);
  if (values.features.includes('policies') && enforced.length !== 1)
    throw new OperatorError(
      'USAGE',
      `--opt-in-values has ${enforced.length} values beside that of --shadow-value`,
      'the feature policies needs exactly one, which opts in',
    );
  refuseSharedValues([
    ['--opt-in-values', values['opt-in-values']],
    ['--opt-out-values', values['opt-out-values'].filter((value) => value !== optOutValue)],
  ]);
  return {
    policy: values.policy,
    namespace: values.namespace,
    features: values.features,
    disabledFeatures: values['disabled-features'],
    policyConfigMap: values['policy-config-map'],
    deployment: values.deployment,
    optIn: values['opt-in'],
    optInValues: values['opt-in-values'],
    optOutValues: values['opt-out-values'],
    excludedNamespaces: values['exclude-namespaces'],
    pullSecretRetention: values['pull-secret-retention'],
    fallbackDryRun: values['fallback-dry-run'],
    breaker: {
      isEnabled: values.breaker,
      pods: values['breaker-pods'],
      window: values['breaker-window'],
      interval: values['breaker-interval'],
    },
    hostsConfigMap: values['hosts-config-map'],
    verifyConfigMap: values['verify-config-map'],
    leaseName: values['lease-name'],
    leaseSeconds: values['lease-seconds'],
    certificates: {
      tlsSecret: values['tls-secret'],
      service: values.service,
      webhookConfiguration: values['webhook-configuration'],
      certificateLifetime: values['certificate-lifetime'],
      caLifetime: values['ca-lifetime'],
      bundleDelay: values['bundle-delay'],
      reloadDelay: values['reload-delay'],
    },
    admissionPolicy: {
      name: values['policy-name'],
      shadowValue: values['shadow-value'],
      matchConditions: matchConditions(values['match-condition']),
      failurePolicy: values['failure-policy'],
      partial: values.partial,
    },
    host: values.host,
    port: values.port,
    kubeconfig: values.kubeconfig,
    logLevel: values['log-level'],
  };
}
