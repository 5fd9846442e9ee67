/** The metrics of the controller, in Prometheus' text format. Documented in docs/reference/controller.md. */
import { Counter, Gauge, Registry } from 'prom-client';
import { collectNodeMetrics } from '../observe/node-metrics.ts';

/** The state of a copy, with its description for the documentation. */
export const copyStates = {
  desired: 'wanted by the policy, whatever other state it has',
  present: 'in place',
  failed: 'cannot be written',
  foreign: 'a foreign Secret has the name',
  equivalent: 'a foreign Secret has the name and the right credentials',
  disputed: 'another client repeatedly changes or deletes it',
  waiting: 'there is no content yet',
  retained: 'no longer wanted, and not deleted yet',
} as const;
export type CopyState = keyof typeof copyStates;

/** The result of a write, with its description for the documentation. */
export const writeResults = {
  done: 'written',
  conflict: 'the object changed meanwhile, or its namespace is terminating',
  foreign: 'a foreign object has the name; it was left alone',
  failed: 'the API server refused it or was not available',
} as const;
/** What became of a container that its node could not pull the image for, with its description for the documentation. */
export const fallbackResults = {
  moved: 'it has the image of the next alternative',
  'dry-run': 'it would have, without `--fallback-dry-run`',
  exhausted: 'the rule has no further alternative; `target` is empty',
  impossible: 'an image volume, a debug container, a mutable tag, or an image that the present policy does not make; `target` is empty',
} as const;
/** What a registry said about an image, with its description for the documentation. */
export const verifyResults = {
  present: 'the registry has it',
  missing: 'the registry does not have it (404)',
  unauthorized: 'the registry refuses the credentials, or asks for some and there are none (401, 403)',
  unreachable: 'the registry does not answer, or with a server error',
  unknown: 'another answer, such as a web page',
  'too-many-requests': 'the registry asks for fewer requests (429); requests only',
  unchecked: 'nothing yet; images only',
} as const;
export type VerifyResult = keyof typeof verifyResults;
/** What became of the breaker of a registry, with its description for the documentation. */
export const targetTransitions = {
  opened: 'too many pods failed: new ones begin with the next target',
  'half-opened': 'new pods try it again',
  closed: 'a new pod could pull from it',
} as const;
export type FallbackResult = keyof typeof fallbackResults;
export type WriteResult = keyof typeof writeResults;
export type WriteVerb = 'create' | 'update' | 'delete';

export interface ControllerMetrics {
  readonly registry: Registry;
  readonly leader: Gauge;
  readonly copies: Gauge<'registry' | 'state'>;
  readonly sourceReady: Gauge<'registry'>;
  readonly tokenAge: Gauge<'registry'>;
  readonly tokenExpiry: Gauge<'registry'>;
  readonly hosts: Gauge<'registry'>;
  readonly admissionPolicyCurrent: Gauge<'name'>;
  /** `kind` is the kind of the written object in lower case: secret, configmap, … */
  readonly writes: Counter<'kind' | 'verb' | 'result'>;
  /** `certificate`: `serving` or `ca`. */
  readonly certificateExpiry: Gauge<'certificate'>;
  readonly certificateSteps: Counter<'step'>;
  /** `reason` is a code of src/pod/pull-failure.ts. */
  readonly fallbackSteps: Counter<'rule' | 'target' | 'reason' | 'result'>;
  readonly verifyImages: Gauge<'registry' | 'result'>;
  readonly verifyRequests: Counter<'registry' | 'result'>;
  readonly verifyLeftOut: Gauge;
  readonly targetAvailable: Gauge<'registry'>;
  readonly targetTransitions: Counter<'registry' | 'transition'>;
  readonly lastReconcile: Gauge<'feature'>;
  readonly watchAge: Gauge<'watch'>;
  readonly watchErrors: Counter<'watch'>;
  readonly policyReloads: Counter<'result'>;
  readonly policyInfo: Gauge<'revision'>;
  readonly lastReload: Gauge<'file'>;
  /** Runs before each scrape, for values that are read instead of counted. @returns a function that removes it */
  readonly onScrape: (read: () => void) => () => void;
}

export function createControllerMetrics(): ControllerMetrics {
  const registry = new Registry();
  const registers = [registry];
  const readers = new Set<() => void>();
  const gauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]): Gauge<Label> =>
    new Gauge({ name: `transship_controller_${name}`, help, labelNames, registers });
  const counter = <Label extends string>(name: string, help: string, ...labelNames: Label[]): Counter<Label> =>
    new Counter({ name: `transship_controller_${name}`, help, labelNames, registers });
  collectNodeMetrics(registry);
  const leader = new Gauge({
    name: 'transship_controller_leader',
    help: 'Whether this process is the leader, 1 or 0.',
    registers,
    // On the first metric of the registry: prom-client has no hook for a whole scrape.
    collect: () => {
      for (const read of readers) read();
    },
  });
  const certificateSteps = counter('certificate_steps_total', 'Steps taken to issue, renew and rotate certificates.', 'step');
  const policyReloads = counter('policy_reloads_total', 'Reloads of the policy file, `loaded` or `refused`.', 'result');
  // Starts at 0, or `increase()` misses the first event.
  for (const result of ['loaded', 'refused']) policyReloads.inc({ result }, 0);
  return {
    registry,
    leader,
    ...objectGauges(gauge),
    writes: counter('writes_total', 'Writes to the API by result. `kind` is in lower case.', 'kind', 'verb', 'result'),
    certificateExpiry: gauge(
      'certificate_expiry_timestamp_seconds',
      'Expiry of the `serving` certificate and of its `ca`, Unix time.',
      'certificate',
    ),
    certificateSteps,
    fallbackSteps: counter(
      'fallback_steps_total',
      'Containers that nodes could not pull the image for, with the rule, the alternative and the code of `transship why` for the reason.',
      'rule',
      'target',
      'reason',
      'result',
    ),
    ...createVerifyMetrics(registry),
    ...createTargetMetrics(registry),
    lastReconcile: gauge('last_reconcile_timestamp_seconds', 'Time of the last reconcile of a feature, Unix time.', 'feature'),
    watchAge: gauge(
      'watch_age_seconds',
      'Time since a watch last received anything from the API server. A bookmark comes about once a minute.',
      'watch',
    ),
    watchErrors: counter('watch_errors_total', 'Errors of a watch, each followed by a retry.', 'watch'),
    policyReloads,
    policyInfo: gauge('policy_info', 'The policy in force, always 1.', 'revision'),
    lastReload: gauge('config_last_reload_successful', 'Whether the current content of the file `policy` is in use, 1 or 0.', 'file'),
    onScrape: (read) => {
      readers.add(read);
      return () => readers.delete(read);
    },
  };
}

type ObjectGauges = 'copies' | 'sourceReady' | 'tokenAge' | 'tokenExpiry' | 'hosts' | 'admissionPolicyCurrent';
type CreateGauge = <Label extends string>(name: string, help: string, ...labelNames: Label[]) => Gauge<Label>;

/** The state of what the controller keeps. */
function objectGauges(gauge: CreateGauge): Pick<ControllerMetrics, ObjectGauges> {
  return {
    copies: gauge('copies', 'Copies of pull secrets by state.', 'registry', 'state'),
    sourceReady: gauge('source_ready', 'Whether the credentials of a registry were read, 1 or 0.', 'registry'),
    tokenAge: gauge('token_age_seconds', 'Age of the token of a registry, for clouds.', 'registry'),
    tokenExpiry: gauge('token_expiry_timestamp_seconds', 'Expiry of the token of a registry, Unix time.', 'registry'),
    hosts: gauge('host_resolved', 'Whether the host of a registry with hostFrom is resolved, 1 or 0.', 'registry'),
    admissionPolicyCurrent: gauge(
      'admission_policy_current',
      'Whether the MutatingAdmissionPolicy in the cluster is of the policy in force, 1 or 0.',
      'name',
    ),
  };
}

type VerifyMetrics = Pick<ControllerMetrics, 'verifyImages' | 'verifyRequests' | 'verifyLeftOut'>;

function createTargetMetrics(registry: Registry): Pick<ControllerMetrics, 'targetAvailable' | 'targetTransitions'> {
  const registers = [registry];
  return {
    targetAvailable: new Gauge({
      name: 'transship_controller_target_available',
      help: 'Whether new pods begin with a registry of rules with alternatives, 1 or 0: it is 0 while nodes do not reach it.',
      labelNames: ['registry'],
      registers,
    }),
    targetTransitions: new Counter({
      name: 'transship_controller_target_transitions_total',
      help: 'Changes of the breaker of a registry of rules with alternatives.',
      labelNames: ['registry', 'transition'],
      registers,
    }),
  };
}

function createVerifyMetrics(registry: Registry): VerifyMetrics {
  const registers = [registry];
  return {
    verifyImages: new Gauge({
      name: 'transship_controller_verify_images',
      help: 'Images that pods need of a registry with `verify`, by what the registry said last.',
      labelNames: ['registry', 'result'],
      registers,
    }),
    verifyRequests: new Counter({
      name: 'transship_controller_verify_requests_total',
      help: 'Requests to a registry with `verify` for the manifest of an image.',
      labelNames: ['registry', 'result'],
      registers,
    }),
    verifyLeftOut: new Gauge({
      name: 'transship_controller_verify_left_out_images',
      help: 'Images of registries with `verify` that are not asked for, because there are too many.',
      registers,
    }),
  };
}
