/** Keeps the policy in the cluster as one MutatingAdmissionPolicy, by which the API server itself rewrites. The chart renders its bindings. */
import type { V1MutatingAdmissionPolicy } from '@kubernetes/client-node';

import { describeError, isConflict, retryAfterOf } from '../../cluster/api-error.ts';
import { isServed, serverVersion } from '../../cluster/discovery.ts';
import { lastOtherWriter } from '../../cluster/field-managers.ts';
import { applyObject, patchObject, preconditionsOf } from '../../cluster/object-writes.ts';
import { formatFinding } from '../../errors/finding.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import { disputeMessage, disputeProblem, Disputes } from '../disputes.ts';
import { recordOnPolicy } from '../policy-events.ts';
import type { Reconciler, ReconcilerContext, ReconcilerFactory } from '../reconciler.ts';
import { done, requeueAfter, requeueUntil, WorkQueue, type Requeue } from '../work-queue.ts';
import {
  apiVersion,
  bindingName,
  differenceOf,
  policyObject,
  renderPolicy,
  signatureOf,
  specPatch,
  writtenPolicy,
  type Difference,
  type WantedObject,
  type WantedPolicy,
} from './policies-plan.ts';
import { PolicyWatches } from './policy-watches.ts';

/** The only key of the work queue. */
const key = 'policy';
/** Debounce, in milliseconds: a policy and the hosts that it asks for come one after the other. */
const debounceMs = 50;
const backoff = { minDelay: 1_000, maxDelay: 30_000 };
/** Milliseconds after which an API server that does not serve the resource is asked again: it may have been upgraded. */
const discoveryPeriod = 60_000;
/** Milliseconds. */
const leadershipCheck = 1_000;

/** Of the object in the cluster. */
type State = 'unknown' | 'missing' | 'outdated' | 'in place';

export const policiesReconciler: ReconcilerFactory = (context) => new PoliciesReconciler(context);

class PoliciesReconciler implements Reconciler {
  readonly name = 'policies';
  readonly #context: ReconcilerContext;
  readonly #stopping = new AbortController();
  readonly #queue: WorkQueue;
  readonly #disputes = new Disputes();
  #watches: PolicyWatches | null = null;
  /** The policy that was rendered last, whether or not it could be. */
  #rendered: CompiledPolicy | null = null;
  /** The last one that could be: it is maintained while another is refused. */
  #wanted: WantedPolicy | null = null;
  /** Why the policy in force cannot be an admission policy. */
  #refusals: readonly string[] = [];
  #state: State = 'unknown';
  #failure: string | null = null;

  constructor(context: ReconcilerContext) {
    this.#context = context;
    this.#queue = new WorkQueue({
      reconcile: () => this.#reconcile(),
      hasObserved: (_key, version) => this.#watches?.hasObserved(version) === true,
      debounceMs,
      backoff,
      onError: (_key, error) => this.#fail(describeError(error)),
    });
  }

  start(): void {
    this.#setState('unknown');
    this.#queue.add(key);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#context.metrics.admissionPolicyCurrent.reset();
    await Promise.all([this.#queue.stop(), this.#watches?.close()]);
  }

  /** Also ready while a policy is in the cluster that cannot be replaced: a restart would not change that. */
  isReady(): boolean {
    const isStuck = this.#state === 'outdated' && (this.#refusals.length > 0 || this.#disputes.isDisputed(key));
    return this.#failure === null && (this.#state === 'in place' || isStuck);
  }

  problems(): string[] {
    return [
      ...(this.#failure === null ? [] : [this.#failure]),
      ...(this.#watches?.problems() ?? []),
      ...this.#refusals,
      ...(this.#state === 'missing' && this.#wanted === null && this.#refusals.length > 0
        ? [`${this.#policyName} does not exist, and is not written until the policy has only what CEL can say`]
        : []),
      ...(this.#disputes.isDisputed(key) ? [disputeProblem(this.#policyName)] : []),
    ];
  }

  policyChanged(): void {
    this.#queue.add(key);
  }

  get #policyName(): string {
    return `MutatingAdmissionPolicy ${this.#context.options.admissionPolicy.name}`;
  }

  async #reconcile(): Promise<Requeue> {
    if (this.#watches === null) return this.#open();
    const observed = this.#watches.observed();
    if (observed === null) return done;
    this.#context.metrics.lastReconcile.set({ feature: this.name }, Date.now() / 1000);
    this.#render(this.#context.policy());
    const { policy, binding } = observed;
    if (binding === null) {
      this.#setState('missing');
      const missing = `MutatingAdmissionPolicyBinding ${bindingName(this.#context.options)}`;
      this.#fail(`${missing} does not exist; the chart renders it, and nothing is written without it`);
      return done;
    }
    // An earlier leader wrote it, of a policy that could be rendered: it is restored like one of this leader.
    if (policy !== null) this.#wanted ??= writtenPolicy(policy);
    const object = this.#wanted === null ? null : policyObject(this.#wanted, this.#context.options, binding);
    const difference = policy === null || object === null ? 'other' : differenceOf(policy, object);
    this.#setState(policy === null ? 'missing' : difference === 'none' ? 'in place' : 'outdated');
    if (difference === 'none' || object === null) {
      this.#failure = null;
      return done;
    }
    return this.#write(difference, object, policy);
  }

  /** Opens the watches where the API server has what they are of. */
  async #open(): Promise<Requeue> {
    const { cluster } = this.#context;
    const { signal } = this.#stopping;
    try {
      if (!(await isServed(cluster, apiVersion, 'mutatingadmissionpolicies', signal))) {
        const version = await serverVersion(cluster, signal);
        this.#fail(
          `Kubernetes ${version} does not serve MutatingAdmissionPolicy v1: use the chart value engine: webhook, or Kubernetes 1.36 or newer`,
        );
        return requeueAfter(discoveryPeriod);
      }
    } catch (error) {
      if (signal.aborted) return done;
      this.#fail(describeError(error));
      return { result: 'failed', retryAfter: retryAfterOf(error) };
    }
    if (signal.aborted) return done;
    this.#failure = null;
    this.#watches = new PolicyWatches(this.#context, () => this.#queue.add(key));
    return done;
  }

  async #write(difference: Difference, object: WantedObject, present: V1MutatingAdmissionPolicy | null): Promise<Requeue> {
    const { log, metrics } = this.#context;
    const signature = signatureOf(object);
    // A process that was suspended does not know yet that another one leads.
    const delay = this.#context.isLeader() ? this.#disputes.delay(key, signature) : leadershipCheck;
    if (delay > 0) return requeueAfter(delay);
    const verb = present === null ? 'create' : 'update';
    const count = (result: 'done' | 'conflict' | 'failed'): void => metrics.writes.inc({ kind: 'mutatingadmissionpolicy', verb, result });
    try {
      const version = await this.#send(difference, object, present);
      this.#failure = null;
      count('done');
      log.info({ policy: object.metadata?.name, revision: this.#wanted?.revision }, 'admission policy written');
      // Of the object as it was before: now it names this controller only.
      if (this.#disputes.written(key, signature)) this.#tellDispute(lastOtherWriter(present?.metadata));
      return requeueUntil(version);
    } catch (error) {
      if (this.#stopping.signal.aborted) return done;
      count(isConflict(error) ? 'conflict' : 'failed');
      // A conflict means that another client wrote first; the next reconcile reads the result.
      if (!isConflict(error)) this.#fail(`${this.#policyName} could not be written: ${describeError(error)}`);
      return { result: 'failed', retryAfter: retryAfterOf(error) };
    }
  }

  /** @returns the resourceVersion */
  #send(difference: Difference, object: WantedObject, present: V1MutatingAdmissionPolicy | null): Promise<string> {
    const { cluster } = this.#context;
    const preconditions = preconditionsOf(present);
    if (difference === 'additions')
      return patchObject(cluster, object, { metadata: preconditions, spec: specPatch(object.spec) }, this.#stopping.signal);
    const metadata = Object.assign({}, object.metadata, preconditions);
    return applyObject(cluster, Object.assign({}, object, { metadata }), this.#stopping.signal);
  }

  /** Once for each policy: tells what CEL cannot express of it. */
  #render(policy: CompiledPolicy): void {
    if (this.#rendered === policy) return;
    this.#rendered = policy;
    const { options, log, locate } = this.#context;
    const { spec, refusals } = renderPolicy(policy, options);
    const findings = locate(refusals).map(formatFinding);
    if (spec !== null) {
      this.#wanted = { spec, revision: policy.revision ?? '' };
      this.#refusals = [];
      if (findings.length > 0) log.info({ findings }, 'CEL cannot express all of the policy; the webhook decides the rest');
      return;
    }
    const before = this.#refusals;
    this.#refusals = findings.map((finding) => `${this.#policyName} stays as it is: ${finding}`);
    if (this.#refusals.join('\n') === before.join('\n')) return;
    log.error({ findings }, 'CEL cannot express all of the policy; the admission policy stays as it is');
    this.#record('AdmissionPolicyRefused', this.#refusals.join('\n'));
  }

  #setState(state: State): void {
    this.#state = state;
    const { metrics, options } = this.#context;
    const isCurrent = state === 'in place' && this.#refusals.length === 0;
    metrics.admissionPolicyCurrent.set({ name: options.admissionPolicy.name }, isCurrent ? 1 : 0);
  }

  #tellDispute(writer: string | undefined): void {
    this.#context.log.warn({ writer }, 'the admission policy is repeatedly changed or deleted by another client');
    this.#record('WriteDisputed', disputeMessage(this.#policyName, writer));
  }

  #fail(reason: string): void {
    if (this.#failure === reason) return;
    this.#failure = reason;
    this.#context.log.warn({ reason }, 'the admission policy could not be maintained; retrying');
    this.#record('AdmissionPolicyNotKept', reason);
  }

  #record(reason: string, message: string): void {
    const { cluster, options } = this.#context;
    void recordOnPolicy(cluster, options, { type: 'Warning', reason, message, action: 'WriteAdmissionPolicy' });
  }
}
